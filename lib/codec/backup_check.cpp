#include "codec/backup_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "codec/archive_check.hpp"
#include "codec/crc32c.hpp"
#include "codec/tar_reader.hpp"
#include "codec/wal_segments.hpp"

namespace pgbakd::codec {

class BackupRecord {
  public:
    BackupRecord(std::unique_ptr<LedgerStore> store, std::uint64_t wal_segment_size)
        : ledger(std::move(store)), wal(wal_segment_size) {}
    BackupLedger ledger;
    WalSegments wal;
};

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

// No server has been through more timelines in one backup.
constexpr std::size_t most_ranges = 10000;

// The begin of a segment: where in the WAL it is (xlp_pageaddr of XLogPageHeaderData, PostgreSQL's xlog_internal.h), in
// the byte order of the server.
class SegmentHead {
  public:
    void write(Bytes bytes) {
        const auto count = std::min(bytes.size(), head_.size() - filled_);
        std::copy_n(bytes.begin(), count, head_.begin() + static_cast<std::ptrdiff_t>(filled_));
        filled_ += count;
    }
    [[nodiscard]] bool is_at(std::uint64_t position) const {
        if (filled_ < head_.size()) return false;
        std::uint64_t little = 0;
        std::uint64_t big = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            const auto byte = static_cast<std::uint64_t>(head_[8 + i]);
            little |= byte << (8 * i);
            big = (big << 8U) | byte;
        }
        return little == position || big == position;
    }

  private:
    std::array<std::byte, 16> head_{};
    std::size_t filled_ = 0;
};

class BackupTarCheck final : public Check, private TarHandler {
  public:
    BackupTarCheck(std::shared_ptr<BackupRecord> record, std::string prefix)
        : record_(std::move(record)), prefix_(std::move(prefix)) {}
    Status write(Bytes bytes) override {
        result_.raw_bytes += bytes.size();
        return reader_.write(bytes);
    }
    Status finish() override {
        if (auto status = reader_.finish(); !status) return status;
        // A tablespace without a file is one; a data directory is not.
        if (result_.members == 0 && prefix_.empty()) return Error(ErrorCode::corrupt, "there is nothing in the tar");
        return {};
    }
    [[nodiscard]] const CheckResult& result() const noexcept override { return result_; }

  private:
    Status on_begin(const TarEntry& entry) override {
        ++result_.members;
        is_file_ = entry.type == TarType::file;
        path_ = prefix_ + entry.path;
        size_ = entry.size;
        crc_ = 0;
        head_ = {};
        return {};
    }
    Status on_bytes(Bytes bytes) override {
        crc_ = crc32c(bytes, crc_);
        head_.write(bytes);
        return {};
    }
    Status on_end() override {
        constexpr std::string_view wal = "pg_wal/";
        if (!is_file_) return {};
        if (path_.starts_with(wal))
            if (const auto segment = record_->wal.parse(std::string_view(path_).substr(wal.size())))
                return end_segment(*segment);
        record_->ledger.add(path_, size_, crc_);
        return {};
    }
    // The manifest has no checksums of them: the WAL has its own, in every record.
    Status end_segment(const WalSegments::Segment& segment) {
        if (size_ != record_->wal.size())
            return Error(ErrorCode::corrupt, fmt::format("the WAL segment {} has {} bytes instead of {}", path_, size_,
                                                         record_->wal.size()));
        // One that still holds what it held under another name is as good as none.
        if (head_.is_at(segment.number * record_->wal.size())) record_->wal.add(segment);
        return {};
    }

    std::shared_ptr<BackupRecord> record_;
    std::string prefix_;
    TarReader reader_{*this};
    CheckResult result_;
    bool is_file_ = false;
    std::string path_;
    std::uint64_t size_ = 0;
    std::uint32_t crc_ = 0;
    SegmentHead head_;
};

class ManifestCheck final : public Check, private ManifestHandler {
  public:
    // Without a record the manifest is looked at by itself.
    explicit ManifestCheck(std::shared_ptr<BackupRecord> record) : record_(std::move(record)) {}
    Status write(Bytes bytes) override {
        result_.raw_bytes += bytes.size();
        return reader_.write(bytes);
    }
    Status finish() override {
        if (auto status = reader_.finish(); !status) return status;
        if (result_.members == 0) return Error(ErrorCode::corrupt, "the backup manifest names no file");
        if (ranges_.empty()) return Error(ErrorCode::corrupt, "the backup manifest names no WAL");
        if (!record_) return {};
        if (auto status = record_->ledger.finish(); !status) return status;
        const auto missing = record_->wal.first_missing(ranges_);
        if (missing.empty()) return {};
        return Error(
            ErrorCode::corrupt,
            fmt::format("the WAL segment {} is missing or holds other WAL: the backup could not be made consistent",
                        missing));
    }
    [[nodiscard]] const CheckResult& result() const noexcept override { return result_; }

  private:
    Status on_file(const ManifestFile& file) override {
        ++result_.members;
        return record_ ? record_->ledger.compare(file) : Status{};
    }
    Status on_wal_range(const WalRange& range) override {
        if (ranges_.size() == most_ranges) return Error(ErrorCode::corrupt, "the backup manifest names too much WAL");
        ranges_.push_back(range);
        return {};
    }

    std::shared_ptr<BackupRecord> record_;
    BackupManifestReader reader_{*this};
    CheckResult result_;
    std::vector<WalRange> ranges_;
};

}  // namespace

std::shared_ptr<BackupRecord> make_backup_record(std::unique_ptr<LedgerStore> store, std::uint64_t wal_segment_size) {
    return std::make_shared<BackupRecord>(std::move(store), wal_segment_size);
}

std::unique_ptr<Check> make_backup_tar_check(std::shared_ptr<BackupRecord> record, std::string prefix) {
    return std::make_unique<BackupTarCheck>(std::move(record), std::move(prefix));
}

std::unique_ptr<Check> make_backup_manifest_check(std::shared_ptr<BackupRecord> record) {
    return std::make_unique<ManifestCheck>(std::move(record));
}

std::unique_ptr<Check> make_manifest_check() {
    return std::make_unique<ManifestCheck>(nullptr);
}

}  // namespace pgbakd::codec
