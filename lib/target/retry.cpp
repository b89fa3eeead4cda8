#include "target/retry.hpp"

#include "target/forwarding.hpp"

namespace pgbakd::target {
namespace {

// Counts what went through, and remembers whether it was the sink that failed: that is not the target's failure, and
// how much of the last bytes it took nobody knows.
class CountingSink final : public Sink {
  public:
    explicit CountingSink(Sink& inner) : inner_(inner) {}
    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override {
        broken_ = true;
        co_await inner_.write(bytes, std::move(stop));
        broken_ = false;
        count_ += bytes.size();
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] bool broken() const noexcept { return broken_; }

  private:
    Sink& inner_;
    std::uint64_t count_ = 0;
    bool broken_ = false;
};

class RetryingTarget final : public ForwardingTarget {
  public:
    RetryingTarget(std::shared_ptr<Target> inner, RetryPolicy policy)
        : ForwardingTarget(std::move(inner)), policy_(std::move(policy)) {}

    asio::awaitable<Facts> facts(async::StopToken stop) override {
        const std::function<asio::awaitable<Facts>()> attempt = [this, stop] { return inner().facts(stop); };
        co_return co_await retried(policy_, attempt, stop);
    }
    asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options, async::StopToken stop) override {
        const std::function<asio::awaitable<std::unique_ptr<Upload>>()> attempt = [this, key, options, stop] {
            return inner().put(key, options, stop);
        };
        co_return co_await retried(policy_, attempt, stop);
    }
    asio::awaitable<std::uint64_t> get(std::string key, Range range, Sink& sink, async::StopToken stop) override {
        CountingSink counting(sink);
        const std::function<asio::awaitable<std::uint64_t>()> attempt = [this, key, range, stop, &counting] {
            return get_rest(key, range, counting, stop);
        };
        co_return co_await retried(policy_, attempt, stop);
    }
    asio::awaitable<Page> list(std::string prefix, std::string cursor, std::size_t limit,
                               async::StopToken stop) override {
        const std::function<asio::awaitable<Page>()> attempt = [this, prefix, cursor, limit, stop] {
            return inner().list(prefix, cursor, limit, stop);
        };
        co_return co_await retried(policy_, attempt, stop);
    }
    asio::awaitable<std::optional<Entry>> stat(std::string key, Detail detail, async::StopToken stop) override {
        const std::function<asio::awaitable<std::optional<Entry>>()> attempt = [this, key, detail, stop] {
            return inner().stat(key, detail, stop);
        };
        co_return co_await retried(policy_, attempt, stop);
    }
    asio::awaitable<std::vector<Refusal>> remove(std::vector<std::string> keys, async::StopToken stop) override {
        const std::function<asio::awaitable<std::vector<Refusal>>()> attempt = [this, keys, stop] {
            return inner().remove(keys, stop);
        };
        co_return co_await retried(policy_, attempt, stop);
    }
    asio::awaitable<Swept> sweep(base::Timestamp older_than, async::StopToken stop) override {
        const std::function<asio::awaitable<Swept>()> attempt = [this, older_than, stop] {
            return inner().sweep(older_than, stop);
        };
        co_return co_await retried(policy_, attempt, stop);
    }

    asio::awaitable<PartsTried> try_parts(std::string key, async::StopToken stop) override {
        const std::function<asio::awaitable<PartsTried>()> attempt = [this, key, stop] {
            return inner().try_parts(key, stop);
        };
        co_return co_await retried(policy_, attempt, stop);
    }

  private:
    asio::awaitable<std::uint64_t> get_rest(std::string key, Range range, CountingSink& sink, async::StopToken stop) {
        const auto had = sink.count();
        range.offset += had;
        if (range.length) {
            *range.length -= had;
            if (*range.length == 0 && had > 0) co_return had;
        }
        std::exception_ptr failure;
        try {
            co_await inner().get(std::move(key), range, sink, std::move(stop));
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) co_return sink.count();
        if (!sink.broken()) std::rethrow_exception(failure);
        const auto error = base::to_error(failure);
        throw base::Error(error.code(), error.message(), error.hint());  // lasting, so that it is not tried again
    }

    RetryPolicy policy_;
};

}  // namespace

std::chrono::milliseconds pause_asked_for(const base::Error& error) noexcept {
    const auto* const throttled = dynamic_cast<const Throttled*>(&error);
    return throttled == nullptr ? std::chrono::milliseconds(0) : throttled->pause();
}

std::shared_ptr<Target> with_retry(std::shared_ptr<Target> inner, RetryPolicy policy) {
    return std::make_shared<RetryingTarget>(std::move(inner), std::move(policy));
}

}  // namespace pgbakd::target
