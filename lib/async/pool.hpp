// The one pool for what would block the reactor: compression, hashing, fsync, directory walks, SQLite.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/asio.hpp"

namespace pgbakd::async {

class Pool {
  public:
    // `threads` of them, each with `nice` added to the process's own niceness.
    Pool(std::size_t threads, int nice);
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool();

    [[nodiscard]] std::size_t threads() const noexcept { return threads_; }
    // How many jobs have ended since the start: it moves while the pool makes progress.
    [[nodiscard]] std::uint64_t completed() const noexcept { return completed_.load(std::memory_order_relaxed); }
    // When the last of them ended; at first, when the pool was made.
    [[nodiscard]] std::chrono::steady_clock::time_point last_end() const noexcept {
        return std::chrono::steady_clock::time_point(
            std::chrono::steady_clock::duration(last_end_.load(std::memory_order_relaxed)));
    }
    // How many jobs under way nobody waits for any more (async/leaving.hpp).
    [[nodiscard]] int left() const noexcept { return left_.load(); }
    void add_left(int change) noexcept { left_.fetch_add(change); }
    // Waits for the jobs under way; no further ones run.
    void join();

    class Job {
      public:
        Job() = default;
        Job(const Job&) = delete;
        Job& operator=(const Job&) = delete;
        virtual ~Job() = default;
        virtual void run() = 0;
        std::exception_ptr failure;
    };
    // Runs the job on the pool, then calls `done` on `executor`.
    void submit(std::shared_ptr<Job> job, const asio::any_io_executor& executor, std::function<void()> done);
    // Runs what throws nothing, and tells nobody of its end.
    void run(std::function<void()> work);
    // Runs the job on the pool and resumes on the caller's executor; rethrows what the job threw.
    asio::awaitable<void> await(std::shared_ptr<Job> job);

  private:
    void perform(Job& job) noexcept;
    void count_end() noexcept;
    std::size_t threads_;
    std::atomic<std::uint64_t> completed_{0};
    std::atomic<std::chrono::steady_clock::rep> last_end_;
    std::atomic<int> left_{0};
    asio::thread_pool pool_;
};

namespace detail {

template <class Function, class Value>
class FunctionJob final : public Pool::Job {
  public:
    explicit FunctionJob(Function function) : function_(std::move(function)) {}
    void run() override { value.emplace(function_()); }
    std::optional<Value> value;

  private:
    Function function_;
};

template <class Function>
class FunctionJob<Function, void> final : public Pool::Job {
  public:
    explicit FunctionJob(Function function) : function_(std::move(function)) {}
    void run() override { function_(); }

  private:
    Function function_;
};

template <class Function, class Value>
asio::awaitable<Value> finish(Pool& pool, std::shared_ptr<FunctionJob<Function, Value>> job) {
    co_await pool.await(job);
    if constexpr (!std::is_void_v<Value>) co_return std::move(*job->value);
}

}  // namespace detail

// Runs a copy of `function` on the pool; its value or exception comes back to the coroutine. The function has a name of
// its own before it comes here: g++ 12 copies a capturing lambda that is written inside a co_await expression bit by
// bit and destroys its captures twice. So a temporary does not compile.
template <class Function>
[[nodiscard]] auto run_blocking(Pool& pool, const Function& function)
    -> asio::awaitable<std::invoke_result_t<Function&>> {
    using Value = std::invoke_result_t<Function&>;
    return detail::finish<Function, Value>(pool, std::make_shared<detail::FunctionJob<Function, Value>>(function));
}
template <class Function>
void run_blocking(Pool& pool, const Function&& function) = delete;

}  // namespace pgbakd::async
