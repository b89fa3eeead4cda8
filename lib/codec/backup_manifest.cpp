#include "codec/backup_manifest.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/text.hpp"
#include "codec/json_scanner.hpp"
#include "codec/sha256.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

// An entry is one line, and a path is at most twice 1,024 bytes in hexadecimal digits.
constexpr std::size_t longest_line = std::size_t{64} << 10U;

Error damaged(std::string_view fact) {
    return {ErrorCode::corrupt, fmt::format("the backup manifest is damaged: {}", fact)};
}

template <class Number>
std::optional<Number> number_of(std::string_view text, int base = 10) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::string> from_hex(std::string_view text) {
    std::string bytes;
    if (text.size() % 2 != 0) return std::nullopt;
    for (std::size_t at = 0; at < text.size(); at += 2) {
        const auto byte = number_of<unsigned>(text.substr(at, 2), 16);
        if (!byte) return std::nullopt;
        bytes += static_cast<char>(*byte);
    }
    return bytes;
}

// The SHA-256 of all lines but the last: that one has the checksum.
class LineHash {
  public:
    Status write(Bytes bytes) {
        std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        while (!rest.empty()) {
            const auto end = rest.find('\n');
            const auto part = rest.substr(0, end == std::string_view::npos ? end : end + 1);
            if (line_.size() + part.size() > longest_line) return damaged("a line is too long");
            line_ += part;
            rest.remove_prefix(part.size());
            if (end == std::string_view::npos) break;
            hash_.update(std::as_bytes(std::span(whole_)));
            whole_.swap(line_);
            line_.clear();
        }
        return {};
    }
    // Once. Nothing if the last line does not end.
    std::optional<std::string> digest() {
        if (!line_.empty() || whole_.empty()) return std::nullopt;
        return hash_.hex_digest();
    }

  private:
    Sha256 hash_;
    std::string whole_;  // the last line that has ended
    std::string line_;   // what has come of the next one
};

}  // namespace

base::Result<std::uint64_t> parse_lsn(std::string_view text) {
    const auto slash = text.find('/');
    const auto high = number_of<std::uint32_t>(text.substr(0, slash), 16);
    const auto low =
        slash == std::string_view::npos ? std::nullopt : number_of<std::uint32_t>(text.substr(slash + 1), 16);
    if (!high || !low)
        return Error(ErrorCode::corrupt,
                     fmt::format("\"{}\" is no position in the WAL", base::printable(base::clamp_utf8(text, 40))));
    return (std::uint64_t{*high} << 32U) | *low;
}

class BackupManifestReader::Reading final : public JsonHandler {
  public:
    explicit Reading(ManifestHandler& handler) : handler_(handler) {}
    Status write(Bytes bytes) {
        if (auto status = lines_.write(bytes); !status) return status;
        return scanner_.write(bytes);
    }
    Status finish() {
        if (auto status = scanner_.finish(); !status) return status;
        if (!version_) return damaged("it does not say its version");
        if (stated_.empty()) return damaged("it has no checksum of its own");
        const auto found = lines_.digest();
        if (!found) return damaged("its last line is cut off");
        if (base::to_lower(stated_) != *found) return damaged("its own checksum is not that of its bytes");
        return {};
    }
    Status on_token(JsonToken token, std::string_view text) override;

  private:
    // What is being read: the manifest itself, one of its lists, an entry of a list.
    enum class Where { before, top, files, file, ranges, range, after };

    Status on_bracket(JsonToken token);
    Status on_value(JsonToken token, std::string_view text);
    Status on_top(JsonToken token, std::string_view text);
    Status on_file_member(JsonToken token, std::string_view text);
    Status on_range_member(JsonToken token, std::string_view text);
    Status end_file();
    Status end_range();
    [[nodiscard]] Error unexpected() const {
        return damaged(fmt::format("\"{}\" is not what it must be", base::printable(base::clamp_utf8(key_, 60))));
    }

    ManifestHandler& handler_;
    JsonScanner scanner_{*this, "the backup manifest"};
    LineHash lines_;
    Where where_ = Where::before;
    std::string key_;
    std::optional<int> version_;
    std::string stated_;  // the checksum
    ManifestFile file_;
    bool has_path_ = false, has_size_ = false;
    std::optional<std::uint32_t> timeline_;
    std::optional<std::uint64_t> begin_, end_;
};

Status BackupManifestReader::Reading::on_token(JsonToken token, std::string_view text) {
    // The checksum is the last thing in it: what came behind would be covered by nothing.
    if (!stated_.empty() && token != JsonToken::object_end) return damaged("something follows its checksum");
    switch (token) {
        case JsonToken::key: key_ = text; return {};
        case JsonToken::text:
        case JsonToken::number:
        case JsonToken::word: return on_value(token, text);
        case JsonToken::object_begin:
        case JsonToken::object_end:
        case JsonToken::array_begin:
        case JsonToken::array_end: break;
    }
    return on_bracket(token);
}

Status BackupManifestReader::Reading::on_bracket(JsonToken token) {
    const auto go = [this](Where where) {
        where_ = where;
        return Status{};
    };
    if (where_ == Where::before && token == JsonToken::object_begin) return go(Where::top);
    if (where_ == Where::top && token == JsonToken::object_end) return go(Where::after);
    if (where_ == Where::top && token == JsonToken::array_begin && version_) {
        if (key_ == "Files") return go(Where::files);
        if (key_ == "WAL-Ranges") return go(Where::ranges);
    }
    if (where_ == Where::files && token == JsonToken::object_begin) {
        file_ = {};
        has_path_ = has_size_ = false;
        return go(Where::file);
    }
    if (where_ == Where::ranges && token == JsonToken::object_begin) {
        timeline_.reset();
        begin_.reset();
        end_.reset();
        return go(Where::range);
    }
    if (where_ == Where::file && token == JsonToken::object_end) return end_file();
    if (where_ == Where::range && token == JsonToken::object_end) return end_range();
    if ((where_ == Where::files || where_ == Where::ranges) && token == JsonToken::array_end) return go(Where::top);
    return unexpected();
}

Status BackupManifestReader::Reading::on_value(JsonToken token, std::string_view text) {
    switch (where_) {
        case Where::top: return on_top(token, text);
        case Where::file: return on_file_member(token, text);
        case Where::range: return on_range_member(token, text);
        case Where::before:
        case Where::files:
        case Where::ranges:
        case Where::after: break;
    }
    return damaged("a value where an entry belongs");
}

Status BackupManifestReader::Reading::on_top(JsonToken token, std::string_view text) {
    if (key_ == "PostgreSQL-Backup-Manifest-Version" && token == JsonToken::number && !version_) {
        version_ = number_of<int>(text);
        if (!version_) return unexpected();
        // 2 adds the system identifier (PostgreSQL 17).
        if (*version_ == 1 || *version_ == 2) return {};
        return Error(ErrorCode::unsupported,
                     fmt::format("the backup manifest has the version {}; known are 1 and 2", *version_),
                     "use a newer pgbakd");
    }
    if (key_ == "System-Identifier" && token == JsonToken::number) return {};
    if (key_ == "Manifest-Checksum" && token == JsonToken::text && !text.empty()) {
        stated_ = text;
        return {};
    }
    return unexpected();
}

Status BackupManifestReader::Reading::on_file_member(JsonToken token, std::string_view text) {
    if (key_ == "Size" && token == JsonToken::number) {
        const auto size = number_of<std::uint64_t>(text);
        if (!size) return unexpected();
        file_.size = *size;
        has_size_ = true;
        return {};
    }
    if (token != JsonToken::text) return unexpected();
    if (key_ == "Path" || key_ == "Encoded-Path") {
        const auto path = key_ == "Path" ? std::optional(std::string(text)) : from_hex(text);
        if (!path || path->empty() || has_path_) return unexpected();
        file_.path = *path;
        has_path_ = true;
        return {};
    }
    if (key_ == "Checksum-Algorithm")
        file_.algorithm = text;
    else if (key_ == "Checksum")
        file_.checksum = text;
    else if (key_ != "Last-Modified")
        return unexpected();
    return {};
}

Status BackupManifestReader::Reading::on_range_member(JsonToken token, std::string_view text) {
    if (key_ == "Timeline" && token == JsonToken::number) {
        timeline_ = number_of<std::uint32_t>(text);
        return timeline_ ? Status{} : Status(unexpected());
    }
    if (token != JsonToken::text || (key_ != "Start-LSN" && key_ != "End-LSN")) return unexpected();
    const auto position = parse_lsn(text);
    if (!position) return damaged(position.error().message());
    (key_ == "Start-LSN" ? begin_ : end_) = *position;
    return {};
}

Status BackupManifestReader::Reading::end_file() {
    where_ = Where::files;
    if (!has_path_ || !has_size_ || file_.algorithm.empty() != file_.checksum.empty())
        return damaged(
            fmt::format("its entry of \"{}\" is not whole", base::printable(base::clamp_utf8(file_.path, 200))));
    return handler_.on_file(file_);
}

Status BackupManifestReader::Reading::end_range() {
    where_ = Where::ranges;
    if (!timeline_ || !begin_ || !end_ || *begin_ > *end_) return damaged("a range of its WAL is not whole");
    const WalRange range{*timeline_, *begin_, *end_};
    return handler_.on_wal_range(range);
}

BackupManifestReader::BackupManifestReader(ManifestHandler& handler) : reading_(std::make_unique<Reading>(handler)) {}
BackupManifestReader::~BackupManifestReader() = default;

Status BackupManifestReader::write(Bytes bytes) {
    return reading_->write(bytes);
}
Status BackupManifestReader::finish() {
    return reading_->finish();
}

}  // namespace pgbakd::codec
