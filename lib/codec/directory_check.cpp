// pg_dump's directory format in a tar: toc.dat, a file per table and per large object, and lists of the large objects
// (PostgreSQL's src/bin/pg_dump/pg_backup_directory.c). The files may come in any order, so everything is noted while
// it streams by and compared at the end.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/text.hpp"
#include "codec/archive_check.hpp"
#include "codec/tar_reader.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

// A file's name without the suffix of its compression, and that compression.
struct DataName {
    std::string_view stem;
    ArchiveCompression compression;
};

DataName split_name(std::string_view name) {
    if (name.ends_with(".gz")) return {name.substr(0, name.size() - 3), ArchiveCompression::gzip};
    if (name.ends_with(".zst")) return {name.substr(0, name.size() - 4), ArchiveCompression::zstd};
    if (name.ends_with(".lz4")) return {name.substr(0, name.size() - 4), ArchiveCompression::lz4};
    return {name, ArchiveCompression::none};
}

// Files of compressed data are those of gzip, zstd and lz4 themselves.
base::Result<std::unique_ptr<StreamDecoder>> make_file_decoder(ArchiveCompression compression) {
    return compression == ArchiveCompression::gzip ? make_gzip_decoder() : make_block_decoder(compression);
}

// The number in "<before><number><after>", if `name` is of that form.
std::optional<std::uint32_t> number_in(std::string_view name, std::string_view before, std::string_view after) {
    if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after))
        return std::nullopt;
    const auto digits = name.substr(before.size(), name.size() - before.size() - after.size());
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

// Splits "<oid> blob_<oid>.dat" lines; nothing is kept of a line but its OID.
class LargeObjectList final : public Sink {
  public:
    explicit LargeObjectList(std::vector<std::uint32_t>& oids) : oids_(oids) {}
    Status write(Bytes bytes) override {
        for (const std::byte byte : bytes) {
            const char c = static_cast<char>(byte);
            if (c == '\n') {
                if (auto status = end_line(); !status) return status;
            } else if (line_.size() < longest_line) {
                line_ += c;
            } else {
                return bad_line();
            }
        }
        return {};
    }
    Status finish() override {
        if (!line_.empty()) return Error(ErrorCode::corrupt, "its last line is cut off");
        return {};
    }

  private:
    static constexpr std::size_t longest_line = 256;
    Status end_line() {
        const auto space = line_.find(' ');
        if (space == std::string::npos) return bad_line();
        const auto oid = number_in(line_.substr(0, space) + "\n", "", "\n");
        const auto file = number_in(std::string_view(line_).substr(space + 1), "blob_", ".dat");
        if (!oid || oid != file) return bad_line();
        oids_.push_back(*oid);
        line_.clear();
        return {};
    }
    [[nodiscard]] Error bad_line() const {
        return {ErrorCode::corrupt, fmt::format("the line \"{}\" names no large object", base::printable(line_))};
    }
    std::vector<std::uint32_t>& oids_;
    std::string line_;
};

class DirectoryArchiveCheck final : public Check, private TarHandler, private ArchiveHandler {
  public:
    Status write(Bytes bytes) override { return tar_.write(bytes); }
    Status finish() override;
    [[nodiscard]] const CheckResult& result() const noexcept override { return result_; }

  private:
    Status on_begin(const TarEntry& entry) override;
    Status on_bytes(Bytes bytes) override;
    Status on_end() override;

    Status on_header(const ArchiveHeader& header) override {
        minor_ = header.minor;
        note_header(result_, header);
        return {};
    }
    Status on_toc_entry(ArchiveEntry& entry) override;
    // A toc.dat has no blocks.
    Status on_data_begin(std::int32_t /*dump_id*/) override { return {}; }
    Status on_large_object_begin(std::uint32_t /*oid*/) override { return {}; }
    Status on_data(Bytes /*stored*/) override { return {}; }
    Status on_stream_end() override { return {}; }
    Status on_data_end(std::int32_t /*dump_id*/) override { return {}; }

    Status begin_data(std::string_view name, Sink& destination);
    Status compare_tables();
    Status compare_large_objects();

    struct Wanted {
        std::string name;  // the table's, for messages
        bool seen = false;
    };

    CheckResult result_;
    TarReader tar_{*this};
    int minor_ = 0;
    bool toc_read_ = false;
    std::string path_;  // of the current file
    std::uint64_t file_bytes_ = 0;
    bool may_be_empty_ = false;
    Sink* destination_ = nullptr;  // of its decompressed bytes; none for what is skipped
    std::map<ArchiveCompression, std::unique_ptr<StreamDecoder>> decoders_;  // kept from file to file
    StreamDecoder* decoder_ = nullptr;
    CountingSink raw_;
    std::unique_ptr<ArchiveReader> toc_;
    std::unique_ptr<LargeObjectList> list_;
    std::unordered_map<std::string, Wanted> wanted_;  // by file name without its compression's suffix
    std::vector<std::string> data_files_;             // the same, of the files that came
    std::vector<std::uint32_t> listed_objects_;
    std::vector<std::uint32_t> object_files_;
};

Status DirectoryArchiveCheck::on_begin(const TarEntry& entry) {
    path_ = base::clamp_utf8(base::printable(entry.path), 256);
    destination_ = nullptr;
    decoder_ = nullptr;
    file_bytes_ = 0;
    may_be_empty_ = false;
    if (entry.type == TarType::directory) return {};
    if (entry.type != TarType::file) return Error(ErrorCode::corrupt, path_ + " is no file of a directory dump");
    const std::string_view path = entry.path;
    const auto name = path.substr(path.find_last_of('/') + 1);
    const auto stem = split_name(name).stem;
    if (stem == "toc.dat") {
        if (toc_) return Error(ErrorCode::corrupt, "toc.dat is there twice");
        toc_ = std::make_unique<ArchiveReader>(ArchiveForm::toc_file, static_cast<ArchiveHandler&>(*this));
        return begin_data(name, *toc_);
    }
    if (stem == "blobs.toc" || number_in(stem, "blobs_", ".toc")) {
        data_files_.emplace_back(stem);
        list_ = std::make_unique<LargeObjectList>(listed_objects_);
        return begin_data(name, *list_);
    }
    if (const auto oid = number_in(stem, "blob_", ".dat")) {
        object_files_.push_back(*oid);
        may_be_empty_ = may_be_nothing(split_name(name).compression);
        return begin_data(name, raw_);
    }
    if (number_in(stem, "", ".dat")) {
        data_files_.emplace_back(stem);
        return begin_data(name, raw_);
    }
    return Error(ErrorCode::corrupt, path_ + " is no file of a directory dump");
}

Status DirectoryArchiveCheck::begin_data(std::string_view name, Sink& destination) {
    const auto compression = split_name(name).compression;
    auto& decoder = decoders_[compression];
    if (!decoder) {
        auto made = make_file_decoder(compression);
        if (!made) return made.error().during(path_);
        decoder = std::move(made).value();
    }
    decoder_ = decoder.get();
    destination_ = &destination;
    return {};
}

Status DirectoryArchiveCheck::on_bytes(Bytes bytes) {
    if (decoder_ == nullptr) return {};
    file_bytes_ += bytes.size();
    if (auto status = decoder_->write(bytes, *destination_); !status)
        return status.error().during(fmt::format("{} before byte {} of the tar", path_, tar_.offset()));
    return {};
}

Status DirectoryArchiveCheck::on_end() {
    if (decoder_ == nullptr) return {};
    Status status;
    if (file_bytes_ > 0 || !may_be_empty_) status = decoder_->end(*destination_);
    if (status) status = destination_->finish();
    if (!status) return status.error().during(path_);
    if (destination_ == toc_.get()) toc_read_ = true;
    return {};
}

Status DirectoryArchiveCheck::on_toc_entry(ArchiveEntry& entry) {
    note_entry(result_, entry);
    if (!entry.has_data) return {};
    const bool blobs = entry.is("BLOBS");
    // Until 1.16 the entry of the large objects names a file that pg_dump does not write (pg_backup_directory.c,
    // _LoadLOs).
    std::string file = blobs && minor_ < 16 ? "blobs.toc" : entry.file_name.value_or("");
    const bool fits =
        blobs ? file == "blobs.toc" || number_in(file, "blobs_", ".toc") : number_in(file, "", ".dat").has_value();
    if (!fits)
        return Error(ErrorCode::corrupt,
                     fmt::format("the data of {} is in no file", base::printable(entry.qualified_name())));
    auto name = blobs ? std::string("large objects") : base::clamp_utf8(entry.qualified_name(), 256);
    const auto [place, added] = wanted_.try_emplace(std::move(file), Wanted{std::move(name)});
    if (!added) return Error(ErrorCode::corrupt, fmt::format("two entries have their data in {}", place->first));
    return {};
}

Status DirectoryArchiveCheck::finish() {
    if (auto status = tar_.finish(); !status) return status;
    if (!toc_read_) return Error(ErrorCode::corrupt, "toc.dat is missing");
    if (auto status = compare_tables(); !status) return status;
    if (auto status = compare_large_objects(); !status) return status;
    result_.raw_bytes = raw_.count();
    result_.large_objects = object_files_.size();
    return {};
}

Status DirectoryArchiveCheck::compare_tables() {
    for (const auto& file : data_files_) {
        const auto found = wanted_.find(file);
        if (found == wanted_.end())
            return Error(ErrorCode::corrupt, fmt::format("no entry of toc.dat has its data in {}", file));
        if (found->second.seen) return Error(ErrorCode::corrupt, file + " is there twice");
        found->second.seen = true;
    }
    for (const auto& [file, wanted] : wanted_)
        if (!wanted.seen)
            return Error(ErrorCode::corrupt,
                         fmt::format("{} is missing: the data of {}", file, base::printable(wanted.name)));
    return {};
}

Status DirectoryArchiveCheck::compare_large_objects() {
    std::sort(listed_objects_.begin(), listed_objects_.end());
    std::sort(object_files_.begin(), object_files_.end());
    for (const auto& oids : {listed_objects_, object_files_})
        if (const auto twin = std::adjacent_find(oids.begin(), oids.end()); twin != oids.end())
            return Error(ErrorCode::corrupt, fmt::format("large object {} is there twice", *twin));
    const auto [listed, file] =
        std::mismatch(listed_objects_.begin(), listed_objects_.end(), object_files_.begin(), object_files_.end());
    const bool listed_more = listed != listed_objects_.end();
    const bool file_more = file != object_files_.end();
    if (listed_more && (!file_more || *listed < *file))
        return Error(ErrorCode::corrupt,
                     fmt::format("blob_{}.dat is missing: the data of large object {}", *listed, *listed));
    if (file_more) return Error(ErrorCode::corrupt, fmt::format("no list of large objects names blob_{}.dat", *file));
    return {};
}

}  // namespace

std::unique_ptr<Check> make_directory_archive_check() {
    return std::make_unique<DirectoryArchiveCheck>();
}

}  // namespace pgbakd::codec
