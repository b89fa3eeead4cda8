// What the tests of lib/config share: a host that stands still, and texts in and out.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/zone_database.hpp"
#include "config/config.hpp"

namespace pgbakd::config::testing {

inline std::filesystem::path source_directory() {
#ifdef PGBAKD_SOURCE_DIR
    return PGBAKD_SOURCE_DIR;
#else
    const char* directory = std::getenv("PGBAKD_SOURCE_DIR");
    if (directory == nullptr) throw std::runtime_error("set PGBAKD_SOURCE_DIR to the top of the source tree");
    return directory;
#endif
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) throw std::runtime_error("cannot read " + path.string());
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

// 2026-01-10 00:00 UTC, in Shanghai, with the zones that lie beside the tests.
inline Host host() {
    static calendar::ZoneDatabase zones(source_directory() / "tests/data/zoneinfo");
    const auto find = [](std::string_view name) -> base::Result<calendar::ZonePtr> {
        if (auto zone = zones.find(name)) return zone;
        return base::Error(base::ErrorCode::not_found, "no time zone named \"" + std::string(name) + "\"");
    };
    return {find, "Asia/Shanghai", calendar::parse_rfc3339("2026-01-10T00:00:00Z").value()};
}

inline LoadResult load_text(std::string text) {
    return load({{"/etc/pgbakd.yaml", std::move(text), false}}, host());
}

inline std::string texts(const LoadResult& result) {
    std::string all;
    for (const auto& problem : result.problems) all += problem_text(problem) + "\n";
    return all;
}

inline std::string problems_of(std::string text) {
    return texts(load_text(std::move(text)));
}

struct TextAndProblems {
    std::string text;
    std::string expected;  // from the line on; empty: right
};
inline void check_problems(const std::vector<TextAndProblems>& rows) {
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(problems_of(row.text) == (row.expected.empty() ? "" : "/etc/pgbakd.yaml:" + row.expected + "\n"));
    }
}

// The configuration of a text that must be right.
inline std::shared_ptr<const Config> config_of(std::string text) {
    const auto result = load_text(std::move(text));
    if (!result.config) throw std::runtime_error(texts(result));
    return result.config;
}

// The source of the only job, which must be pg_dump.
inline const model::PgDumpSource& dump_of(const model::JobSpec& job) {
    return std::get<model::PgDumpSource>(job.source);
}

// A whole configuration with one job, "j", that has these lines besides the required ones.
inline std::string with_job(std::string_view lines, std::string_view source = {}) {
    return "servers: {local: {}}\njobs:\n  j:\n    schedule: daily at 02:00\n    source: {type: pg_dump, server: "
           "local, "
           "databases: all" +
           std::string(source) + "}\n    " + std::string(lines) + "\n";
}

// A whole configuration with these lines above it.
inline std::string with_top(std::string_view lines) {
    return std::string(lines) + "\n" + with_job("");
}

// A server "main" with these keys.
inline std::string with_server(std::string_view keys) {
    return "servers: {local: {}, main: {" + std::string(keys) + "}}\n" + with_job("").substr(21);
}

}  // namespace pgbakd::config::testing
