// The verdict on a set, or on a file that belongs to none.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "os/file.hpp"
#include "repository/artifact_check.hpp"

namespace pgbakd::repository {
namespace {

using base::Error;
using base::ErrorCode;
using model::Verification;

ArtifactVerdict verify_artifact(const StoredSet& set, const model::Artifact& artifact, Reporter& reporter,
                                const Decrypt& decrypt) {
    const auto file = set.directory / artifact.file;
    try {
        const auto found = os::file_status(file);
        if (!found) return {artifact.file, Finding::bad, "is missing", {}};
        // A link or a pipe is none of ours, whatever is behind it.
        if (!found->is_regular) return {artifact.file, Finding::bad, "is not a regular file", {}};
    } catch (const Error& error) {
        return {artifact.file, finding_of(error), error.message(), {}};
    }
    // The manifest is believed, not the sidecar: that is for those who have no pgbakd.
    return check_file(file, reading_of(artifact), {artifact.bytes, artifact.sha256, {}}, reporter, decrypt);
}

// Only of an artifact that is good: else there is nothing that they could be held against.
void look_beside(const StoredSet& set, const model::Artifact& artifact, Verdict& verdict) {
    const auto& found = verdict.artifacts.back();
    if (!found.ok()) return;
    if (auto wrong = check_sidecar_of(set.directory / artifact.file, artifact.sha256))
        verdict.beside.push_back(std::move(*wrong));
    if (auto wrong = check_raw_bytes(artifact, found)) verdict.beside.push_back(std::move(*wrong));
}

Verification level_of(const Reading& reading, const Decrypt& decrypt) {
    return reading.encrypted && !decrypt ? Verification::read_back : Verification::decoded;
}

std::string first_bytes(const std::filesystem::path& file) {
    std::array<char, 512> head{};
    const auto input = os::open_for_reading(file);
    const auto count = os::read_some(input, std::as_writable_bytes(std::span(head)), file);
    return {head.data(), count};
}

// A dump whose name says SQL but not of what: the other end marker is accepted too. A second pass, so only where the
// first one failed.
bool may_be_globals(const Reading& reading, const ArtifactVerdict& verdict) {
    return verdict.finding == Finding::bad && reading.content == codec::Content::plain_dump;
}

}  // namespace

Finding Verdict::finding() const noexcept {
    auto worst = artifacts.empty() ? Finding::bad : Finding::good;
    for (const auto& artifact : artifacts) worst = std::max(worst, artifact.finding);
    return worst;
}

Verdict verify(const StoredSet& set, const Progress& progress, const Decrypt& decrypt) {
    Verdict verdict;
    if (set.manifest.artifacts.empty()) {
        const auto fact = set.problem.empty() ? std::string("lists no artifact") : set.problem;
        const bool unread = set.unreadable && !set.manifest_damaged;
        verdict.artifacts.push_back(
            {std::string(model::manifest_file), unread ? Finding::unread : Finding::bad, fact, {}});
        return verdict;
    }
    Reporter reporter(progress);
    verdict.level = Verification::decoded;
    for (const auto& artifact : set.manifest.artifacts) {
        verdict.artifacts.push_back(verify_artifact(set, artifact, reporter, decrypt));
        look_beside(set, artifact, verdict);
        verdict.level = std::min(verdict.level, level_of(reading_of(artifact), decrypt));
    }
    if (!verdict.ok()) verdict.level = Verification::none;
    return verdict;
}

Verdict verify_file(const std::filesystem::path& file, const Progress& progress, const Decrypt& decrypt) {
    const auto found = os::target_status(file);
    if (!found) throw Error(ErrorCode::not_found, fmt::format("there is no file {}", file.native()));
    if (!found->is_regular)
        throw Error(ErrorCode::invalid_argument, fmt::format("{} is not a regular file", file.native()),
                    found->is_directory ? "a backup set is named JOB/20260113_000001" : "");
    const auto name = file.filename().native();
    Verdict verdict;
    const auto refuse = [&](std::string message, Finding finding = Finding::bad) {
        verdict.artifacts.push_back({name, finding, std::move(message), {}});
        return verdict;
    };
    auto reading = reading_of_name(name);
    if (!reading) reading = reading_of_bytes(first_bytes(file));
    if (found->size == 0) return refuse("is empty");
    if (!reading) return refuse("is of no kind that can be checked: neither its name nor its content tells one");
    const auto sidecar = read_sidecar(file);
    if (!sidecar) return refuse(sidecar.error().message(), finding_of(sidecar.error()));

    const Expected expected{std::nullopt, {}, *sidecar};
    Reporter reporter(progress);
    verdict.artifacts.push_back(check_file(file, *reading, expected, reporter, decrypt));
    if (may_be_globals(*reading, verdict.artifacts.back())) {
        reading->content = codec::Content::plain_globals;
        auto second = check_file(file, *reading, expected, reporter, decrypt);
        if (second.ok()) verdict.artifacts.back() = std::move(second);
    }
    if (verdict.ok()) verdict.level = level_of(*reading, decrypt);
    return verdict;
}

}  // namespace pgbakd::repository
