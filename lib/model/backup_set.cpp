#include "model/backup_set.hpp"

#include <algorithm>

#include "model/words.hpp"

namespace pgbakd::model {

std::string_view verification_text(Verification level) noexcept {
    switch (level) {
        case Verification::none: return "none";
        case Verification::hashed: return "hashed";
        case Verification::read_back: return "read back";
        case Verification::decoded: return "decoded";
        case Verification::proven: return "proven";
    }
    return "none";
}

base::Result<Verification> parse_verification(std::string_view text) {
    return parse_word("verification level", text, verification_text,
                      {Verification::none, Verification::hashed, Verification::read_back, Verification::decoded,
                       Verification::proven});
}

base::Status check_artifact_file(std::string_view file) {
    const auto wrong = [file](std::string_view fact) {
        return base::Error(base::ErrorCode::corrupt,
                           fmt::format("the file name \"{}\" {}", base::printable(base::clamp_utf8(file, 255)), fact));
    };
    if (file.empty()) return wrong("is empty");
    if (file.size() > 255) return wrong("is longer than 255 bytes");
    if (file.find('/') != std::string_view::npos) return wrong("leads out of the set's directory");
    if (file.front() == '.') return wrong("begins with a dot");
    if (base::printable(file) != file) return wrong("has control characters or is not UTF-8");
    if (file == manifest_file || file == "pinned" || file == "corrupt" || file.ends_with(".sha256"))
        return wrong("is not one that an artifact can have");
    return {};
}

std::uint64_t BackupSet::bytes() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& artifact : artifacts) sum += artifact.bytes;
    return sum;
}

Verification BackupSet::verified() const noexcept {
    const auto lowest = std::min_element(artifacts.begin(), artifacts.end(),
                                         [](const Artifact& a, const Artifact& b) { return a.verified < b.verified; });
    return lowest == artifacts.end() ? Verification::none : lowest->verified;
}

}  // namespace pgbakd::model
