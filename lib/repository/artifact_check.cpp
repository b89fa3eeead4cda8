#include "repository/artifact_check.hpp"

#include <fmt/format.h>

#include <span>
#include <vector>

#include "base/units.hpp"
#include "codec/sha256.hpp"
#include "model/names.hpp"
#include "os/file.hpp"
#include "repository/names.hpp"

namespace pgbakd::repository {
namespace {

using base::Error;
using base::ErrorCode;
using codec::Content;
using codec::Method;

constexpr std::size_t read_size = std::size_t{1} << 20U;

bool cut_end(std::string_view& name, std::string_view extension) {
    if (!name.ends_with(extension)) return false;
    name.remove_suffix(extension.size());
    return true;
}

Method method_of_name(std::string_view& name) {
    if (cut_end(name, codec::file_extension(Method::gzip))) return Method::gzip;
    if (cut_end(name, codec::file_extension(Method::zstd))) return Method::zstd;
    return Method::none;
}

std::string found_text(const Reading& reading, const codec::CheckResult& result) {
    const auto raw = base::format_size(result.raw_bytes);
    switch (reading.content) {
        case Content::custom_archive:
        case Content::directory_archive:
            return fmt::format("decoded: {} {} with data, {} raw", result.tables_with_data,
                               result.tables_with_data == 1 ? "table" : "tables", raw);
        case Content::tar:
        case Content::taosdump:
            return fmt::format("decoded: {} {}, {} raw", result.members, result.members == 1 ? "file" : "files", raw);
        case Content::backup_manifest:
            return fmt::format("decoded: {} {} named, its own checksum is right", result.members,
                               result.members == 1 ? "file" : "files");
        case Content::plain_dump:
        case Content::plain_globals:
        case Content::raw: break;
    }
    return fmt::format("decoded: {} raw", raw);
}

// What one pass over the file brought.
struct Pass {
    std::uint64_t bytes = 0;
    std::string sha256;
    base::Status decoded;
    codec::CheckResult result;
    bool was_checked = false;
    std::optional<Error> unknown;  // why the content could not be checked, which says nothing of it
};

// What the check throws is kept: the file may be damaged, and then that is the cause.
template <class Step>
void take_step(Pass& pass, const Step& step) {
    if (!pass.decoded || pass.unknown) return;
    try {
        pass.decoded = step();
    } catch (const Error& error) {
        pass.unknown = error;
    }
}

Pass read_through(const std::filesystem::path& file, codec::Check* check, Reporter& reporter) {
    const auto input = os::open_for_reading(file);
    Pass pass;
    codec::Sha256 hash;
    pass.was_checked = check != nullptr;
    std::vector<std::byte> buffer(read_size);
    for (;;) {
        const auto count = os::read_some(input, buffer, file);
        if (count == 0) break;
        const auto bytes = std::span<const std::byte>(buffer).first(count);
        hash.update(bytes);
        // After the first failure only the hash goes on: it tells a file that changed on disk from one that never was
        // right.
        if (check) take_step(pass, [&] { return check->write(bytes); });
        // Read once; what the database has in the page cache is worth more.
        os::drop_from_cache(input, pass.bytes, count);
        pass.bytes += count;
        reporter.add(count);
    }
    if (check) take_step(pass, [&] { return check->finish(); });
    if (check && pass.decoded && !pass.unknown) pass.result = check->result();
    pass.sha256 = hash.hex_digest();
    return pass;
}

std::string what_is_wrong(const Pass& pass, const Expected& expected) {
    std::string fact;
    if (expected.bytes && pass.bytes != *expected.bytes)
        fact = fmt::format("has a size of {} instead of {} bytes", pass.bytes, *expected.bytes);
    else if (!expected.sha256.empty() && pass.sha256 != expected.sha256)
        fact = "has changed since it was written: its SHA-256 is not that of the manifest";
    else if (!expected.sidecar.empty() && pass.sha256 != expected.sidecar)
        fact = "has another SHA-256 than its .sha256 file says";
    else if (pass.bytes == 0)
        fact = "is empty";
    if (!pass.decoded) {
        if (!fact.empty()) fact += "; ";
        fact += pass.decoded.error().message();
    }
    return fact;
}

std::string good_text(const Reading& reading, const Pass& pass) {
    if (!pass.was_checked)
        return fmt::format("read back: {}; encrypted, so not decoded", base::format_size(pass.bytes));
    return (reading.encrypted ? "decrypted and " : "") + found_text(reading, pass.result);
}

}  // namespace

std::unique_ptr<codec::Check> check_of(const Reading& reading, const Decrypt& decrypt) {
    if (reading.encrypted && !decrypt) return nullptr;
    auto check = codec::make_check(reading.content, reading.method);
    return reading.encrypted ? decrypt(reading.encryption, std::move(check)) : std::move(check);
}

Reading reading_of(const model::Artifact& artifact) {
    Reading reading{Content::raw, Method::none, !artifact.encryption.empty(), artifact.encryption};
    std::string_view name = artifact.file;
    if (reading.encrypted) cut_end(name, "." + artifact.encryption);
    reading.method = method_of_name(name);
    if (artifact.kind == "globals")
        reading.content = Content::plain_globals;
    else if (artifact.format == "custom")
        reading.content = Content::custom_archive;
    else if (artifact.format == "directory")
        reading.content = Content::directory_archive;
    else if (artifact.format == "plain")
        reading.content = Content::plain_dump;
    else if (artifact.format == "tar")
        reading.content = Content::tar;
    else if (artifact.format == "backup_manifest")
        reading.content = Content::backup_manifest;
    else if (artifact.format == "taosdump")
        reading.content = Content::taosdump;
    return reading;
}

std::optional<Reading> reading_of_name(std::string_view name) {
    Reading reading;
    for (const char* method : {"age", "gpg"}) {
        if (reading.encrypted || !cut_end(name, std::string(".") + method)) continue;
        reading.encrypted = true;
        reading.encryption = method;
    }
    reading.method = method_of_name(name);
    if (cut_end(name, ".sql")) {
        constexpr std::string_view globals = "globals_";
        const bool is_globals = name.starts_with(globals) && model::is_set_name(name.substr(globals.size()));
        reading.content = is_globals ? Content::plain_globals : Content::plain_dump;
        return reading;
    }
    if (name.ends_with(".json") && name.starts_with("backup_manifest_")) {
        reading.content = Content::backup_manifest;
        return reading;
    }
    if (name.ends_with(".tar") && !name.ends_with(".dir.tar")) {
        reading.content = Content::tar;
        return reading;
    }
    if (reading.method != Method::none) return reading.encrypted ? std::optional(reading) : std::nullopt;
    if (name.ends_with(".dump"))
        reading.content = Content::custom_archive;
    else if (name.ends_with(".dir.tar"))
        reading.content = Content::directory_archive;
    else if (!reading.encrypted)
        return std::nullopt;
    return reading;
}

std::optional<Reading> reading_of_bytes(std::string_view head) {
    using namespace std::string_view_literals;
    if (head.starts_with("PGDMP")) return Reading{Content::custom_archive, Method::none, false};
    if (head.starts_with("\x1f\x8b"sv)) return Reading{Content::raw, Method::gzip, false};          // RFC 1952
    if (head.starts_with("\x28\xb5\x2f\xfd"sv)) return Reading{Content::raw, Method::zstd, false};  // RFC 8878
    if (head.starts_with("--\n-- PostgreSQL database cluster dump\n"))
        return Reading{Content::plain_globals, Method::none, false};
    if (head.starts_with("--\n-- PostgreSQL database dump\n")) return Reading{Content::plain_dump, Method::none, false};
    return std::nullopt;
}

void Reporter::add(std::uint64_t bytes) {
    total_ += bytes;
    if (progress_ && !progress_(total_)) throw Error(ErrorCode::cancelled, "the verification was stopped");
}

Finding finding_of(const Error& error) noexcept {
    switch (error.code()) {
        case ErrorCode::corrupt:
        case ErrorCode::invalid_argument:  // larger than anything of its kind
        case ErrorCode::not_found: return Finding::bad;
        default: return Finding::unread;
    }
}

ArtifactVerdict check_file(const std::filesystem::path& file, const Reading& reading, const Expected& expected,
                           Reporter& reporter, const Decrypt& decrypt) {
    ArtifactVerdict verdict{file.filename().native(), Finding::bad, {}, {}};
    std::unique_ptr<codec::Check> check;
    try {
        check = check_of(reading, decrypt);
    } catch (const Error& error) {
        throw Error(error.during(verdict.file));
    }
    try {
        const auto pass = read_through(file, check.get(), reporter);
        verdict.message = what_is_wrong(pass, expected);
        if (verdict.message.empty() && pass.unknown) throw Error(*pass.unknown);
        if (verdict.message.empty()) {
            verdict.finding = Finding::good;
            if (pass.was_checked) verdict.raw_bytes = pass.result.raw_bytes;
            verdict.message = good_text(reading, pass);
        }
    } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) throw;
        // All of the others are for the same keys.
        if (error.code() == ErrorCode::authentication_failed) throw Error(error.during(verdict.file));
        verdict.finding = finding_of(error);
        verdict.message = error.message();
    }
    return verdict;
}

base::Result<std::string> read_sidecar(const std::filesystem::path& file) {
    const std::filesystem::path sidecar = file.native() + std::string(sidecar_extension);
    try {
        if (const auto found = os::target_status(sidecar); !found || !found->is_regular) return std::string();
        if (auto hash = sidecar_hash(os::read_file(sidecar, largest_sidecar))) return std::move(*hash);
        return Error(ErrorCode::corrupt, sidecar.filename().native() + " holds no SHA-256");
    } catch (const Error& error) {
        return error;
    }
}

std::optional<ArtifactVerdict> check_raw_bytes(const model::Artifact& artifact, const ArtifactVerdict& found) {
    // 0: a manifest that does not tell.
    if (artifact.raw_bytes == 0 || !found.raw_bytes || *found.raw_bytes == artifact.raw_bytes) return std::nullopt;
    return ArtifactVerdict{std::string(model::manifest_file),
                           Finding::bad,
                           fmt::format("tells {} bytes before compression of {}, but {} were decoded",
                                       artifact.raw_bytes, artifact.file, *found.raw_bytes),
                           {}};
}

std::optional<ArtifactVerdict> check_sidecar_of(const std::filesystem::path& file, const std::string& sha256) {
    const std::filesystem::path sidecar = file.native() + std::string(sidecar_extension);
    ArtifactVerdict verdict{sidecar.filename().native(), Finding::bad, {}, {}};
    try {
        const auto found = os::target_status(sidecar);
        const auto status =
            !found ? base::Status(Error(ErrorCode::corrupt, "is missing"))
                   : check_sidecar(os::read_file(sidecar, largest_sidecar), sha256, file.filename().native());
        if (status) return std::nullopt;
        verdict.message = status.error().message();
    } catch (const Error& error) {
        verdict.finding = finding_of(error);
        verdict.message = error.message();
    }
    return verdict;
}

}  // namespace pgbakd::repository
