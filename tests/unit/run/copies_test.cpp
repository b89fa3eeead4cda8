// The copies of a run's set, over directories as targets.
#include "run/copies.hpp"

#include "offsite/backlog.hpp"
#include "offsite/keys.hpp"
#include "support/nouns.hpp"
#include "unit/repository/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using namespace std::chrono_literals;
using base::ErrorCode;
using run::Event;

namespace {

// A run of the job "shop", which has the targets "b" and "a"; that of the second may be away.
class House {
  public:
    support::TemporaryDirectory directory;
    Place place;
    asio::io_context io;
    async::Pool pool{2, 0};
    base::ManualClock clock{today};
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(directory / "state.db", today);
    offsite::Targets targets{{.executor = io.get_executor(),
                              .pool = pool,
                              .clock = clock,
                              .random = [] { return std::uint64_t{0}; },
                              .secret = [](const model::SecretReference&) { return base::Secret(); },
                              .search_path = {},
                              .runtime_directory = directory.path()}};
    std::vector<Event> events;
    run::Services services{.executor = io.get_executor(),
                           .pool = pool,
                           .clock = clock,
                           .repository = place.repository,
                           .catalog = *catalog,
                           .targets = targets,
                           .reports_directory = directory / "reports",
                           .limits = {},
                           .programs = {},
                           .hostname = {},
                           .user = {},
                           .version = {},
                           .random = [] { return std::uint64_t{0}; },
                           .observe = [this](const Event& event) { events.push_back(event); },
                           .not_recorded = {}};
    std::unique_ptr<run::Context> context;
    std::unique_ptr<run::Copies> copies;
    repository::Repository::Partial partial = place.repository.begin("shop", "20260131_000001");
    model::BackupSet set;

    explicit House(std::vector<std::string> names = {"b", "a"}, model::KeepLocal keep = model::KeepLocal::always) {
        for (const auto* name : {"a", "b"}) std::filesystem::create_directory(directory / name);
        targets.configure({{"a", {"a", model::DirectoryPlace{directory / "a", {}, {}}}},
                           {"b", {"b", model::DirectoryPlace{directory / "b", {}, {}}}}},
                          0);
        auto job = job_spec("shop", std::move(names), keep);
        job.retries = {.attempts = 1, .backoff = 1ms};
        run::Request request;
        request.job = std::make_shared<const model::JobSpec>(std::move(job));
        context = std::make_unique<run::Context>(services, std::move(request), model::RunReport{},
                                                 std::make_shared<run::Progress>());
        copies = std::make_unique<run::Copies>(*context);
    }

    void go(asio::awaitable<void> task) {
        std::exception_ptr failure;
        bool done = false;
        asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& thrown) {
            failure = thrown;
            done = true;
        });
        // Not until all is done: the copies go on between two calls.
        io.restart();
        while (!done) io.run_one();
        if (failure) std::rethrow_exception(failure);
    }
    void lose(const std::string& target) {
        std::filesystem::remove_all(directory / target);
        std::filesystem::create_symlink(target, directory / target);  // leads to itself
    }
    void find_again(const std::string& target) {
        std::filesystem::remove(directory / target);
        std::filesystem::create_directory(directory / target);
    }
    // The dump: its files are followed while they are written.
    asio::awaitable<void> dump() {
        co_await copies->reach({});
        copies->begin(partial.id);
        set = fill(partial, today - 24h);
        for (const auto& artifact : set.artifacts) {
            const auto file = copies->follow(partial.directory / artifact.file);
            if (!file) continue;
            file->on_disk(artifact.bytes);
            file->complete(artifact.bytes, artifact.sha256);
        }
    }
    asio::awaitable<void> commit(async::StopToken stop) {
        co_await copies->owe(set);
        const auto where = place.repository.commit(partial, set);
        co_await copies->finish(where, set, stop);
    }
    asio::awaitable<void> whole(async::StopToken stop = {}) {
        co_await dump();
        co_await commit(stop);
    }
    // Lets what goes on go on until the target has so many files of the set.
    asio::awaitable<void> arrived(std::string target, std::size_t files) {
        while (files_on(target) < files) co_await asio::post(io, asio::use_awaitable);
    }
    [[nodiscard]] std::vector<std::string> told() const {
        std::vector<std::string> texts;
        for (const auto& target : context->report.targets)
            texts.push_back(target.name + " " + target.status + (target.verified.empty() ? "" : " " + target.verified));
        return texts;
    }
    [[nodiscard]] std::vector<std::string> known() const {
        std::vector<std::string> texts;
        for (const auto& copy : catalog->copies()) texts.push_back(copy.target + (copy.owed ? " owed" : " there"));
        return texts;
    }
    [[nodiscard]] std::size_t files_on(const std::string& target) const {
        std::error_code none;
        const auto there = directory / target / "shop" / partial.id.set;
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(there, none), std::filesystem::directory_iterator()));
    }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a job without targets has nothing to copy") {
    House house(std::vector<std::string>{});
    CHECK(house.copies->empty());
    house.go(house.whole());
    CHECK(house.told().empty());
    CHECK(house.known().empty());
    CHECK(house.copies->complete().empty());
}

TEST_CASE("each target gets the set, told in the job's order") {
    House house;
    house.go(house.whole());
    CHECK(house.files_on("a") == 5);
    CHECK(house.files_on("b") == 5);
    REQUIRE(house.told().size() == 2);
    CHECK(house.told()[0].starts_with("b copied "));
    CHECK(house.told()[1].starts_with("a copied "));
    CHECK(house.context->report.targets[0].bytes == house.set.bytes());
    CHECK(house.known() == Texts{"a there", "b there"});
    CHECK(house.catalog->copies().at(0).assurance == house.context->report.targets[1].verified);
    CHECK(house.copies->complete().size() == 2);
    CHECK(house.events.size() == 2);
    for (const auto& event : house.events) {
        CHECK(event.kind == Event::Kind::uploaded);
        CHECK(event.message.starts_with("uploaded to " + event.target + ": 5 files, "));
        CHECK(event.set == house.partial.id.text());
    }
}

TEST_CASE("a target that is away makes its copy owed, and the other gets it all the same") {
    House house;
    house.lose("a");
    house.go(house.whole());
    CHECK(house.files_on("b") == 5);
    REQUIRE(house.told().size() == 2);
    CHECK(house.told()[0].starts_with("b copied"));
    CHECK(house.told()[1] == "a owed");
    CHECK_FALSE(house.context->report.targets[1].message.empty());
    CHECK(house.known() == Texts{"a owed", "b there"});
    const auto owed = house.catalog->owed_copies().at(0);
    CHECK(owed.attempts == 1);
    CHECK(owed.next_attempt == today + 1min);
    CHECK(owed.message == house.context->report.targets[1].message);
    CHECK_FALSE(owed.begun);
    REQUIRE(house.context->report.notes.size() == 1);
    CHECK(house.context->report.notes[0].starts_with("target a cannot be used now, its copy will be owed: "));
    CHECK(house.copies->complete().size() == 1);
    CHECK(std::count_if(house.events.begin(), house.events.end(),
                        [](const auto& event) { return event.kind == Event::Kind::owed; }) == 1);
}

TEST_CASE("a target that comes back before the end is asked again") {
    House house;
    house.lose("a");
    house.go(house.dump());
    house.find_again("a");
    house.go(house.commit({}));
    CHECK(house.files_on("a") == 5);
    CHECK(house.known() == Texts{"a there", "b there"});
}

TEST_CASE("what no upload had begun with when the set got its name has not failed") {
    House house;
    house.go(house.dump());
    house.go(house.copies->owe(house.set));
    house.go(house.copies->finish(house.place.repository.commit(house.partial, house.set), house.set, {}));
    for (const auto& copy : house.catalog->copies()) {
        CHECK_FALSE(copy.owed);
        CHECK(copy.attempts == 0);
    }
}

TEST_CASE("all copies are owed before the set is committed") {
    House house;
    house.go(house.dump());
    house.go(house.copies->owe(house.set));
    CHECK(house.known() == Texts{"a owed", "b owed"});
    SECTION("and are no more when there will be no set; what was sent is removed") {
        house.go(house.arrived("a", 2));
        house.go(house.arrived("b", 2));
        house.go(house.copies->abandon({base::ErrorCode::cancelled, "there will be no set"}));
        CHECK(house.known().empty());
        CHECK(house.files_on("a") == 0);
        CHECK(house.files_on("b") == 0);
    }
    SECTION("and sent when it is there") {
        house.go(house.copies->finish(house.place.repository.commit(house.partial, house.set), house.set, {}));
        CHECK(house.known() == Texts{"a there", "b there"});
    }
}

TEST_CASE("a run that is abandoned removes nothing of another host's set") {
    House house({"a"});
    const auto other = house.directory / "a" / "shop" / house.partial.id.set;
    std::filesystem::create_directories(other);
    write(other / "crm.sql.gz", "another host's");
    house.go(house.dump());
    house.go(house.arrived("a", 3));
    house.go(house.copies->abandon({base::ErrorCode::cancelled, "there will be no set"}));
    CHECK(house.files_on("a") == 1);
    CHECK(contents(other / "crm.sql.gz") == "another host's");
}

TEST_CASE("a run that is abandoned with an upload under way leaves what another host has put there meanwhile") {
    House house({"a"});
    const auto there = house.directory / "a" / "shop" / house.partial.id.set;
    const auto name = "shop_" + house.partial.id.set + ".sql.gz";
    const auto begin = [&]() -> asio::awaitable<void> {
        co_await house.copies->reach({});
        house.copies->begin(house.partial.id);
        write(house.partial.directory / name, "ours");
        const auto file = house.copies->follow(house.partial.directory / name);
        file->on_disk(2);
        const auto uploads = house.directory / "a" / ".pgbakd-uploads";
        while (!std::filesystem::exists(uploads) || std::filesystem::is_empty(uploads))
            co_await asio::post(house.io, asio::use_awaitable);
        std::filesystem::create_directories(there);
        write(there / name, "another host's");
        const base::Error reason(base::ErrorCode::cancelled, "there will be no set");
        file->abandon();
        co_await house.copies->abandon(reason);
    };
    house.go(begin());
    CHECK(contents(there / name) == "another host's");
}

TEST_CASE("another host's set of that name is not overwritten, neither while the dump goes on nor behind it") {
    House house({"a"});
    const auto other = house.directory / "a" / "shop" / house.partial.id.set;
    std::filesystem::create_directories(other);
    write(other / ("shop_" + house.partial.id.set + ".sql.gz"), "another host's");
    house.go(house.whole());
    CHECK(contents(other / ("shop_" + house.partial.id.set + ".sql.gz")) == "another host's");
    CHECK(house.told() == Texts{"a owed"});
    CHECK(house.context->report.targets[0].message.starts_with("half a set named shop/20260131_000001 that "));
    CHECK_FALSE(house.catalog->owed_copies().at(0).begun);
}

TEST_CASE("where somebody else sends a set of that name the copy is owed") {
    House house({"a"});
    const auto claim = house.targets.claim("a", house.partial.id.text());
    house.go(house.whole());
    CHECK(house.told() == Texts{"a owed"});
    CHECK(house.context->report.targets[0].message == "a set of that name is being sent there");
    CHECK(house.files_on("a") == 0);
}

TEST_CASE("a stop leaves the rest owed: due at once where the daemon ends, else after a pause") {
    struct Row {
        ErrorCode code;
        std::chrono::minutes pause;
    };
    for (const auto& row : {Row{ErrorCode::interrupted, 0min}, Row{ErrorCode::cancelled, 1min}}) {
        House house({"a"});
        house.lose("a");
        async::StopSource source;
        source.stop({row.code, "told to stop"});
        house.go(house.whole(source.token()));
        REQUIRE(house.known() == Texts{"a owed"});
        CHECK(house.catalog->owed_copies().at(0).next_attempt == today + row.pause);
        CHECK(house.catalog->owed_copies().at(0).message == house.context->report.targets.at(0).message);
    }
}

TEST_CASE("a file that is written anew is sent anew, over what the attempt before had sent") {
    House house({"a"});
    const auto attempt = [&]() -> asio::awaitable<void> {
        co_await house.copies->reach({});
        house.copies->begin(house.partial.id);
        const auto path = house.partial.directory / ("shop_" + house.partial.id.set + ".sql.gz");
        write(path, "the first attempt's");
        const auto first = house.copies->follow(path);
        first->complete(19, {});
        co_await house.arrived("a", 1);
        std::filesystem::remove(path);
        house.set = fill(house.partial, today - 24h);
        for (const auto& artifact : house.set.artifacts)
            house.copies->follow(house.partial.directory / artifact.file)->complete(artifact.bytes, artifact.sha256);
    };
    house.go(attempt());
    house.go(house.commit({}));
    CHECK(house.known() == Texts{"a there"});
    for (const auto& artifact : house.set.artifacts)
        CHECK(contents(house.directory / "a" / "shop" / house.partial.id.set / artifact.file) ==
              contents(house.place / "shop" / house.partial.id.set / artifact.file));
}

TEST_CASE("without a disk, a target that comes back in mid-dump has missed something, and is told") {
    for (const auto& names : {Texts{"a"}, Texts{"a", "b"}}) {
        House house(names, model::KeepLocal::never);
        const bool alone = names.size() == 1;
        const auto dump = [&]() -> asio::awaitable<void> {
            house.lose("a");
            std::exception_ptr none;
            try {
                co_await house.copies->reach({});
            } catch (...) {
                none = std::current_exception();
            }
            CHECK((none != nullptr) == alone);
            house.copies->begin(house.partial.id);
            house.find_again("a");
            house.set = fill(house.partial, today - 24h);
            for (const auto& artifact : house.set.artifacts) {
                const auto feed = house.copies->follow(house.partial.directory / artifact.file);
                const auto text = contents(house.partial.directory / artifact.file);
                const auto bytes = std::as_bytes(std::span(text));
                const async::Chunk chunk = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
                feed->push(chunk);
                feed->complete(artifact.bytes, artifact.sha256);
                // Time for a target to be asked once more.
                for (int i = 0; i < 100; ++i) co_await asio::post(house.io, asio::use_awaitable);
                std::exception_ptr lost;
                try {
                    co_await house.copies->settled(artifact.file, {});
                } catch (...) {
                    lost = std::current_exception();
                }
                CHECK((lost != nullptr) == alone);
            }
        };
        house.go(dump());
        std::optional<base::Error> failure;
        try {
            house.go(house.copies->finish_there(house.set, {}));
        } catch (const base::Error& error) {
            failure = error;
        }
        CHECK(failure.has_value() == alone);
        CHECK(house.told().front() == "a failed");
        CHECK(house.files_on("a") == 0);
        CHECK(house.files_on("b") == (alone ? 0U : 5U));
        CHECK_FALSE(house.context->report.targets.front().message.empty());
    }
}

TEST_CASE("what is not as it was written goes nowhere, and the copy is owed") {
    // What was written, and what is read of it by whoever sends it.
    const auto spoil = [](House& house) {
        const auto path = house.partial.directory / house.set.artifacts[0].file;
        auto text = contents(path);
        text[text.size() / 2] ^= 1;
        write(path, text);
    };
    House house;
    SECTION("while it is written") {
        const auto dump = [&]() -> asio::awaitable<void> {
            co_await house.copies->reach({});
            house.copies->begin(house.partial.id);
            house.set = fill(house.partial, today - 24h);
            spoil(house);
            for (const auto& artifact : house.set.artifacts) {
                const auto file = house.copies->follow(house.partial.directory / artifact.file);
                file->on_disk(artifact.bytes);
                file->complete(artifact.bytes, artifact.sha256);
            }
        };
        house.go(dump());
        house.go(house.commit({}));
    }
    SECTION("after the commit") {
        house.lose("a");
        house.lose("b");
        house.go(house.dump());
        house.find_again("a");
        house.find_again("b");
        spoil(house);
        house.go(house.commit({}));
    }
    CHECK(house.told() == Texts{"b owed", "a owed"});
    for (const auto& copy : house.catalog->owed_copies())
        CHECK(copy.message ==
              house.set.artifacts[0].file + " reads otherwise than it was written: its SHA-256 is another one");
    for (const auto* name : {"a", "b"})
        CHECK_FALSE(std::filesystem::exists(house.directory / name / "shop" / house.partial.id.set / "manifest.json"));
}
