#include "offsite/fetch.hpp"

#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using repository::Finding;

namespace {

// A set that lies on the target.
class House : public Bench {
  public:
    model::SetId id = add_set("2026-01-13T00:00:01Z");
    model::BackupSet set = place.repository.find(id).manifest;
    std::filesystem::path into = directory / "restore" / "shop" / id.set;
    std::vector<std::uint64_t> come;

    House() { put_there(id); }
    [[nodiscard]] std::string key(std::size_t artifact) const {
        return offsite::key_of(id, set.artifacts[artifact].file);
    }
    repository::Verdict verify(async::StopToken stop = {}) {
        return run(offsite::verify_remote(
            target, pool, set, {}, [this](auto bytes) { come.push_back(bytes); }, std::move(stop)));
    }
    [[nodiscard]] std::string sidecar(std::size_t artifact) const { return key(artifact) + ".sha256"; }
    void download(async::StopToken stop = {}) {
        run(offsite::download(
            target, pool, set, into, [this](auto bytes) { come.push_back(bytes); }, std::move(stop)));
    }
    // Everything below the directory that it was to come into.
    [[nodiscard]] std::vector<std::string> leftovers() const {
        std::vector<std::string> names;
        std::error_code none;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory / "restore", none))
            if (!entry.is_directory() || entry.path().filename().native().starts_with("."))
                names.push_back(entry.path().filename());
        return names;
    }
};

}  // namespace

TEST_CASE("the newest complete set of a job is found among what lies there") {
    House house;
    const auto newest = [&](const std::string& job) {
        return house.run(offsite::newest_remote(house.target, job, {}, {}));
    };
    CHECK(newest("shop").id == house.id);
    const auto incomplete = testing::add_set(house.place.repository, "shop", "2026-01-14T00:00:01Z", false);
    house.put_there(incomplete);
    house.target.add("shop/20260115_000001/a.dump", "without a manifest");
    CHECK(newest("shop").id == house.id);
    const auto error = error_of([&] { newest("crm"); });
    CHECK(error.code() == ErrorCode::not_found);
    CHECK(error.message() == "there is no good set of crm in memory:backups");
    CHECK(error.hint() == "pgbakctl list --from memory shows what is there");
}

TEST_CASE("where the newest manifest is broken the one before it is taken, and what was left out is told") {
    House house;
    std::vector<std::string> told;
    const offsite::LeftOut left_out = [&](const model::SetId& id, const base::Error& why) {
        told.push_back(id.text() + ": " + std::string(base::code_text(why.code())));
    };
    const auto newest = [&] { return house.run(offsite::newest_remote(house.target, "shop", left_out, {})); };
    house.target.add("shop/20260115_000001/manifest.json", "{}");
    CHECK(newest().id == house.id);
    CHECK(told == std::vector<std::string>{"shop/20260115_000001: corrupt"});
    // A target that is away leaves out nothing.
    house.target.fail_at = house.target.calls.size() + 2;
    const auto error = error_of(newest);
    CHECK(error.message() == "shop/20260115_000001: the target is away");
    CHECK(told.size() == 1);
}

TEST_CASE("what stands beside good artifacts is looked at, and makes no bad set") {
    struct Row {
        std::string name;
        std::function<void(House&)> spoil;
        Finding finding;
        std::string message;
    };
    for (const auto& row :
         {Row{"missing", [](House& h) { h.target.objects.erase(h.sidecar(1)); }, Finding::bad, "is missing"},
          Row{"altered", [](House& h) { h.target.objects[h.sidecar(1)].content[0] ^= 1; }, Finding::bad,
              "has another SHA-256 than the manifest"},
          Row{"none at all", [](House& h) { h.target.objects[h.sidecar(1)].content = "x"; }, Finding::bad,
              "is not one line as sha256sum writes it"},
          Row{"far too long", [](House& h) { h.target.objects[h.sidecar(1)].content = noise(100'000); }, Finding::bad,
              "the object is larger than 4.00 KiB"},
          Row{"cannot be read", [](House& h) { h.target.fail_at = 4; }, Finding::unread, "the target is away"}}) {
        CAPTURE(row.name);
        House house;
        CHECK(house.verify().beside.empty());
        house.target.calls.clear();
        row.spoil(house);
        const auto verdict = house.verify();
        CHECK(verdict.ok());
        CHECK(verdict.level == model::Verification::decoded);
        REQUIRE(verdict.beside.size() == 1);
        CHECK(verdict.beside[0].file == house.set.artifacts[1].file + ".sha256");
        CHECK(verdict.beside[0].finding == row.finding);
        CHECK(verdict.beside[0].message == row.message);
    }
}

TEST_CASE("of an object that does not end no more is taken than the manifest says") {
    House house;
    const auto bytes = house.target.objects[house.key(1)].content.size();
    house.target.objects[house.key(1)].content += std::string(10 << 20U, 'x');
    const auto verdict = house.verify();
    CHECK(verdict.finding() == Finding::bad);
    CHECK(verdict.artifacts[1].message == "is longer than its manifest says");
    CHECK(house.come.back() <= house.set.bytes());
    const auto error = error_of([&] { house.download(); });
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.message() == house.set.artifacts[1].file + ": is longer than its manifest says");
    CHECK(house.leftovers().empty());
    house.target.objects[house.key(1)].content.resize(bytes);
    CHECK(house.verify().ok());
}

TEST_CASE("a set on a target is read to its end, artifact by artifact") {
    House house;
    const auto verdict = house.verify();
    CHECK(verdict.ok());
    CHECK(verdict.level == model::Verification::decoded);
    REQUIRE(verdict.artifacts.size() == 2);
    CHECK(verdict.artifacts[0].file == house.set.artifacts[0].file);
    CHECK(verdict.artifacts[0].message == "decoded");
    REQUIRE_FALSE(house.come.empty());
    CHECK(house.come.back() == house.set.bytes());
    CHECK(std::is_sorted(house.come.begin(), house.come.end()));
}

TEST_CASE("what is wrong with a set on a target is a verdict on each artifact") {
    struct Row {
        std::string name;
        std::function<void(House&)> spoil;
        Finding finding;
        std::string message;
    };
    for (const auto& row :
         {Row{"a flipped byte", [](House& h) { h.target.objects[h.key(1)].content.back() ^= 1; }, Finding::bad, ""},
          Row{"another content of that size",
              [](House& h) {
                  // It decodes, and is not what was sent.
                  h.set.artifacts[1].sha256 = std::string(64, '0');
              },
              Finding::bad, "its SHA-256 is not the manifest's"},
          Row{"cut", [](House& h) { h.target.objects[h.key(1)].content.resize(30); }, Finding::bad, ""},
          Row{"missing", [](House& h) { h.target.objects.erase(h.key(1)); }, Finding::bad, "is missing"},
          Row{"cannot be read",
              [](House& h) {
                  h.target.failure = {ErrorCode::permission_denied, "no permission to read it"};
                  h.target.fail_at = 3;
              },
              Finding::unread, "no permission to read it"},
          Row{"the target goes away", [](House& h) { h.target.fail_at = 3; }, Finding::unread, "the target is away"}}) {
        CAPTURE(row.name);
        House house;
        row.spoil(house);
        const auto verdict = house.verify();
        CHECK_FALSE(verdict.ok());
        CHECK(verdict.finding() == row.finding);
        CHECK(verdict.level == model::Verification::none);
        REQUIRE(verdict.artifacts.size() == 2);
        CHECK(verdict.artifacts[0].ok());
        CHECK(verdict.artifacts[1].finding == row.finding);
        CHECK_FALSE(verdict.artifacts[1].message.empty());
        if (!row.message.empty()) CHECK(verdict.artifacts[1].message == row.message);
    }
}

TEST_CASE("what is not found once is missing only if a list of the set does not show it") {
    struct Row {
        std::string name;
        std::string list_does;  // "fails", "shows nothing", or nothing
        bool is_there;
        Finding finding;
        std::string message;
    };
    for (const auto& row :
         {Row{"one wrong answer", "", true, Finding::unread, "was not found, but a list of its set shows it"},
          Row{"the target goes away", "fails", false, Finding::unread,
              "was not found, and a list of its set failed: the target is away"},
          Row{"another place answers", "shows nothing", true, Finding::unread,
              "was not found, and neither was its set"},
          Row{"it is missing", "", false, Finding::bad, "is missing"}}) {
        for (const bool sidecar : {false, true}) {
            CAPTURE(row.name, sidecar);
            House house;
            const auto key = sidecar ? house.sidecar(1) : house.key(1);
            auto hidden = house.target.objects.extract(key);
            house.target.on_call = [&](const std::string& call) {
                if (!call.starts_with("list ")) return;
                if (row.is_there) house.target.objects.insert(std::move(hidden));
                if (row.list_does == "fails") house.target.away = true;
                if (row.list_does == "shows nothing") house.target.objects.clear();
            };
            const auto verdict = house.verify();
            REQUIRE(verdict.artifacts.size() == 2);
            REQUIRE(verdict.beside.size() == (sidecar ? 1 : 0));
            const auto& found = sidecar ? verdict.beside[0] : verdict.artifacts[1];
            CHECK(found.finding == row.finding);
            CHECK(found.message == row.message);
            if (!sidecar) CHECK(verdict.finding() == row.finding);
        }
    }
}

TEST_CASE("an encrypted artifact is read back, which is all that can be done there") {
    House house;
    house.set.artifacts[1].encryption = "age";
    auto verdict = house.verify();
    CHECK(verdict.ok());
    CHECK(verdict.level == model::Verification::read_back);
    CHECK(verdict.artifacts[1].message == "read back (it is encrypted)");
    house.target.objects[house.key(1)].content.back() ^= 1;
    verdict = house.verify();
    CHECK(verdict.finding() == Finding::bad);
    CHECK(verdict.artifacts[1].message == "its SHA-256 is not the manifest's");
}

TEST_CASE("a verification that is stopped has no verdict") {
    House house;
    async::StopSource source;
    house.target.on_call = [&](const std::string&) {
        if (house.target.calls.size() == 2) source.stop({ErrorCode::cancelled, "interrupted"});
    };
    CHECK(error_of([&] { house.verify(source.token()); }).code() == ErrorCode::cancelled);
}

TEST_CASE("a set comes whole, with its sidecars and its manifest as they are there") {
    House house;
    house.target.add(offsite::key_of(house.id, "pinned"), "");
    house.download();
    for (const auto& [key, content] : house.objects_of(house.id))
        CHECK(contents(house.into / offsite::parse_key(key)->file) == content);
    CHECK(house.leftovers().size() == 5);
    CHECK(house.come.back() == house.set.bytes());
    // A download that was killed before leaves nothing in the way.
    std::filesystem::remove_all(house.into);
    std::filesystem::create_directories(house.into.parent_path() / ("." + house.id.set + ".partial") / "x");
    house.download();
    CHECK(house.leftovers().size() == 5);
}

TEST_CASE("a directory that exists is not touched") {
    House house;
    write(house.directory / "keep", "");
    std::filesystem::create_directories(house.into);
    write(house.into / "mine", "precious");
    const auto error = error_of([&] { house.download(); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message() == house.into.native() + " exists already");
    CHECK(error.hint() == "name another directory with --into, or move this one away");
    CHECK(house.leftovers() == std::vector<std::string>{"mine"});
    CHECK(house.target.calls.empty());
}

TEST_CASE("whatever fails, a download leaves nothing") {
    const auto expect_nothing = [](House& house, ErrorCode code, async::StopToken stop = {}) {
        const auto error = error_of([&] { house.download(std::move(stop)); });
        CHECK(error.code() == code);
        CHECK(house.leftovers().empty());
        CHECK_FALSE(std::filesystem::exists(house.into));
        return error;
    };
    for (std::size_t call = 1; call <= 3; ++call) {
        CAPTURE(call);
        House house;
        house.target.fail_at = call;
        expect_nothing(house, ErrorCode::unreachable);
        house.target.fail_at = 0;
        house.download();
        CHECK(house.leftovers().size() == 5);
    }
    House house;
    SECTION("a flipped byte") {
        house.target.objects[house.key(1)].content.back() ^= 1;
        CHECK(expect_nothing(house, ErrorCode::corrupt).message() ==
              house.set.artifacts[1].file + ": its SHA-256 is not the manifest's");
    }
    SECTION("too short") {
        const auto bytes = house.target.objects[house.key(0)].content.size();
        house.target.objects[house.key(0)].content.resize(bytes - 1);
        CHECK(expect_nothing(house, ErrorCode::corrupt).message() ==
              house.set.artifacts[0].file + ": has " + std::to_string(bytes - 1) + " bytes, the manifest says " +
                  std::to_string(bytes));
    }
    SECTION("an artifact is missing") {
        house.target.objects.erase(house.key(1));
        CHECK(expect_nothing(house, ErrorCode::not_found).message().starts_with(house.set.artifacts[1].file + ": "));
    }
    SECTION("stopped") {
        async::StopSource source;
        house.target.on_call = [&](const std::string&) {
            if (house.target.calls.size() == 2) source.stop({ErrorCode::cancelled, "interrupted"});
        };
        expect_nothing(house, ErrorCode::cancelled, source.token());
    }
}
