#include "async/pool.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <functional>

namespace pgbakd::async {

Pool::Pool(std::size_t threads, int nice)
    : threads_(threads), last_end_(std::chrono::steady_clock::now().time_since_epoch().count()), pool_(threads) {
    // On Linux niceness belongs to a thread. Each worker takes one of these, holding it until all have come.
    auto waiting = std::make_shared<std::atomic<std::size_t>>(threads);
    for (std::size_t i = 0; i < threads; ++i) {
        asio::post(pool_, [waiting, nice] {
            // Signals are the reactor's.
            sigset_t all;
            sigfillset(&all);
            pthread_sigmask(SIG_BLOCK, &all, nullptr);
            const auto thread = static_cast<id_t>(syscall(SYS_gettid));
            if (nice > 0) setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, 0) + nice);
            waiting->fetch_sub(1);
            waiting->notify_all();
            for (auto left = waiting->load(); left > 0; left = waiting->load()) waiting->wait(left);
        });
    }
    for (auto left = waiting->load(); left > 0; left = waiting->load()) waiting->wait(left);
}

Pool::~Pool() {
    join();
}

void Pool::join() {
    pool_.join();
}

void Pool::perform(Job& job) noexcept {
    try {
        job.run();
    } catch (...) {
        job.failure = std::current_exception();
    }
    count_end();
}

void Pool::count_end() noexcept {
    completed_.fetch_add(1, std::memory_order_relaxed);
    last_end_.store(std::chrono::steady_clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

void Pool::run(std::function<void()> work) {
    asio::post(pool_, [this, work = std::move(work)]() mutable {
        work();
        work = nullptr;
        count_end();
    });
}

void Pool::submit(std::shared_ptr<Job> job, const asio::any_io_executor& executor, std::function<void()> done) {
    // Tracked work keeps the reactor's run() from returning while a job is on the pool.
    auto tracked = asio::prefer(executor, asio::execution::outstanding_work.tracked);
    asio::post(pool_, [this, job = std::move(job), tracked = std::move(tracked), done = std::move(done)]() mutable {
        perform(*job);
        job.reset();
        asio::post(tracked, std::move(done));
    });
}

asio::awaitable<void> Pool::await(std::shared_ptr<Job> job) {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [this, &job, &executor](auto handler) {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            submit(job, executor, [shared] { (*shared)(); });
        },
        asio::use_awaitable);
    if (job->failure) std::rethrow_exception(job->failure);
}

}  // namespace pgbakd::async
