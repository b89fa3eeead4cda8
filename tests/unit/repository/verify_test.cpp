// Checking sets and single files: real dumps (those beside the tests of lib/codec), whole and damaged.
#include "repository/artifact_check.hpp"
#include "unit/repository/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using model::Verification;

namespace {

const std::filesystem::path samples = std::filesystem::path(PGBAKD_SOURCE_DIR) / "tests/unit/codec/data";

repository::Verdict verify_copy(const std::filesystem::path& file, std::string_view bytes) {
    write(file, bytes);
    return repository::verify_file(file, {});
}

}  // namespace

TEST_CASE("a whole set is decoded, a changed one is not") {
    const Place place;
    const auto id = add_set(place.repository, "a", "2026-01-14T00:00:01Z");
    const auto file = place / "a/20260114_000001/shop_20260114_000001.sql.gz";
    const auto verify = [&] { return repository::verify(place.repository.find(id), {}); };

    const auto good = verify();
    CHECK(good.ok());
    CHECK(good.level == Verification::decoded);
    REQUIRE(good.artifacts.size() == 2);
    CHECK(good.artifacts.at(0).file == "shop_20260114_000001.sql.gz");
    CHECK(good.artifacts.at(0).message.find("decoded: ") == 0);

    auto bytes = contents(file);
    SECTION("a bit flipped") {
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        write(file, bytes);
    }
    SECTION("the end is missing") {
        write(file, bytes.substr(0, bytes.size() - 8));
    }
    SECTION("it is empty") {
        write(file, "");
    }
    SECTION("it is gone") {
        std::filesystem::remove(file);
    }
    SECTION("another whole dump lies there") {
        write(file, gzip(dump_text() + dump_text()));
    }
    SECTION("it is a link to a copy") {
        std::filesystem::rename(file, place / "copy");
        std::filesystem::create_symlink(place / "copy", file);
    }
    const auto bad = verify();
    CHECK_FALSE(bad.ok());
    CHECK(bad.level == Verification::none);
    CHECK_FALSE(bad.artifacts.at(0).ok());
    CHECK_FALSE(bad.artifacts.at(0).message.empty());
    CHECK(bad.artifacts.at(1).ok());
}

TEST_CASE("a sidecar by which sha256sum would not check the artifact is a finding beside a good set") {
    const Place place;
    const auto id = add_set(place.repository, "a", "2026-01-14T00:00:01Z");
    const std::string name = "shop_20260114_000001.sql.gz";
    const auto file = place / "a/20260114_000001" / name;
    const std::filesystem::path sidecar = file.native() + ".sha256";
    const auto hash = codec::sha256_hex(bytes_of(contents(file)));
    auto in_capitals = hash;
    for (auto& c : in_capitals) c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
    struct Row {
        std::string text;
        std::string message;  // empty: it is as it should be
    };
    const std::string form = "is not one line as sha256sum writes it";
    for (const auto& [text, message] : std::vector<Row>{
             {hash + "  " + name + "\n", ""},
             {hash + " *" + name + "\n", ""},
             {in_capitals + "  ./" + name, ""},
             {hash + "  other.sql.gz\n", "names another file: other.sql.gz"},
             {hash + "  /srv/" + name + "\n", "names another file: /srv/" + name},
             {std::string(64, 'a') + "  " + name + "\n", "has another SHA-256 than the manifest"},
             {hash + "\n", form},
             {hash + " " + name + "\n", form},
             {hash + "  " + name + "\n" + hash + "  " + name + "\n", form},
             {"x", form},
             {"", form},
         }) {
        INFO(text);
        write(sidecar, text);
        const auto verdict = repository::verify(place.repository.find(id), {});
        CHECK(verdict.ok());  // the backup is
        CHECK(verdict.level == Verification::decoded);
        REQUIRE(verdict.beside.size() == (message.empty() ? 0 : 1));
        if (message.empty()) continue;
        CHECK(verdict.beside.at(0).file == name + ".sha256");
        CHECK(verdict.beside.at(0).message == message);
    }
    std::filesystem::remove(sidecar);
    const auto verdict = repository::verify(place.repository.find(id), {});
    CHECK(verdict.ok());
    REQUIRE(verdict.beside.size() == 1);
    CHECK(verdict.beside.at(0).message == "is missing");
    // Of a damaged artifact nothing else needs to be said.
    write(file, "x");
    CHECK(repository::verify(place.repository.find(id), {}).beside.empty());
}

TEST_CASE("a size before compression that is not the artifact's is a finding beside a good set") {
    const Place place;
    const auto partial = place.repository.begin("a", "20260114_000001");
    auto set = fill(partial, at("2026-01-14T00:00:01Z"));
    set.artifacts.at(0).raw_bytes = dump_text().size();
    set.artifacts.at(1).raw_bytes = globals_text().size() + 1;
    place.repository.commit(partial, set);
    const auto verdict = repository::verify(place.repository.find(partial.id), {});
    CHECK(verdict.ok());
    REQUIRE(verdict.beside.size() == 1);
    CHECK(verdict.beside.at(0).file == "manifest.json");
    CHECK(verdict.beside.at(0).message.find("before compression of globals_20260114_000001.sql.gz, but ") !=
          std::string::npos);
}

TEST_CASE("what never was a whole dump is told from what changed on disk") {
    const Place place;
    const auto partial = place.repository.begin("a", "20260114_000001");
    auto set = fill(partial, at("2026-01-14T00:00:01Z"));
    // The dump itself broke off, but was hashed and compressed as it came.
    const auto bytes = gzip(dump_text().substr(0, 60));
    write(partial.directory / set.artifacts.at(0).file, bytes);
    set.artifacts.at(0) = artifact(set.artifacts.at(0).file, "database", bytes);
    place.repository.commit(partial, set);
    const auto verdict = repository::verify(place.repository.find(partial.id), {});
    CHECK_FALSE(verdict.ok());
    CHECK(verdict.artifacts.at(0).message.find("the dump does not end with") == 0);

    write(partial.directory.parent_path() / partial.id.set / set.artifacts.at(1).file, "x");
    CHECK(repository::verify(place.repository.find(partial.id), {})
              .artifacts.at(1)
              .message.find("has a size of 1 instead of") == 0);
}

TEST_CASE("an encrypted artifact is read back, no further") {
    const Place place;
    const auto partial = place.repository.begin("a", "20260114_000001");
    auto set = fill(partial, at("2026-01-14T00:00:01Z"));
    auto& secret = set.artifacts.at(0);
    std::filesystem::rename(partial.directory / secret.file, partial.directory / (secret.file + ".age"));
    set.restore_order.at(0) = secret.file += ".age";
    secret.encryption = "age";
    place.repository.commit(partial, set);
    const auto verdict = repository::verify(place.repository.find(partial.id), {});
    CHECK(verdict.ok());
    CHECK(verdict.level == Verification::read_back);
    CHECK(verdict.artifacts.at(0).message.find("encrypted, so not decoded") != std::string::npos);
}

TEST_CASE("a verification says how far it is, and stops when told") {
    const Place place;
    const auto id = add_set(place.repository, "a", "2026-01-14T00:00:01Z");
    const auto set = place.repository.find(id);
    std::vector<std::uint64_t> seen;
    (void)repository::verify(set, [&](std::uint64_t bytes) {
        seen.push_back(bytes);
        return true;
    });
    CHECK(seen.size() >= 2);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(seen.back() == set.manifest.bytes());
    CHECK(error_of([&] { (void)repository::verify(set, [](std::uint64_t) { return false; }); }).code() ==
          ErrorCode::cancelled);
}

TEST_CASE("a file's kind is told by its name") {
    using codec::Content;
    using codec::Method;
    struct Row {
        const char* name;
        Content content;
        Method method;
        bool encrypted;
    };
    for (const auto& [name, content, method, encrypted] : std::vector<Row>{
             {"shop_20260113_000001.dump", Content::custom_archive, Method::none, false},
             {"shop_20260113_000001.dir.tar", Content::directory_archive, Method::none, false},
             {"shop_20260113_000001.sql", Content::plain_dump, Method::none, false},
             {"shop_20260113_000001.sql.gz", Content::plain_dump, Method::gzip, false},
             {"shop_20260113_000001.sql.zst", Content::plain_dump, Method::zstd, false},
             {"globals_20260113_000001.sql.gz", Content::plain_globals, Method::gzip, false},
             {"globals_20260113_000001-2.sql", Content::plain_globals, Method::none, false},
             {"globals_2.sql", Content::plain_dump, Method::none, false},
             {"x.dump.age", Content::custom_archive, Method::none, true},
             {"x.sql.zst.gpg", Content::plain_dump, Method::zstd, true},
             {"x.gpg", Content::raw, Method::none, true},
             {"x.tar", Content::tar, Method::none, false},
             {"app_20260113_000001.tar.zst.age", Content::tar, Method::zstd, true},
         }) {
        INFO(name);
        const auto reading = repository::reading_of_name(name);
        REQUIRE(reading);
        CHECK(reading->content == content);
        CHECK(reading->method == method);
        CHECK(reading->encrypted == encrypted);
    }
    for (const char* name : {"x", "x.gz", "x.dump.gz", ""}) CHECK_FALSE(repository::reading_of_name(name));
}

TEST_CASE("files outside any set are decoded too") {
    const support::TemporaryDirectory directory;
    struct Row {
        const char* sample;
        const char* name;
    };
    for (const auto& [sample, name] : std::vector<Row>{
             {"pg15-Z6.dump", "a.dump"},
             {"pg15-Z6.dump", "no-extension"},
             {"pg15-6.dir.tar", "a.dir.tar"},
             {"pg15-plain.sql", "a.sql"},
             {"pg15-plain.sql", "plain"},
             {"pg15-globals.sql", "globals_20260113_000001.sql"},
             {"pg15-globals.sql", "all.sql"},  // the other end marker
             {"pg15-globals.sql", "globals"},
         }) {
        INFO(sample << " as " << name);
        const auto bytes = contents(samples / sample);
        REQUIRE_FALSE(bytes.empty());
        const auto verdict = verify_copy(directory / name, bytes);
        INFO(verdict.artifacts.at(0).message);
        CHECK(verdict.ok());
        CHECK(verdict.level == Verification::decoded);
        CHECK(verdict.artifacts.at(0).file == name);
        // The same, cut off.
        CHECK_FALSE(verify_copy(directory / name, bytes.substr(0, bytes.size() - bytes.size() / 3)).ok());
    }
    CHECK(verify_copy(directory / "b.sql.gz", gzip(dump_text())).ok());
    CHECK(verify_copy(directory / "b.gz", gzip("anything")).ok());
    CHECK_FALSE(verify_copy(directory / "b.sql.gz", gzip("anything")).ok());
    CHECK(verify_copy(directory / "empty.dump", "").artifacts.at(0).message == "is empty");
    CHECK(verify_copy(directory / "letter", "hello").artifacts.at(0).message.find("is of no kind") == 0);
}

TEST_CASE("a file's sidecar is believed more than the file") {
    const support::TemporaryDirectory directory;
    const auto bytes = contents(samples / "pg15-Z6.dump");
    const auto hash = codec::sha256_hex(bytes_of(bytes));
    const auto sidecar = directory / "a.dump.sha256";
    write(sidecar, hash + "  a.dump\n");
    CHECK(verify_copy(directory / "a.dump", bytes).ok());
    write(sidecar, hash + " *renamed.dump\n");
    CHECK(verify_copy(directory / "a.dump", bytes).ok());
    write(sidecar, std::string(64, '0') + "  a.dump\n");
    CHECK(verify_copy(directory / "a.dump", bytes).artifacts.at(0).message ==
          "has another SHA-256 than its .sha256 file says");
    write(sidecar, "nonsense\n");
    CHECK(verify_copy(directory / "a.dump", bytes).artifacts.at(0).message == "a.dump.sha256 holds no SHA-256");
}

namespace {

// Encrypted by nothing, with keys that fail in one way or another.
class Opening final : public codec::Check {
  public:
    Opening(std::unique_ptr<codec::Check> content, std::optional<base::Error> failure)
        : content_(std::move(content)), failure_(std::move(failure)) {}
    base::Status write(codec::Bytes bytes) override {
        if (failure_) throw base::Error(*failure_);
        return content_->write(bytes);
    }
    base::Status finish() override { return content_->finish(); }
    [[nodiscard]] const codec::CheckResult& result() const noexcept override { return content_->result(); }

  private:
    std::unique_ptr<codec::Check> content_;
    std::optional<base::Error> failure_;
};

repository::Decrypt opening(std::optional<base::Error> failure = std::nullopt) {
    return [failure](std::string_view method, std::unique_ptr<codec::Check> content) {
        CHECK(method == "age");
        return std::make_unique<Opening>(std::move(content), failure);
    };
}

}  // namespace

TEST_CASE("what is encrypted is decoded by whoever has the keys, and keys speak against no backup") {
    const support::TemporaryDirectory directory;
    const auto bytes = contents(samples / "pg15-Z6.dump");
    const auto file = directory / "a.dump.age";
    write(file, bytes);
    const auto verify = [&](const repository::Decrypt& decrypt) { return repository::verify_file(file, {}, decrypt); };
    CHECK(verify({}).level == Verification::read_back);
    CHECK_FALSE(verify({}).artifacts.at(0).raw_bytes);
    const auto good = verify(opening());
    CHECK(good.level == Verification::decoded);
    CHECK(good.artifacts.at(0).raw_bytes);
    CHECK(good.artifacts.at(0).message.starts_with("decrypted and decoded: "));

    const base::Error other_keys(ErrorCode::authentication_failed, "the keys do not open it");
    const base::Error killed(ErrorCode::program_failed, "age was killed");
    CHECK(error_of([&] { (void)verify(opening(other_keys)); }).message() == "a.dump.age: the keys do not open it");
    CHECK(verify(opening(killed)).finding() == repository::Finding::unread);
    // Damage comes before what the program makes of it.
    write(directory / "a.dump.age.sha256", std::string(64, '0') + "  a.dump.age\n");
    for (const auto& error : {other_keys, killed}) {
        const auto bad = verify(opening(error));
        CHECK(bad.finding() == repository::Finding::bad);
        CHECK(bad.artifacts.at(0).message == "has another SHA-256 than its .sha256 file says");
    }
    std::filesystem::remove(directory / "a.dump.age.sha256");
    write(file, bytes.substr(0, bytes.size() / 2));
    CHECK(verify(opening()).finding() == repository::Finding::bad);
    // What cannot be used at all is told at once.
    const repository::Decrypt none = [](std::string_view,
                                        std::unique_ptr<codec::Check>) -> std::unique_ptr<codec::Check> {
        throw base::Error(ErrorCode::client_missing, "there is no age");
    };
    CHECK(error_of([&] { (void)verify(none); }).message() == "a.dump.age: there is no age");
}

TEST_CASE("what is no file is refused") {
    const support::TemporaryDirectory directory;
    CHECK(error_of([&] { (void)repository::verify_file(directory / "none", {}); }).code() == ErrorCode::not_found);
    CHECK(error_of([&] { (void)repository::verify_file(directory.path(), {}); }).code() == ErrorCode::invalid_argument);
}
