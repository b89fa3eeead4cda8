#include "source/directory_tar.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "os/file.hpp"

namespace pgbakd::source {
namespace {

constexpr std::size_t step = std::size_t{256} << 10U;
// pg_dump makes no directory in its own, and taosdump two levels of them.
constexpr std::size_t deepest = 16;

}  // namespace

DirectoryTar::DirectoryTar(std::filesystem::path directory, std::string first, std::string maker)
    : top_(std::move(directory)),
      first_(std::move(first)),
      maker_(std::move(maker)),
      buffer_(step),
      writer_(collector_) {
    enter(top_);
    // So that who reads the tar knows at once what must follow.
    auto& names = levels_.front().names;
    const auto found = std::find(names.begin(), names.end(), first_);
    if (found != names.end()) std::rotate(names.begin(), found, found + 1);
}

std::vector<std::byte> DirectoryTar::next() {
    // A dump may be a hundred thousand small files.
    while (collector_.data.size() < step && !ended_) advance();
    return std::exchange(collector_.data, {});
}

void DirectoryTar::enter(std::filesystem::path directory) {
    if (levels_.size() == deepest)
        throw base::Error(base::ErrorCode::corrupt, maker_ + " left a tree that is too deep: " + directory.string());
    auto names = os::list_directory(directory);
    levels_.push_back({std::move(directory), std::move(names)});
}

void DirectoryTar::advance() {
    if (file_) return read();
    if (levels_.empty()) {
        writer_.finish().value();
        ended_ = true;
        return;
    }
    auto& level = levels_.back();
    if (level.next == level.names.size())
        levels_.pop_back();
    else
        begin(level.directory / level.names[level.next++]);
}

void DirectoryTar::begin(std::filesystem::path path) {
    const auto status = os::file_status(path);
    if (status && status->is_directory) return enter(std::move(path));
    if (!status || !status->is_regular)
        throw base::Error(base::ErrorCode::corrupt, maker_ + " left something that is no file: " + path.string());
    file_ = os::open_for_reading(path);
    const base::Timestamp modified{std::chrono::seconds(status->modified_seconds)};
    writer_.begin_file(path.lexically_relative(top_).native(), status->size, modified).value();
    path_ = std::move(path);
}

void DirectoryTar::read() {
    const auto count = os::read_some(file_, buffer_, path_);
    if (count > 0) {
        writer_.write(std::span(buffer_).first(count)).value();
        return;
    }
    writer_.end_file().value();
    file_.reset();
    std::filesystem::remove(path_);
}

}  // namespace pgbakd::source
