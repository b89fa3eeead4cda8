#include "target/meter.hpp"

#include "target/forwarding.hpp"

namespace pgbakd::target {
namespace {

// Shared by a target and its uploads, which may outlive each other.
struct Book {
    std::shared_ptr<Meter> meter;
    const base::Clock& clock;
    std::uint64_t next = 0;

    // Passes the outcome of an operation on.
    template <class T>
    asio::awaitable<T> note(asio::awaitable<T> operation) {
        std::exception_ptr failure;
        std::optional<T> value;
        try {
            value.emplace(co_await std::move(operation));
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) fail(failure);
        succeed();
        co_return std::move(*value);
    }
    void succeed() const {
        meter->last_failure.reset();
        meter->stall_told = false;
        meter->last_succeeded = clock.now();
    }
    [[noreturn]] void fail(const std::exception_ptr& failure) const {
        auto error = base::to_error(failure);
        if (error.code() != base::ErrorCode::cancelled && error.code() != base::ErrorCode::interrupted) {
            ++meter->failures;
            meter->last_failed = clock.now();
            meter->last_failure = std::move(error);
        }
        std::rethrow_exception(failure);
    }
};

class MeteredUpload final : public ForwardingUpload {
  public:
    MeteredUpload(std::unique_ptr<Upload> inner, std::shared_ptr<Book> book, std::string key, const PutOptions& options)
        : ForwardingUpload(std::move(inner)), book_(std::move(book)), number_(book_->next++) {
        book_->meter->sending[number_] = {.key = std::move(key),
                                          .bytes = begins_at(),
                                          .begun_at = begins_at(),
                                          .of = options.size,
                                          .started = book_->clock.now()};
    }
    ~MeteredUpload() override { book_->meter->sending.erase(number_); }

    void expect(std::uint64_t size) override {
        book_->meter->sending[number_].of = size;
        inner().expect(size);
    }

    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override {
        const auto size = chunk->size();
        const auto begin = offer();
        std::exception_ptr failure;
        try {
            co_await inner().write(std::move(chunk), std::move(stop));
        } catch (...) {
            failure = std::current_exception();
        }
        taken(begin);
        if (failure) book_->fail(failure);
        book_->meter->bytes_sent += size;
        book_->meter->sending[number_].bytes += size;
    }
    asio::awaitable<Receipt> finish(async::StopToken stop) override {
        const auto begin = offer();
        std::exception_ptr failure;
        Receipt receipt;
        try {
            receipt = co_await inner().finish(std::move(stop));
        } catch (...) {
            failure = std::current_exception();
        }
        taken(begin);
        if (failure) book_->fail(failure);
        book_->succeed();
        ++book_->meter->uploads;
        co_return receipt;
    }

  private:
    base::SteadyTime offer() {
        book_->meter->sending[number_].offered = book_->clock.now();
        return book_->clock.steady();
    }
    void taken(base::SteadyTime begin) {
        book_->meter->sending[number_].offered.reset();
        book_->meter->time_sending += book_->clock.steady() - begin;
    }

    std::shared_ptr<Book> book_;
    std::uint64_t number_;
};

class MeteredSink final : public Sink {
  public:
    MeteredSink(Sink& inner, Meter& meter) : inner_(inner), meter_(meter) {}
    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override {
        meter_.bytes_received += bytes.size();
        return inner_.write(bytes, std::move(stop));
    }

  private:
    Sink& inner_;
    Meter& meter_;
};

class MeteredTarget final : public ForwardingTarget {
  public:
    MeteredTarget(std::shared_ptr<Target> inner, std::shared_ptr<Meter> meter, const base::Clock& clock)
        : ForwardingTarget(std::move(inner)), book_(std::make_shared<Book>(Book{std::move(meter), clock})) {}

    asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options, async::StopToken stop) override {
        auto upload = co_await book_->note(inner().put(key, options, std::move(stop)));
        co_return std::make_unique<MeteredUpload>(std::move(upload), book_, key, options);
    }
    asio::awaitable<std::uint64_t> get(std::string key, Range range, Sink& sink, async::StopToken stop) override {
        MeteredSink metered(sink, *book_->meter);
        co_return co_await book_->note(inner().get(std::move(key), range, metered, std::move(stop)));
    }
    asio::awaitable<Page> list(std::string prefix, std::string cursor, std::size_t limit,
                               async::StopToken stop) override {
        return book_->note(inner().list(std::move(prefix), std::move(cursor), limit, std::move(stop)));
    }
    asio::awaitable<std::optional<Entry>> stat(std::string key, Detail detail, async::StopToken stop) override {
        return book_->note(inner().stat(std::move(key), detail, std::move(stop)));
    }
    asio::awaitable<std::vector<Refusal>> remove(std::vector<std::string> keys, async::StopToken stop) override {
        return book_->note(inner().remove(std::move(keys), std::move(stop)));
    }
    asio::awaitable<Swept> sweep(base::Timestamp older_than, async::StopToken stop) override {
        return book_->note(inner().sweep(older_than, std::move(stop)));
    }

  private:
    std::shared_ptr<Book> book_;
};

}  // namespace

std::shared_ptr<Target> with_meter(std::shared_ptr<Target> inner, std::shared_ptr<Meter> meter,
                                   const base::Clock& clock) {
    return std::make_shared<MeteredTarget>(std::move(inner), std::move(meter), clock);
}

}  // namespace pgbakd::target
