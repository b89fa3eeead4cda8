#include "codec/compress.hpp"
#include "codec/stream_decoder.hpp"

namespace pgbakd::codec {

namespace {

class DecoderSink final : public Sink {
  public:
    DecoderSink(Method method, Sink& next) : decoder_(make_stream_decoder(method)), next_(next) {}
    base::Status write(Bytes bytes) override { return decoder_->write(bytes, next_); }
    base::Status finish() override {
        if (auto status = decoder_->end(next_); !status) return status;
        return next_.finish();
    }

  private:
    std::unique_ptr<StreamDecoder> decoder_;
    Sink& next_;
};

}  // namespace

std::unique_ptr<Sink> make_decoder(Method method, Sink& next) {
    return std::make_unique<DecoderSink>(method, next);
}

}  // namespace pgbakd::codec
