#include <zstd.h>
#include <zstd_errors.h>

#include <new>
#include <vector>

#include "codec/stream_decoder.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

// 2^27 = 128 MiB: what `zstd -d` accepts without being asked, and what pg_dump's long-distance mode writes.
constexpr int largest_window_log = 27;

class ZstdDecoder final : public StreamDecoder {
  public:
    ZstdDecoder() : context_(ZSTD_createDCtx()), output_(ZSTD_DStreamOutSize()) {
        if (!context_) throw std::bad_alloc();
        ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, largest_window_log);
    }

    Status write(Bytes bytes, Sink& next) override {
        ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
        bool output_full = false;
        while (input.pos < input.size || output_full) {
            ZSTD_outBuffer output{output_.data(), output_.size(), 0};
            const std::size_t hint = ZSTD_decompressStream(context_.get(), &output, &input);
            if (ZSTD_isError(hint) != 0) return damaged(hint);
            place_ = hint == 0 ? Place::after : Place::inside;
            if (output.pos > 0)
                if (auto status = next.write(Bytes(output_).first(output.pos)); !status) return status;
            output_full = output.pos == output.size && hint != 0;
        }
        return {};
    }

    Status end(Sink& /*next*/) override {
        if (place_ == Place::inside) return Error(ErrorCode::corrupt, "the compressed data ends too early");
        if (place_ == Place::before_first) return Error(ErrorCode::corrupt, "the compressed data is empty");
        ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
        place_ = Place::before_first;
        return {};
    }

  private:
    enum class Place { before_first, inside, after };

    static Error damaged(std::size_t code) {
        switch (ZSTD_getErrorCode(code)) {
            case ZSTD_error_memory_allocation: return {ErrorCode::internal, "zstd ran out of memory"};
            case ZSTD_error_frameParameter_windowTooLarge:
                return {ErrorCode::corrupt, "the compressed data is damaged, or asks for a window above 128 MiB"};
            default:
                return {ErrorCode::corrupt, std::string("the compressed data is damaged: ") + ZSTD_getErrorName(code)};
        }
    }

    struct Free {
        void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
    };
    std::unique_ptr<ZSTD_DCtx, Free> context_;
    Place place_ = Place::before_first;
    std::vector<std::byte> output_;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_zstd_decoder() {
    return std::make_unique<ZstdDecoder>();
}

}  // namespace pgbakd::codec
