#include "codec/archive_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/text.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::string_view magic = "PGDMP";
constexpr std::size_t prefix_size = 11;  // magic, version (3), integer size, offset size, format
constexpr int oldest_minor = 12;
constexpr int newest_minor = 16;
constexpr std::size_t longest_header_text = 1024UL * 1024;
// PostgreSQL's own limit for a single value is 1 GiB; no definition comes near this.
constexpr std::size_t largest_entry = 256UL * 1024 * 1024;
constexpr std::int64_t most_entries = 10'000'000;

}  // namespace

std::string ArchiveEntry::qualified_name() const {
    const std::string name = tag.value_or("");
    return schema && !schema->empty() ? *schema + "." + name : name;
}

ArchiveReader::ArchiveReader(ArchiveForm form, ArchiveHandler& handler) : form_(form), handler_(handler) {
    field_.expect_bytes(prefix_size);
}

Status ArchiveReader::write(Bytes bytes) {
    while (!bytes.empty()) {
        if (step_ == Step::chunk) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), chunk_remaining_));
            if (auto status = take_chunk(bytes.first(size)); !status) return status;
            bytes = bytes.subspan(size);
            continue;
        }
        if (step_ == Step::nothing) return damaged("bytes after its end");
        if (step_ == Step::chunk_length && field_.untouched()) {
            const auto taken = take_whole_chunks(bytes);
            if (!taken) return taken.error();
            bytes = bytes.subspan(*taken);
            if (bytes.empty()) break;
        }
        const std::size_t limit = step_ < Step::dump_id ? longest_header_text : largest_entry - entry_bytes_;
        const auto taken = field_.take(bytes, limit);
        if (!taken) return damaged(taken.error().message());
        offset_ += *taken;
        bytes = bytes.subspan(*taken);
        if (field_.complete())
            if (auto status = accept(); !status) return status;
    }
    return {};
}

Status ArchiveReader::finish() {
    if (offset_ == 0) return Error(ErrorCode::corrupt, "the archive is empty");
    if (step_ == Step::nothing) return {};
    if (step_ != Step::block_type)
        return Error(ErrorCode::corrupt, fmt::format("the archive is cut off at byte {}, inside {}", offset_, place()));
    if (const auto missing = index_.missing(); !missing.empty())
        return Error(ErrorCode::corrupt,
                     fmt::format("the archive is cut off at byte {}, before the data of {}", offset_, missing));
    return {};
}

bool ArchiveReader::has_text(Step step) noexcept {
    switch (step) {
        case Step::database:
        case Step::server_version:
        case Step::dump_version:
        case Step::table_oid:
        case Step::oid:
        case Step::tag:
        case Step::description:
        case Step::definition:
        case Step::drop_statement:
        case Step::copy_statement:
        case Step::schema:
        case Step::tablespace:
        case Step::table_access_method:
        case Step::owner:
        case Step::with_oids:
        case Step::dependency:
        case Step::file_name: return true;
        default: return false;
    }
}

std::size_t ArchiveReader::width(Step step) const noexcept {
    const auto integer = 1 + static_cast<std::size_t>(header_.integer_size);
    switch (step) {
        case Step::compression: return header_.minor >= 15 ? 1 : integer;
        case Step::data_position: return 1 + static_cast<std::size_t>(header_.offset_size);
        case Step::block_type: return 1;
        default: return integer;
    }
}

// The step that follows when nothing but the file's order decides.
ArchiveReader::Step ArchiveReader::after(Step step) const noexcept {
    auto next = static_cast<Step>(static_cast<int>(step) + 1);
    if (next == Step::table_access_method && header_.minor < 14) next = Step::relation_kind;
    if (next == Step::relation_kind && header_.minor < 16) next = Step::owner;
    if (next == Step::data_position && form_ == ArchiveForm::toc_file) next = Step::file_name;
    return next;
}

Status ArchiveReader::expect(Step step) {
    step_ = step;
    if (has_text(step))
        field_.expect_text(width(step));
    else
        field_.expect_bytes(width(step));
    return {};
}

Status ArchiveReader::accept() {
    if (step_ < Step::dump_id) return accept_header();
    if (step_ < Step::block_type) return accept_entry();
    return accept_block();
}

Status ArchiveReader::accept_header() {
    switch (step_) {
        case Step::prefix: return accept_prefix();
        case Step::compression: return accept_compression();
        case Step::database: return accept_text(header_.database);
        case Step::server_version: return accept_text(header_.server_version);
        case Step::dump_version: return accept_text(header_.dump_version);
        default: break;
    }
    const auto value = parse_archive_integer(field_.bytes());
    if (!value) return damaged("an integer whose sign is neither + nor -");
    // The fields of struct tm: nobody restores by them, but a number out of range shows damage.
    struct Range {
        int& target;
        std::int64_t lowest, highest;
    };
    const auto accept_date = [&](Range range) -> Status {
        if (*value < range.lowest || *value > range.highest) return damaged("an impossible date");
        range.target = static_cast<int>(*value);
        return expect(after(step_));
    };
    switch (step_) {
        case Step::second: return accept_date({header_.second, 0, 61});
        case Step::minute: return accept_date({header_.minute, 0, 59});
        case Step::hour: return accept_date({header_.hour, 0, 23});
        case Step::day: return accept_date({header_.day, 1, 31});
        case Step::month: return accept_date({header_.month, 0, 11});
        case Step::year: return accept_date({header_.year, 0, 10'000});
        case Step::daylight: return accept_date({header_.daylight, -1, 1});
        default: break;
    }
    header_.entries = *value;
    return end_header();
}

Status ArchiveReader::accept_prefix() {
    const auto bytes = field_.bytes();
    const auto byte = [&](std::size_t at) { return static_cast<int>(static_cast<unsigned char>(bytes[at])); };
    if (!bytes.starts_with(magic))
        return Error(ErrorCode::corrupt, "not a pg_dump archive: it does not begin with PGDMP");
    const int major = byte(5);
    header_.minor = byte(6);
    header_.revision = byte(7);
    header_.integer_size = byte(8);
    header_.offset_size = byte(9);
    header_.format = byte(10);
    if (major != 1 || header_.minor < oldest_minor || header_.minor > newest_minor)
        return Error(ErrorCode::unsupported, fmt::format("unknown pg_dump archive version {}.{}", major, header_.minor),
                     "versions 1.12 to 1.16 can be checked: pg_dump 9.0 to 18");
    if (header_.integer_size != 4 && header_.integer_size != 8) return damaged("an impossible size of integers");
    if (header_.offset_size != 4 && header_.offset_size != 8) return damaged("an impossible size of offsets");
    // toc.dat says "tar", whose files it shares (pg_backup_directory.c).
    const bool expected =
        form_ == ArchiveForm::custom ? header_.format == 1 : header_.format == 3 || header_.format == 5;
    if (!expected) return damaged(fmt::format("format {}, which is not the one expected here", header_.format));
    return expect(Step::compression);
}

Status ArchiveReader::accept_compression() {
    if (header_.minor >= 15) {
        const auto algorithm = parse_little_endian(field_.bytes());
        if (algorithm > 3) return damaged(fmt::format("an unknown compression ({})", algorithm));
        header_.compression = static_cast<ArchiveCompression>(algorithm);
    } else {
        const auto level = parse_archive_integer(field_.bytes());
        if (!level || *level < -1 || *level > 9) return damaged("an impossible compression level");
        header_.level = static_cast<int>(*level);
        header_.compression = *level == 0 ? ArchiveCompression::none : ArchiveCompression::gzip;
    }
    return expect(after(step_));
}

Status ArchiveReader::end_header() {
    if (header_.entries < 1 || header_.entries > most_entries)
        return damaged(fmt::format("a table of contents of {} entries", header_.entries));
    if (auto status = handler_.on_header(header_); !status) return status;
    return expect(Step::dump_id);
}

Status ArchiveReader::accept_text(std::optional<std::string>& field) {
    entry_bytes_ += field_.bytes().size();
    if (field_.absent())
        field.reset();
    else
        field = field_.take_text();
    return expect(after(step_));
}

Status ArchiveReader::accept_entry() {
    if (step_ != Step::data_position)
        digest_ =
            digest_ * 1'099'511'628'211ULL + std::hash<std::string_view>{}(field_.bytes()) + (field_.absent() ? 1 : 0);
    switch (step_) {
        case Step::table_oid: return accept_text(entry_.table_oid);
        case Step::oid: return accept_text(entry_.oid);
        case Step::tag: return accept_text(entry_.tag);
        case Step::description: return accept_text(entry_.description);
        case Step::definition: return accept_text(entry_.definition);
        case Step::drop_statement: return accept_text(entry_.drop_statement);
        case Step::copy_statement: return accept_text(entry_.copy_statement);
        case Step::schema: return accept_text(entry_.schema);
        case Step::tablespace: return accept_text(entry_.tablespace);
        case Step::table_access_method: return accept_text(entry_.table_access_method);
        case Step::owner: return accept_text(entry_.owner);
        case Step::with_oids: return accept_text(entry_.with_oids);
        case Step::dependency: return accept_dependency();
        case Step::data_position: return accept_data_position();
        case Step::file_name:
            if (auto status = accept_text(entry_.file_name); !status) return status;
            return end_entry();
        default: break;
    }
    const auto value = parse_archive_integer(field_.bytes());
    if (!value) return damaged("an integer whose sign is neither + nor -");
    switch (step_) {
        case Step::dump_id:
            if (*value < 1 || *value > 0x7fff'ffff) return damaged(fmt::format("an entry with the id {}", *value));
            entry_.dump_id = static_cast<std::int32_t>(*value);
            break;
        case Step::has_data:
            if (*value != 0 && *value != 1) return damaged("an entry that neither has data nor has none");
            entry_.has_data = *value == 1;
            break;
        case Step::section:
            if (*value < 1 || *value > 4) return damaged(fmt::format("an entry of section {}", *value));
            entry_.section = static_cast<int>(*value);
            break;
        default: entry_.relation_kind = static_cast<int>(*value); break;
    }
    return expect(after(step_));
}

// Dependencies are decimal numbers, written as strings "for historical reasons", up to an absent string.
Status ArchiveReader::accept_dependency() {
    if (field_.absent()) return expect(after(step_));
    const auto text = field_.bytes();
    std::int32_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size()) return damaged("a dependency that is no number");
    entry_.dependencies.push_back(id);
    entry_bytes_ += sizeof id;
    if (entry_bytes_ > largest_entry) return damaged("an entry with too many dependencies");
    return expect(Step::dependency);
}

Status ArchiveReader::accept_data_position() {
    const auto bytes = field_.bytes();
    const auto state = static_cast<unsigned char>(bytes.front());
    if (state < 1 || state > 3) return damaged("an entry with an unknown kind of offset");
    entry_.data_position = static_cast<DataPosition>(state);
    entry_.data_offset = parse_little_endian(bytes.substr(1));
    return end_entry();
}

Status ArchiveReader::end_entry() {
    if (!entry_.description || !entry_.tag) return damaged("an entry without a name");
    if (repeated_) return end_repeated_entry();
    index_.add(entry_.dump_id);
    if (form_ == ArchiveForm::custom) {
        if (entry_.has_data == (entry_.data_position == DataPosition::no_data))
            return damaged("an entry that announces data and says that it has none, or the reverse");
        if (entry_.has_data) {
            const bool blobs = entry_.is("BLOBS");
            const auto name = entry_.is("TABLE DATA") ? entry_.qualified_name()
                              : blobs                 ? std::string("large objects")
                                                      : *entry_.description + " " + entry_.qualified_name();
            const bool known = entry_.data_position == DataPosition::known;
            index_.add_block(entry_.dump_id, name, blobs, known ? entry_.data_offset : 0);
        }
    }
    if (auto status = handler_.on_toc_entry(entry_); !status) return status;
    entry_ = {};
    entry_bytes_ = 0;
    if (++entries_read_ < header_.entries) return expect(Step::dump_id);
    return end_toc();
}

Status ArchiveReader::end_toc() {
    first_digest_ = digest_;
    if (auto status = index_.close(); !status) return status;
    if (auto status = handler_.on_toc_end(); !status) return status;
    if (form_ == ArchiveForm::custom) return expect(Step::block_type);
    step_ = Step::nothing;
    return {};
}

// Where the reader is, as the object of "inside …".
std::string ArchiveReader::place() const {
    if (step_ < Step::dump_id) return "its header";
    if (repeated_) return "its second table of contents";
    if (step_ < Step::block_type)
        return fmt::format("its table of contents (entry {} of {})", entries_read_ + 1, header_.entries);
    if (large_object_ != 0) return fmt::format("large object {}", large_object_);
    if (block_ != nullptr) return "the data of " + base::printable(index_.name(*block_));
    return "its data";
}

Error ArchiveReader::damaged(const std::string& fact) const {
    return {ErrorCode::corrupt,
            fmt::format("the archive is damaged at byte {}, inside {}: {}", offset_, place(), fact)};
}

}  // namespace pgbakd::codec
