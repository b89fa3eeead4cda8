#include "codec/stream_decoder.hpp"

namespace pgbakd::codec {

namespace {

class StoredDecoder final : public StreamDecoder {
  public:
    base::Status write(Bytes bytes, Sink& next) override { return next.write(bytes); }
    base::Status end(Sink& /*next*/) override { return {}; }
};

}  // namespace

std::unique_ptr<StreamDecoder> make_stored_decoder() {
    return std::make_unique<StoredDecoder>();
}

std::unique_ptr<StreamDecoder> make_stream_decoder(Method method) {
    switch (method) {
        case Method::none: break;
        case Method::gzip: return make_gzip_decoder();
        case Method::zstd: return make_zstd_decoder();
    }
    return make_stored_decoder();
}

base::Result<std::unique_ptr<StreamDecoder>> make_block_decoder(ArchiveCompression compression) {
    switch (compression) {
        case ArchiveCompression::none: return make_stored_decoder();
        case ArchiveCompression::gzip: return make_zlib_decoder();
        case ArchiveCompression::zstd: return make_zstd_decoder();
        case ArchiveCompression::lz4: break;
    }
    return make_lz4_decoder();
}

}  // namespace pgbakd::codec
