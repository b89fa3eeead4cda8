#include "source/files_links.hpp"

namespace pgbakd::source {

const std::string* FilesLinks::find(const struct stat& file) {
    const auto found = held_.find(key_of(file));
    if (found == held_.end()) return nullptr;
    if (--found->second.missing > 0) return &found->second.member;
    last_ = std::move(found->second.member);
    used_ -= last_.size() + overhead;
    held_.erase(found);
    return &last_;
}

void FilesLinks::add(const struct stat& file, const std::string& member) {
    if (file.st_nlink < 2 || used_ + member.size() + overhead > limit_) return;
    const auto [at, is_new] = held_.try_emplace(key_of(file), Held{member, file.st_nlink - 1});
    if (is_new) used_ += member.size() + overhead;
}

}  // namespace pgbakd::source
