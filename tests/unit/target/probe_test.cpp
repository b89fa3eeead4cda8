#include "target/probe.hpp"

#include "support/common.hpp"
#include "support/memory_target.hpp"

using namespace pgbakd;
using base::ErrorCode;
using target::ProbeResult;

namespace {

struct Bench {
    asio::io_context io;
    support::MemoryTarget target;

    template <class T>
    T run(asio::awaitable<T> task) {
        std::exception_ptr failure;
        std::optional<T> result;
        io.restart();
        asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& thrown, T value) {
            failure = thrown;
            if (!thrown) result.emplace(std::move(value));
        });
        io.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
    // What each step came to: good, failed or not tried.
    std::string outcomes() {
        std::string text;
        for (const auto& result : run(target::probe(target, base::Timestamp{}, {})).results)
            text += result.outcome == ProbeResult::Outcome::good     ? 'g'
                    : result.outcome == ProbeResult::Outcome::failed ? 'f'
                                                                     : '-';
        return text;
    }
};

}  // namespace

TEST_CASE("a probe is removed whatever failed, though its put did") {
    Bench bench;
    CHECK(bench.outcomes() == "gggg");
    const auto all = bench.target.calls.size();
    REQUIRE(all == 6);  // put, write, finish, get, list, remove
    for (std::size_t call = 1; call < all; ++call) {
        INFO(call);
        Bench broken;
        broken.target.failure = {ErrorCode::permission_denied, "so the test wants it"};
        broken.target.fail_at = call;
        broken.target.answer_lost = true;
        CHECK(broken.outcomes() == (call < 4 ? "f-g-" : call == 4 ? "gfgg" : "ggfg"));
        CHECK(broken.target.keys().empty());
        CHECK(broken.target.open_uploads == 0);
    }
}

TEST_CASE("where a place does not answer, nobody waits for it to remove what is hardly there") {
    Bench bench;
    bench.target.away = true;
    CHECK(bench.outcomes() == "f-f-");
    for (const auto& call : bench.target.calls) CHECK_FALSE(call.starts_with("remove"));
}

TEST_CASE("a probe that is stopped leaves nothing") {
    Bench bench;
    async::StopSource source;
    bench.target.on_call = [&source](const std::string& call) {
        if (call.starts_with("get")) source.stop({ErrorCode::timed_out, "it took too long"});
    };
    const auto stopped = [&] { bench.run(target::probe(bench.target, base::Timestamp{}, source.token())); };
    CHECK_THROWS_AS(stopped(), base::Error);
    CHECK(bench.target.keys().empty());
    bench.target.on_call = [&source](const std::string& call) {
        if (call.starts_with("stat")) throw base::Error(ErrorCode::permission_denied, "so the test wants it");
    };
    CHECK_THROWS_AS(bench.run(target::place_time(bench.target, {})), base::Error);
    CHECK(bench.target.keys().empty());
}
