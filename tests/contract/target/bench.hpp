// What the cases of this suite are written with: a target of some kind on a reactor of its own, and plain calls for
// what coroutines do.
#pragma once

#include <unistd.h>

#include <iostream>

#include "async/pool.hpp"
#include "base/error.hpp"
#include "place.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/noise.hpp"
#include "target/target.hpp"

namespace contract {

namespace asio = pgbakd::asio;
namespace async = pgbakd::async;
namespace base = pgbakd::base;
namespace target = pgbakd::target;

using pgbakd::testing::noise;

inline async::Chunk chunk_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
}

class StringSink final : public target::Sink {
  public:
    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken) override {
        text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (on_write) on_write();
        co_return;
    }
    std::string text;
    std::function<void()> on_write;
};

template <class PlaceType>
class Bench {
  public:
    // Whether this kind can be tried here; if not, prints the line by which ctest knows a skipped test.
    [[nodiscard]] bool ready() {
        const auto reason = PlaceType::missing();
        if (reason.empty()) {
            if constexpr (requires { place.open(io_.get_executor(), pool_); })
                target_ = place.open(io_.get_executor(), pool_);
            else
                target_ = place.open(pool_);
            return true;
        }
        std::cout << "SKIPPED: " << reason << '\n';
        return false;
    }
    [[nodiscard]] target::Target& target() { return *target_; }
    // To be kept while it is still used, where ready() opens another.
    [[nodiscard]] std::shared_ptr<target::Target> opened() const { return target_; }

    template <class T>
    T run(asio::awaitable<T> task) {
        std::exception_ptr failure;
        if constexpr (std::is_void_v<T>) {
            asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& thrown) { failure = thrown; });
            go();
            if (failure) std::rethrow_exception(failure);
        } else {
            std::optional<T> result;
            asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& thrown, T value) {
                failure = thrown;
                if (!thrown) result.emplace(std::move(value));
            });
            go();
            if (failure) std::rethrow_exception(failure);
            return std::move(*result);
        }
    }

    target::Receipt put(const std::string& key, const std::string& content, target::PutOptions options = {},
                        std::size_t chunk = 100'000) {
        return run(put_chunks(key, content, std::move(options), chunk));
    }
    std::string get(const std::string& key, target::Range range = {}) {
        StringSink sink;
        const auto count = run(target().get(key, range, sink, {}));
        CHECK(count == sink.text.size());
        return sink.text;
    }
    std::optional<target::Entry> stat(const std::string& key, target::Detail detail = target::Detail::plain) {
        return run(target().stat(key, detail, {}));
    }
    std::vector<target::Refusal> remove(std::vector<std::string> keys) {
        return run(target().remove(std::move(keys), {}));
    }
    std::vector<std::string> keys(const std::string& prefix = "", std::size_t limit = 1000) {
        std::vector<std::string> found;
        std::string cursor;
        do {
            const auto page = run(target().list(prefix, cursor, limit, {}));
            CHECK(page.entries.size() <= limit);
            for (const auto& entry : page.entries) found.push_back(entry.key);
            cursor = page.next;
        } while (!cursor.empty());
        return found;
    }
    template <class Call>
    base::Error error_of(const Call& call) {
        return pgbakd::testing::error_of(call);
    }

    [[nodiscard]] asio::io_context& io() { return io_; }
    PlaceType place;

  private:
    void go() {
        io_.restart();
        io_.run();
    }
    asio::awaitable<target::Receipt> put_chunks(std::string key, std::string content, target::PutOptions options,
                                                std::size_t size) {
        const auto upload = co_await target().put(std::move(key), std::move(options), {});
        std::exception_ptr failure;
        target::Receipt receipt;
        try {
            for (std::size_t at = 0; at < content.size(); at += size) {
                const auto chunk = chunk_of(std::string_view(content).substr(at, size));
                co_await upload->write(chunk, {});
            }
            receipt = co_await upload->finish({});
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) {
            co_await upload->abort();
            std::rethrow_exception(failure);
        }
        co_return receipt;
    }

    asio::io_context io_;
    async::Pool pool_{2, 0};
    std::shared_ptr<target::Target> target_;
};

}  // namespace contract
