// What the tests of lib/repository share: artifacts that decode, and sets made of them.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include "codec/compress.hpp"
#include "codec/sha256.hpp"
#include "os/file.hpp"
#include "repository/repository.hpp"
#include "support/common.hpp"
#include "support/error_of.hpp"
#include "support/temporary_directory.hpp"

namespace pgbakd::testing {

inline std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline void write(const std::filesystem::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline codec::Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string gzip(std::string_view text) {
    const auto piece = codec::PieceCompressor({codec::Method::gzip, 6}).compress(bytes_of(text));
    return {reinterpret_cast<const char*>(piece.data()), piece.size()};
}

inline std::string dump_text() {
    return "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.items (id integer);\n\n"
           "--\n-- PostgreSQL database dump complete\n--\n\n";
}

inline std::string globals_text() {
    return "--\n-- PostgreSQL database cluster dump\n--\n\nCREATE ROLE shop;\n\n"
           "--\n-- PostgreSQL database cluster dump complete\n--\n\n";
}

inline model::Artifact artifact(const std::string& file, const std::string& kind, std::string_view bytes) {
    model::Artifact result;
    result.file = file;
    result.kind = kind;
    result.database = kind == "database" ? "shop" : "";
    result.format = "plain";
    result.bytes = bytes.size();
    result.sha256 = codec::sha256_hex(bytes_of(bytes));
    result.compression = "gzip:6";
    result.verified = model::Verification::decoded;
    return result;
}

// A set that began then, as a run would describe it, its two artifacts written into the partial directory.
inline model::BackupSet fill(const repository::Repository::Partial& partial, base::Timestamp started_at) {
    model::BackupSet set;
    set.id = partial.id;
    std::array<std::byte, 10> random{};
    random[0] = static_cast<std::byte>(started_at.time_since_epoch().count() % 251);
    set.run = base::RunId::make(started_at, random);
    set.trigger = "schedule";
    set.started_at = started_at;
    set.finished_at = started_at + std::chrono::seconds(3);
    for (const auto& [name, kind, text] : {std::tuple<std::string, std::string, std::string>{
                                               "shop_" + partial.id.set + ".sql.gz", "database", dump_text()},
                                           {"globals_" + partial.id.set + ".sql.gz", "globals", globals_text()}}) {
        const auto bytes = gzip(text);
        os::write_new_file(partial.directory / name, bytes);
        set.artifacts.push_back(artifact(name, kind, bytes));
        set.restore_order.push_back(name);
    }
    return set;
}

inline base::Timestamp at(std::string_view text) {
    return base::Timestamp(calendar::parse_rfc3339(text).value());
}

// After all sets that the tests make, but for those that are meant to be in the future.
inline const base::Timestamp today = at("2026-02-01T00:00:00Z");

// A whole set of a job, committed.
inline model::SetId add_set(const repository::Repository& repository, const std::string& job,
                            std::string_view started_at, bool complete = true) {
    const auto time = at(started_at);
    const auto partial = repository.begin(job, model::set_name(base::to_instant(time), *calendar::Zone::utc()));
    auto set = fill(partial, time);
    set.complete = complete;
    repository.commit(partial, set);
    return partial.id;
}

// A repository of its own.
struct Place {
    support::TemporaryDirectory directory;
    repository::Repository repository{directory / "repository"};
    Place() { repository.prepare(); }
    [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& path) const {
        return repository.directory() / path;
    }
};

}  // namespace pgbakd::testing
