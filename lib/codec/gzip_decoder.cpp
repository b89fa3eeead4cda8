// ISA-L's inflate, which takes its input in pieces of any size and needs less than half of zlib's time: gzip members
// one after another, or one zlib stream.
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "codec/stream_decoder.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

enum class Wrapping { zlib, gzip };

class InflateDecoder final : public StreamDecoder {
  public:
    explicit InflateDecoder(Wrapping wrapping) : wrapping_(wrapping), output_(128UL * 1024) {
        isal_inflate_init(&state_);
        begin();
    }

    Status write(Bytes bytes, Sink& next) override {
        while (!bytes.empty()) {
            const auto size = std::min<std::size_t>(bytes.size(), std::numeric_limits<std::uint32_t>::max());
            // ISA-L's interface has no const; it does not write to its input.
            state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data()));
            state_.avail_in = static_cast<std::uint32_t>(size);
            if (auto status = inflate_input(next); !status) return status;
            bytes = bytes.subspan(size);
        }
        return {};
    }

    Status end(Sink& /*next*/) override {
        if (place_ == Place::inside) return Error(ErrorCode::corrupt, "the compressed data ends too early");
        if (place_ == Place::before_first) return Error(ErrorCode::corrupt, "the compressed data is empty");
        begin();
        place_ = Place::before_first;
        return {};
    }

  private:
    enum class Place { before_first, inside, after };

    void begin() {
        isal_inflate_reset(&state_);
        // Reads the wrapping, and compares its checksum (and gzip's length) with what was inflated.
        state_.crc_flag = wrapping_ == Wrapping::gzip ? ISAL_GZIP : ISAL_ZLIB;
    }

    Status inflate_input(Sink& next) {
        bool output_full = false;
        while (state_.avail_in > 0 || output_full) {
            if (place_ == Place::after) {
                if (wrapping_ == Wrapping::zlib)
                    return Error(ErrorCode::corrupt, "bytes follow the end of the compressed data");
                begin();
            }
            place_ = Place::inside;
            state_.next_out = reinterpret_cast<std::uint8_t*>(output_.data());
            state_.avail_out = static_cast<std::uint32_t>(output_.size());
            const int result = isal_inflate(&state_);
            if (result < 0 || result == ISAL_NEED_DICT) return damaged(result);
            const std::size_t produced = output_.size() - state_.avail_out;
            if (produced > 0)
                if (auto status = next.write(Bytes(output_).first(produced)); !status) return status;
            // Only once the checksum was there, and right.
            if (state_.block_state == ISAL_BLOCK_FINISH) place_ = Place::after;
            output_full = state_.avail_out == 0 && place_ == Place::inside;
        }
        return {};
    }

    static Error damaged(int result) {
        switch (result) {
            case ISAL_NEED_DICT: return {ErrorCode::corrupt, "the compressed data asks for a dictionary"};
            case ISAL_INCORRECT_CHECKSUM:
                return {ErrorCode::corrupt, "the compressed data is damaged: its checksum is wrong"};
            case ISAL_INVALID_WRAPPER:
            case ISAL_UNSUPPORTED_METHOD:
                return {ErrorCode::corrupt, "the compressed data is damaged: it begins with no header that fits"};
            default: return {ErrorCode::corrupt, "the compressed data is damaged: what it says cannot be inflated"};
        }
    }

    Wrapping wrapping_;
    Place place_ = Place::before_first;
    inflate_state state_{};
    std::vector<std::byte> output_;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_zlib_decoder() {
    return std::make_unique<InflateDecoder>(Wrapping::zlib);
}

std::unique_ptr<StreamDecoder> make_gzip_decoder() {
    return std::make_unique<InflateDecoder>(Wrapping::gzip);
}

}  // namespace pgbakd::codec
