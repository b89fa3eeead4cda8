#include "run/length_told.hpp"

#include "target/forwarding.hpp"

namespace pgbakd::run {
namespace {

using File = std::shared_ptr<const offsite::Growing>;

class ToldUpload final : public target::ForwardingUpload {
  public:
    ToldUpload(std::unique_ptr<target::Upload> inner, File file)
        : ForwardingUpload(std::move(inner)), file_(std::move(file)) {
        tell();
    }
    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override {
        tell();
        return inner().write(std::move(chunk), std::move(stop));
    }
    asio::awaitable<target::Receipt> finish(async::StopToken stop) override {
        tell();
        return inner().finish(std::move(stop));
    }

  private:
    void tell() {
        if (const auto length = file_->length()) inner().expect(*length);
    }
    File file_;
};

class ToldTarget final : public target::ForwardingTarget {
  public:
    ToldTarget(std::shared_ptr<target::Target> inner, File file)
        : ForwardingTarget(std::move(inner)), file_(std::move(file)) {}
    asio::awaitable<std::unique_ptr<target::Upload>> put(std::string key, target::PutOptions options,
                                                         async::StopToken stop) override {
        auto upload = co_await inner().put(std::move(key), std::move(options), std::move(stop));
        co_return std::make_unique<ToldUpload>(std::move(upload), file_);
    }

  private:
    File file_;
};

}  // namespace

std::shared_ptr<target::Target> with_length_told(std::shared_ptr<target::Target> inner, File file) {
    return std::make_shared<ToldTarget>(std::move(inner), std::move(file));
}

}  // namespace pgbakd::run
