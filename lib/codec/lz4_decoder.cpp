#include "codec/stream_decoder.hpp"

#if defined(PGBAKD_LZ4)

#include <lz4frame.h>

#include <new>
#include <vector>

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

class Lz4Decoder final : public StreamDecoder {
  public:
    Lz4Decoder() : output_(128UL * 1024) {
        LZ4F_dctx* context = nullptr;
        if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) throw std::bad_alloc();
        context_.reset(context);
    }

    Status write(Bytes bytes, Sink& next) override {
        bool output_full = false;
        while (!bytes.empty() || output_full) {
            std::size_t produced = output_.size();
            std::size_t consumed = bytes.size();
            const std::size_t hint =
                LZ4F_decompress(context_.get(), output_.data(), &produced, bytes.data(), &consumed, nullptr);
            if (LZ4F_isError(hint) != 0)
                return Error(ErrorCode::corrupt,
                             std::string("the compressed data is damaged: ") + LZ4F_getErrorName(hint));
            place_ = hint == 0 ? Place::after : Place::inside;
            bytes = bytes.subspan(consumed);
            if (produced > 0)
                if (auto status = next.write(Bytes(output_).first(produced)); !status) return status;
            output_full = produced == output_.size() && hint != 0;
        }
        return {};
    }

    Status end(Sink& /*next*/) override {
        if (place_ == Place::inside) return Error(ErrorCode::corrupt, "the compressed data ends too early");
        if (place_ == Place::before_first) return Error(ErrorCode::corrupt, "the compressed data is empty");
        LZ4F_resetDecompressionContext(context_.get());
        place_ = Place::before_first;
        return {};
    }

  private:
    enum class Place { before_first, inside, after };
    struct Free {
        void operator()(LZ4F_dctx* context) const noexcept { LZ4F_freeDecompressionContext(context); }
    };
    std::unique_ptr<LZ4F_dctx, Free> context_;
    Place place_ = Place::before_first;
    std::vector<std::byte> output_;
};

}  // namespace

base::Result<std::unique_ptr<StreamDecoder>> make_lz4_decoder() {
    return std::unique_ptr<StreamDecoder>(std::make_unique<Lz4Decoder>());
}

}  // namespace pgbakd::codec

#else

namespace pgbakd::codec {

base::Result<std::unique_ptr<StreamDecoder>> make_lz4_decoder() {
    return base::Error(base::ErrorCode::unsupported, "data compressed with lz4 cannot be checked by this build",
                       "let pg_dump compress with zstd or gzip instead");
}

}  // namespace pgbakd::codec

#endif
