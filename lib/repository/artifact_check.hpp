// One pass over one file: its size, its SHA-256, and its content decoded to the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "codec/check.hpp"
#include "repository/repository.hpp"

namespace pgbakd::repository {

// How a file's bytes are to be decoded.
struct Reading {
    codec::Content content = codec::Content::raw;
    codec::Method method = codec::Method::none;
    bool encrypted = false;
    std::string encryption{};  // "age", "gpg"
};
// The check of it; null where it is encrypted and there are no keys. Errors: those of `decrypt`.
[[nodiscard]] std::unique_ptr<codec::Check> check_of(const Reading& reading, const Decrypt& decrypt);

// By kind and format of the manifest, and by the file's name for its outer compression.
[[nodiscard]] Reading reading_of(const model::Artifact& artifact);
// By the name alone: .dump, .dir.tar, .tar, .sql, .sql.gz, .sql.zst, with .age or .gpg behind, and
// backup_manifest_….json. Nothing for other names.
[[nodiscard]] std::optional<Reading> reading_of_name(std::string_view name);
// By the first bytes: a custom archive, SQL, gzip or zstd. Nothing for others.
[[nodiscard]] std::optional<Reading> reading_of_bytes(std::string_view head);

struct Expected {
    std::optional<std::uint64_t> bytes;
    std::string sha256;   // empty: not known
    std::string sidecar;  // the hash the sidecar says; empty: no sidecar
};

// No sidecar is longer.
inline constexpr std::size_t largest_sidecar = 4096;

// Counts across the files of a set and asks whether to go on.
class Reporter {
  public:
    explicit Reporter(const Progress& progress) : progress_(progress) {}
    // Throws Error (cancelled) if it is to stop.
    void add(std::uint64_t bytes);

  private:
    const Progress& progress_;
    std::uint64_t total_ = 0;
};

// What an error met while reading says of the file: damage is bad, a system that refuses tells nothing.
[[nodiscard]] Finding finding_of(const base::Error& error) noexcept;

// `verdict.message` is what was found: "decoded: 12 tables, 1.2 MiB raw", or what is wrong. Throws cancelled, what
// check_of() throws, and authentication_failed.
[[nodiscard]] ArtifactVerdict check_file(const std::filesystem::path& file, const Reading& reading,
                                         const Expected& expected, Reporter& reporter, const Decrypt& decrypt = {});

// The hash in the sidecar beside `file`; empty if there is no sidecar. Errors: corrupt if it is none; what reading
// brings.
[[nodiscard]] base::Result<std::string> read_sidecar(const std::filesystem::path& file);

// What is wrong with what the manifest tells of an artifact's content, under the manifest's name; nothing if it is
// right or does not tell.
[[nodiscard]] std::optional<ArtifactVerdict> check_raw_bytes(const model::Artifact& artifact,
                                                             const ArtifactVerdict& found);

// What is wrong with the sidecar beside an artifact of that hash, under the sidecar's name; nothing if `sha256sum -c`
// would check the artifact by it.
[[nodiscard]] std::optional<ArtifactVerdict> check_sidecar_of(const std::filesystem::path& file,
                                                              const std::string& sha256);

}  // namespace pgbakd::repository
