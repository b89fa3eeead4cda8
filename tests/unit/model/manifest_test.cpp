#include "unit/model/support.hpp"

using namespace pgbakd;
using base::ErrorCode;

namespace {

// The full manifest with one member replaced, by its JSON text.
std::string with(std::string_view pointer, std::string_view value) {
    auto manifest = boost::json::value(model::json_manifest(full_set()));
    manifest.at_pointer(boost::json::string_view(pointer.data(), pointer.size())) =
        model::parse_json(value, 10'000).value();
    return model::pretty(manifest);
}

}  // namespace

TEST_CASE("a manifest says what it said, after a round trip") {
    const auto set = full_set();
    const auto text = model::to_manifest(set);
    CHECK(text.back() == '\n');
    const auto read = model::parse_manifest(text);
    REQUIRE(read);
    CHECK(model::to_manifest(*read) == text);

    CHECK(read->id == set.id);
    CHECK(read->run == set.run);
    CHECK(read->started_at == set.started_at);
    CHECK(read->started_at_local == set.started_at_local);
    CHECK(read->finished_at == set.finished_at);
    CHECK(read->milestone == "phase2");
    CHECK_FALSE(read->complete);
    CHECK(read->missing.at(0).reason == set.missing.at(0).reason);
    CHECK(read->source.databases == set.source.databases);
    CHECK(read->source.server_version_number == 150008);
    CHECK(read->artifacts.at(0).bytes == set.artifacts.at(0).bytes);
    CHECK(read->artifacts.at(0).verified == model::Verification::decoded);
    CHECK(read->databases.at(0).fingerprint == set.databases.at(0).fingerprint);
    CHECK(read->databases.at(0).fingerprinted);
    CHECK(read->databases.at(0).properties == set.databases.at(0).properties);
    CHECK_FALSE(read->databases.at(1).properties);
    CHECK_FALSE(read->databases.at(1).fingerprinted);
    CHECK_FALSE(read->databases.at(0).rows);
    CHECK(read->databases.at(1).rows == 12'345'678'901U);
    CHECK(read->restore_order == set.restore_order);
    CHECK(read->stock_restore == set.stock_restore);
    CHECK(read->system.pgbakd_version == "0.1.0");
}

TEST_CASE("a manifest has the keys that its readers rely on") {
    const auto manifest = model::parse_json(model::to_manifest(full_set()), 100'000).value();
    const auto text = [&](const char* pointer) {
        return std::string(manifest.at_pointer(pointer).as_string().c_str());
    };
    CHECK(text("/format") == "pgbakd-set/1");
    CHECK(text("/set") == "shop-daily/20260113_000001");
    CHECK(text("/job") == "shop-daily");
    CHECK(text("/started_at") == "2026-01-13T00:00:01+08:00");
    CHECK(text("/started_at_utc") == "2026-01-12T16:00:01.250Z");
    CHECK(text("/artifacts/0/verified") == "decoded");
    CHECK(manifest.at_pointer("/artifacts/1/database").is_null());
    CHECK(manifest.at_pointer("/artifacts/1/encryption").is_null());
    CHECK(text("/databases/0/fingerprint/0/name") == "items");
    CHECK(manifest.at_pointer("/databases/0/fingerprint/0/rows") == boost::json::value(12));
    CHECK(manifest.at_pointer("/databases/1/fingerprint").is_null());
    CHECK(manifest.at_pointer("/databases/0/rows").is_null());
    CHECK(manifest.at_pointer("/databases/1/rows") == boost::json::value(12'345'678'901U));
    CHECK(text("/system/hostname") == "db1.example");
}

TEST_CASE("a manifest of a base backup says what restoring it needs to know") {
    auto set = full_set();
    CHECK(model::to_manifest(set).find("base_backup") == std::string::npos);
    set.source.base_backup = model::BaseBackupFacts{
        "16/B374D848", 7, "16/B4000000", 8, {{4'294'967'295U, "schnell", "/srv/pg/größe"}, {16400, "", "/b"}}};
    const auto text = model::to_manifest(set);
    const auto read = model::parse_manifest(text);
    REQUIRE(read);
    CHECK(read->source.base_backup == set.source.base_backup);
    CHECK(model::to_manifest(*read) == text);
    const auto json = model::parse_json(text, 100'000).value();
    CHECK(json.at_pointer("/source/base_backup/start_lsn") == boost::json::value("16/B374D848"));
    CHECK(json.at_pointer("/source/base_backup/tablespaces/0/location") == boost::json::value("/srv/pg/größe"));
    CHECK(json.at_pointer("/source/base_backup/tablespaces/1/name").is_null());
    const auto wrong = model::parse_manifest(with("/source/system_identifier", "7"));
    CHECK_FALSE(wrong);
}

TEST_CASE("a set's size and its level of verification are those of its artifacts") {
    auto set = full_set();
    set.artifacts.at(0).bytes = 10;
    CHECK(set.bytes() == 17);
    CHECK(set.verified() == model::Verification::hashed);
    set.artifacts.at(1).verified = model::Verification::proven;
    CHECK(set.verified() == model::Verification::decoded);
    set.artifacts.clear();
    CHECK(set.verified() == model::Verification::none);
    CHECK(set.bytes() == 0);
}

TEST_CASE("any database's name comes through, if it is UTF-8") {
    for (const std::string name : {"a b", "größe", "数据库", "\"; DROP", "a\nb\tc\x01", "\\u0041", "%41", "🦣"}) {
        auto set = full_set();
        set.artifacts.at(0).database = name;
        set.databases.at(0).database = name;
        set.source.databases = {name};
        const auto read = model::parse_manifest(model::to_manifest(set)).value();
        CHECK(read.artifacts.at(0).database == name);
        CHECK(read.databases.at(0).database == name);
        CHECK(read.source.databases.at(0) == name);
    }
    auto set = full_set();
    set.source.databases = {
        "gr\xf6\xdf"
        "e"};
    CHECK(model::parse_manifest(model::to_manifest(set)).value().source.databases.at(0) == "gr%F6%DFe");
}

TEST_CASE("keys that a newer pgbakd adds are ignored, a newer format is not") {
    auto manifest = model::json_manifest(full_set());
    manifest["later"] = boost::json::array{1, 2};
    manifest["artifacts"].as_array().at(0).as_object()["later"] = "x";
    CHECK(model::parse_manifest(model::pretty(manifest)));

    const auto newer = model::parse_manifest(with("/format", "\"pgbakd-set/2\""));
    REQUIRE_FALSE(newer);
    CHECK(newer.error().code() == ErrorCode::unsupported);
    CHECK(newer.error().message() == "the manifest has the format pgbakd-set/2; known is pgbakd-set/1");
}

TEST_CASE("a manifest that is not one is refused, with the place") {
    struct Row {
        std::string pointer, value, message;
    };
    for (const auto& [pointer, value, message] : std::vector<Row>{
             {"/format", "\"tar\"", "manifest.format: \"tar\" is no format of a manifest"},
             {"/format", "null", "manifest.format: is missing"},
             {"/format", "1", "manifest.format: is not a text"},
             {"/set", "\"shop-daily/latest\"", "manifest.set: \"latest\" names no set"},
             {"/set", "\"shop-daily/../x\"", "manifest.set: "},
             {"/job", "\"other\"", "manifest.job: differs from the job in \"set\""},
             {"/run", "\"x\"", "manifest.run: "},
             {"/started_at", "null", "manifest.started_at: is missing"},
             {"/started_at", "\"yesterday\"", "manifest.started_at: "},
             {"/complete", "1", "manifest.complete: is neither true nor false"},
             {"/source", "[]", "manifest.source is not a JSON object"},
             {"/source/databases", "[1]", "manifest.source.databases: holds something that is not a text"},
             {"/source/server_version_number", "3000000000", "manifest.source.server_version_number: is too large"},
             {"/artifacts", "null", "manifest.artifacts: is missing"},
             {"/artifacts", "{}", "manifest.artifacts: is not a list"},
             {"/artifacts", "[1]", "manifest.artifacts[0] is not a JSON object"},
             {"/artifacts/1/bytes", "-1", "manifest.artifacts[1].bytes: is not a whole number of at least 0"},
             {"/artifacts/1/bytes", "1.5", "manifest.artifacts[1].bytes: is not a whole number of at least 0"},
             {"/artifacts/1/bytes", "null", "manifest.artifacts[1].bytes: is missing"},
             {"/artifacts/1/sha256", "\"AA\"", "manifest.artifacts[1].sha256: is not a SHA-256"},
             {"/artifacts/1/verified", "\"maybe\"", "manifest.artifacts[1].verified: \"maybe\" is no verification"},
             {"/artifacts/1/file", "\"../../etc/passwd\"", "manifest.artifacts[1].file: the file name"},
             {"/artifacts/1/file", "\"a\\u0000b\"", "manifest.artifacts[1].file: the file name"},
             {"/artifacts/1/file", "\"manifest.json\"", "manifest.artifacts[1].file: the file name"},
             {"/artifacts/1/file", "\"sh%C3%B6p_20260113_000001.dump\"", "manifest.artifacts: \"sh%C3%B6p"},
             {"/restore_order", "[\"../x\"]", "manifest.restore_order: \"../x\" is no artifact of the set"},
             {"/databases/0/fingerprint/1/rows", "\"12\"", "manifest.databases[0].fingerprint[1].rows: is not a whole"},
             {"/databases/0/fingerprint/1/schema", "null", "manifest.databases[0].fingerprint[1].schema: is missing"},
         }) {
        INFO(pointer << " = " << value);
        const auto read = model::parse_manifest(with(pointer, value));
        REQUIRE_FALSE(read);
        CHECK(read.error().code() == ErrorCode::corrupt);
        INFO(read.error().message());
        CHECK(read.error().message().find(message) == 0);
    }
}

TEST_CASE("half a manifest is refused wherever it ends") {
    const auto text = model::to_manifest(full_set());
    for (std::size_t length = 0; length + 2 < text.size(); length += 7) {
        const auto read = model::parse_manifest(std::string_view(text).substr(0, length));
        REQUIRE_FALSE(read);
        CHECK(read.error().code() == ErrorCode::corrupt);
    }
    for (const char* other : {"null", "[]", "1", "\"x\"", "{}"}) CHECK_FALSE(model::parse_manifest(other));
}

TEST_CASE("a set in a list") {
    const auto object = model::json_set(full_set());
    CHECK(object.at("set").as_string() == "shop-daily/20260113_000001");
    CHECK(object.at("started_at").as_string() == "2026-01-12T16:00:01.250Z");
    CHECK(object.at("verified").as_string() == "hashed");
    CHECK(object.at("artifacts").as_array().size() == 2);
    CHECK_FALSE(object.contains("databases"));
}
