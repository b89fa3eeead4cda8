#include "source/files_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/text.hpp"
#include "os/extents.hpp"
#include "os/file.hpp"

namespace pgbakd::source {
namespace {

using base::Error;
using base::ErrorCode;
using Type = codec::TreeMember::Type;

// Of a sparse file. Each takes memory here, and a line in the tar.
constexpr std::size_t most_extents = 8192;
// A file that is written all the time is stored torn rather than never.
constexpr int steady_attempts = 3;
// stat's blocks, whatever the file system's are.
constexpr off_t stat_block = 512;

bool same_content(const struct stat& one, const struct stat& other) {
    return one.st_size == other.st_size && one.st_mtim.tv_sec == other.st_mtim.tv_sec &&
           one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

base::Status FilesReader::Collector::write(codec::Bytes bytes) {
    data.insert(data.end(), bytes.begin(), bytes.end());
    return {};
}

FilesReader::FilesReader(FilesOptions options, FilesHooks hooks)
    : options_(std::move(options)),
      hooks_(std::move(hooks)),
      walker_(options_, report_, [this] { check(); }),
      writer_(collector_) {}

void FilesReader::check() const {
    if (cancelled_.load()) throw Error(ErrorCode::cancelled, "reading files was cancelled");
}

std::vector<std::byte> FilesReader::next() {
    while (collector_.data.size() < piece && !ended_) {
        check();
        advance();
    }
    return std::exchange(collector_.data, {});
}

void FilesReader::close() noexcept {
    content_.reset();
    walker_.close();
}

void FilesReader::advance() {
    if (content_) {
        read_on();
        return;
    }
    const auto found = walker_.next();
    if (!found) {
        writer_.finish().value();
        ended_ = true;
        return;
    }
    try {
        store(*found);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::internal) throw;
        report_.failed(found->path, error.message());
    }
}

void FilesReader::store(const FilesWalker::Found& found) {
    const auto& status = found.entry.status();
    if (S_ISSOCK(status.st_mode)) {
        report_.noted(found.path, "is a socket: left out");
        return;
    }
    if (S_ISREG(status.st_mode) && hooks_.found) hooks_.found(found.path);
    auto member = describe(found.path, found.entry, owners_, report_);
    if (S_ISDIR(status.st_mode)) {
        begin(member);
        writer_.end().value();
        return;
    }
    if (S_ISREG(status.st_mode) && !options_.redact.empty()) {
        // Such a file is never a link to another: that one may be stored as it is.
        if (const auto kind = redact_kind(base_name(found.path))) {
            store_redacted(found, std::move(member), *kind);
            return;
        }
    }
    if (const auto* first = status.st_nlink > 1 ? links_.find(status) : nullptr) {
        member.type = Type::hard_link;
        member.target = *first;
    } else if (S_ISREG(status.st_mode)) {
        store_file(found, std::move(member));
        return;
    } else {
        links_.add(status, member.path);
    }
    begin(member);
    writer_.end().value();
}

void FilesReader::store_file(const FilesWalker::Found& found, codec::TreeMember member) {
    Content content;
    content.path = found.path;
    content.file = found.entry.open_for_reading(found.path);
    content.before = os::status_of(content.file, found.path);
    member.size = static_cast<std::uint64_t>(content.before.st_size);
    member.modified_seconds = content.before.st_mtim.tv_sec;
    member.modified_nanoseconds = static_cast<std::uint32_t>(content.before.st_mtim.tv_nsec);
    member.sparse = content.before.st_blocks < (content.before.st_size + stat_block - 1) / stat_block;
    content.extents = {{0, member.size}};
    if (member.sparse) {
        content.extents.clear();
        for (const auto& extent : os::data_extents(content.file, member.size, most_extents, found.path))
            content.extents.push_back({extent.offset, extent.length});
        member.sparse = content.extents != std::vector<codec::Extent>{{0, member.size}};
        member.data = content.extents;
    }
    begin(member);
    links_.add(found.entry.status(), member.path);
    if (!content.extents.empty()) content.position = content.extents.front().offset;
    content_ = std::move(content);
    if (hooks_.announced) hooks_.announced(found.path);
}

void FilesReader::store_redacted(const FilesWalker::Found& found, codec::TreeMember member, RedactKind kind) {
    const auto file = found.entry.open_for_reading(found.path);
    if (static_cast<std::uint64_t>(found.entry.status().st_size) > most_redacted)
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("left out, as its secrets cannot be taken out: larger than {} bytes", most_redacted));
    const auto redacted = redact(kind, read_steadily(found, file), options_.redact);
    if (!redacted)
        throw Error(ErrorCode::invalid_argument,
                    "left out, as its secrets cannot be taken out: " + redacted.error().message());
    member.size = redacted->size();
    begin(member);
    writer_.write(std::as_bytes(std::span(*redacted))).value();
    writer_.end().value();
}

// Half of a file may not be understood, or not as the whole would be: read again while it is being written.
std::string FilesReader::read_steadily(const FilesWalker::Found& found, const os::Descriptor& file) {
    for (int attempt = 1;; ++attempt) {
        check();
        const auto before = os::status_of(file, found.path);
        std::string text(most_redacted + 1, '\0');
        text.resize(os::read_at(file, std::as_writable_bytes(std::span(text)), 0, found.path));
        if (text.size() > most_redacted)
            throw Error(ErrorCode::invalid_argument, "left out, as its secrets cannot be taken out: it grew too large");
        if (same_content(before, os::status_of(file, found.path))) return text;
        if (attempt == steady_attempts) {
            report_.changed(found.path, "changed while it was read");
            return text;
        }
    }
}

void FilesReader::begin(const codec::TreeMember& member) {
    writer_.begin(member).value();
    report_.stored();
}

// A step of the file being stored.
void FilesReader::read_on() {
    auto& content = *content_;
    if (writer_.missing() == 0) {
        end_content();
        return;
    }
    if (content.lost) {
        const auto count = std::min<std::uint64_t>(buffer_.size(), writer_.missing());
        std::fill_n(buffer_.begin(), count, std::byte{0});
        writer_.write(std::span(buffer_).first(count)).value();
        return;
    }
    const auto& extent = content.extents[content.extent];
    const auto end = extent.offset + extent.length;
    if (content.position == end) {
        content.position = content.extents[++content.extent].offset;
        return;
    }
    const auto wanted = std::span(buffer_).first(std::min<std::uint64_t>(buffer_.size(), end - content.position));
    std::size_t count = 0;
    try {
        count = os::read_at(content.file, wanted, content.position, content.path);
    } catch (const Error& error) {
        report_.failed(content.path, fmt::format("cannot be read from byte {} on, where zeros are stored: {}",
                                                 content.position, error.message()));
        content.lost = true;
        return;
    }
    writer_.write(wanted.first(count)).value();
    content.position += count;
    if (count < wanted.size()) {
        report_.changed(content.path, fmt::format("shrank while it was read: {} filled up with zeros",
                                                  base::counted(writer_.missing(), "byte")));
        content.lost = true;
    }
}

void FilesReader::end_content() {
    const auto content = std::move(*content_);
    content_.reset();
    writer_.end().value();
    if (content.lost) return;  // said already
    const auto after = os::status_of(content.file, content.path);
    if (after.st_size > content.before.st_size)
        report_.changed(content.path,
                        fmt::format("grew while it was read: its first {} are stored",
                                    base::counted(static_cast<std::uint64_t>(content.before.st_size), "byte")));
    else if (!same_content(after, content.before))
        report_.changed(content.path, "changed while it was read");
}

}  // namespace pgbakd::source
