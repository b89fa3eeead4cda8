// zlib's inflate, which takes its input in pieces of any size: gzip members one after another, or one zlib stream.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
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
        // 15: the largest window; 16 more asks zlib for the gzip wrapping.
        if (inflateInit2(&stream_, wrapping == Wrapping::gzip ? 15 + 16 : 15) != Z_OK) throw std::bad_alloc();
    }
    ~InflateDecoder() override { inflateEnd(&stream_); }

    Status write(Bytes bytes, Sink& next) override {
        while (!bytes.empty()) {
            const std::size_t size = std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max());
            // zlib's interface predates const; it does not write to its input.
            stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
            stream_.avail_in = static_cast<uInt>(size);
            if (auto status = inflate_input(next); !status) return status;
            bytes = bytes.subspan(size);
        }
        return {};
    }

    Status end(Sink& /*next*/) override {
        if (place_ == Place::inside) return Error(ErrorCode::corrupt, "the compressed data ends too early");
        if (place_ == Place::before_first) return Error(ErrorCode::corrupt, "the compressed data is empty");
        inflateReset(&stream_);
        place_ = Place::before_first;
        return {};
    }

  private:
    enum class Place { before_first, inside, after };

    Status inflate_input(Sink& next) {
        bool output_full = false;
        while (stream_.avail_in > 0 || output_full) {
            if (place_ == Place::after && stream_.avail_in > 0) {
                if (wrapping_ == Wrapping::zlib)
                    return Error(ErrorCode::corrupt, "bytes follow the end of the compressed data");
                inflateReset(&stream_);
            }
            place_ = Place::inside;
            stream_.next_out = reinterpret_cast<Bytef*>(output_.data());
            stream_.avail_out = static_cast<uInt>(output_.size());
            const int result = inflate(&stream_, Z_NO_FLUSH);
            const std::size_t produced = output_.size() - stream_.avail_out;
            // Z_BUF_ERROR: the output buffer was full exactly at the end of what this input yields.
            if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return damaged(result);
            if (produced > 0)
                if (auto status = next.write(Bytes(output_).first(produced)); !status) return status;
            if (result == Z_STREAM_END) place_ = Place::after;
            output_full = stream_.avail_out == 0 && result == Z_OK;
        }
        return {};
    }

    [[nodiscard]] Error damaged(int result) const {
        if (result == Z_MEM_ERROR) return {ErrorCode::internal, "zlib ran out of memory"};
        if (result == Z_NEED_DICT) return {ErrorCode::corrupt, "the compressed data asks for a dictionary"};
        return {ErrorCode::corrupt, std::string("the compressed data is damaged: ") +
                                        (stream_.msg != nullptr ? stream_.msg : "zlib refused it")};
    }

    Wrapping wrapping_;
    Place place_ = Place::before_first;
    z_stream stream_{};
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
