#include "codec/archive_check.hpp"

#include <utility>

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

class CustomArchiveCheck final : public Check, private ArchiveHandler {
  public:
    Status write(Bytes bytes) override { return reader_.write(bytes); }
    Status finish() override {
        if (auto status = reader_.finish(); !status) return status;
        result_.raw_bytes = raw_.count();
        return {};
    }
    [[nodiscard]] const CheckResult& result() const noexcept override { return result_; }

  private:
    Status on_header(const ArchiveHeader& header) override {
        note_header(result_, header);
        compression_ = header.compression;
        auto decoder = make_block_decoder(header.compression);
        if (!decoder) return decoder.error();
        decoder_ = std::move(decoder).value();
        return {};
    }
    Status on_toc_entry(ArchiveEntry& entry) override {
        note_entry(result_, entry);
        return {};
    }
    Status on_data_begin(std::int32_t /*dump_id*/) override { return {}; }
    Status on_large_object_begin(std::uint32_t /*oid*/) override {
        ++result_.large_objects;
        return {};
    }
    Status on_data(Bytes stored) override {
        stream_bytes_ += stored.size();
        return decoder_->write(stored, raw_);
    }
    Status on_stream_end() override {
        const bool nothing = std::exchange(stream_bytes_, 0) == 0;
        return nothing && may_be_nothing(compression_) ? Status{} : decoder_->end(raw_);
    }
    Status on_data_end(std::int32_t /*dump_id*/) override { return {}; }

    CheckResult result_;
    CountingSink raw_;
    ArchiveCompression compression_ = ArchiveCompression::none;
    std::unique_ptr<StreamDecoder> decoder_;
    std::uint64_t stream_bytes_ = 0;
    ArchiveReader reader_{ArchiveForm::custom, *this};
};

// Everything but what is inside the compressed data.
class ArchiveFrameCheck final : public Check, private ArchiveHandler {
  public:
    Status write(Bytes bytes) override { return reader_.write(bytes); }
    Status finish() override { return reader_.finish(); }
    [[nodiscard]] const CheckResult& result() const noexcept override { return result_; }

  private:
    Status on_header(const ArchiveHeader& header) override {
        note_header(result_, header);
        compression_ = header.compression;
        return {};
    }
    Status on_toc_entry(ArchiveEntry& entry) override {
        note_entry(result_, entry);
        return {};
    }
    Status on_data_begin(std::int32_t /*dump_id*/) override { return {}; }
    Status on_large_object_begin(std::uint32_t /*oid*/) override {
        ++result_.large_objects;
        return {};
    }
    Status on_data(Bytes stored) override {
        stream_bytes_ += stored.size();
        return {};
    }
    Status on_stream_end() override {
        const bool nothing = std::exchange(stream_bytes_, 0) == 0;
        if (nothing && !may_be_nothing(compression_)) return Error(ErrorCode::corrupt, "the compressed data is empty");
        return {};
    }
    Status on_data_end(std::int32_t /*dump_id*/) override { return {}; }

    CheckResult result_;
    ArchiveCompression compression_ = ArchiveCompression::none;
    std::uint64_t stream_bytes_ = 0;
    ArchiveReader reader_{ArchiveForm::custom, *this};
};

}  // namespace

std::unique_ptr<Check> make_archive_frame_check() {
    return std::make_unique<ArchiveFrameCheck>();
}

bool may_be_nothing(ArchiveCompression compression) noexcept {
    switch (compression) {
        case ArchiveCompression::none:
        case ArchiveCompression::lz4:
        case ArchiveCompression::zstd: return true;
        case ArchiveCompression::gzip: break;
    }
    return false;
}

void note_header(CheckResult& result, const ArchiveHeader& header) {
    result.archive_version = header.version();
    result.server_version = header.server_version.value_or("");
    result.database = header.database.value_or("");
}

void note_entry(CheckResult& result, const ArchiveEntry& entry) {
    if (entry.has_data && entry.is("TABLE DATA")) ++result.tables_with_data;
}

std::unique_ptr<Check> make_custom_archive_check() {
    return std::make_unique<CustomArchiveCheck>();
}

}  // namespace pgbakd::codec
