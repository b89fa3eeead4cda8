// What decorators of targets and of uploads derive from: everything goes to the one inside.
#pragma once

#include <memory>
#include <utility>

#include "target/placing.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

class ForwardingTarget : public Target {
  public:
    explicit ForwardingTarget(std::shared_ptr<Target> inner) : inner_(std::move(inner)) {}

    asio::awaitable<Facts> facts(async::StopToken stop) override { return inner_->facts(std::move(stop)); }
    asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options, async::StopToken stop) override {
        return inner_->put(std::move(key), std::move(options), std::move(stop));
    }
    asio::awaitable<std::uint64_t> get(std::string key, Range range, Sink& sink, async::StopToken stop) override {
        return inner_->get(std::move(key), range, sink, std::move(stop));
    }
    asio::awaitable<Page> list(std::string prefix, std::string cursor, std::size_t limit,
                               async::StopToken stop) override {
        return inner_->list(std::move(prefix), std::move(cursor), limit, std::move(stop));
    }
    asio::awaitable<std::optional<Entry>> stat(std::string key, Detail detail, async::StopToken stop) override {
        return inner_->stat(std::move(key), detail, std::move(stop));
    }
    asio::awaitable<std::vector<Refusal>> remove(std::vector<std::string> keys, async::StopToken stop) override {
        return inner_->remove(std::move(keys), std::move(stop));
    }
    asio::awaitable<Swept> sweep(base::Timestamp older_than, async::StopToken stop) override {
        return inner_->sweep(older_than, std::move(stop));
    }
    asio::awaitable<std::optional<Room>> room(async::StopToken stop) override { return inner_->room(std::move(stop)); }
    asio::awaitable<PartsTried> try_parts(std::string key, async::StopToken stop) override {
        return inner_->try_parts(std::move(key), std::move(stop));
    }

  protected:
    [[nodiscard]] Target& inner() const noexcept { return *inner_; }

  private:
    std::shared_ptr<Target> inner_;
};

class ForwardingUpload : public Upload, public Placing {
  public:
    explicit ForwardingUpload(std::unique_ptr<Upload> inner) : inner_(std::move(inner)) {}

    [[nodiscard]] std::uint64_t begins_at() const noexcept override { return inner_->begins_at(); }
    void expect(std::uint64_t size) override { inner_->expect(size); }
    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override {
        return inner_->write(std::move(chunk), std::move(stop));
    }
    asio::awaitable<Receipt> finish(async::StopToken stop) override { return inner_->finish(std::move(stop)); }
    [[nodiscard]] bool has_placed() const noexcept override { return target::has_placed(*inner_); }
    [[nodiscard]] std::string checkpoint() const override { return inner_->checkpoint(); }
    asio::awaitable<void> suspend() override { return inner_->suspend(); }
    asio::awaitable<void> abort() override { return inner_->abort(); }

  protected:
    [[nodiscard]] Upload& inner() const noexcept { return *inner_; }

  private:
    std::unique_ptr<Upload> inner_;
};

}  // namespace pgbakd::target
