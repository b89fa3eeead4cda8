// How long tidying up may take, and what a sweep may take away.
#include "target/tidying.hpp"
#include "support/catch.hpp"
#include "target/live_upload.hpp"

using namespace pgbakd;
using namespace std::chrono_literals;

TEST_CASE("tidying up is hastened by the stop of what it tidies up after") {
    for (const bool stopped_before : {true, false}) {
        asio::io_context io;
        async::StopSource source;
        const base::Error reason(base::ErrorCode::interrupted, "the daemon is told to stop");
        if (stopped_before) source.stop(reason);
        const target::TidyingDeadline deadline(io.get_executor(), source.token(), 1h, "removing an upload", 1ms);
        io.poll();
        if (!stopped_before) {
            CHECK_FALSE(deadline.token().stopped());
            source.stop(reason);
        }
        // The stop alone does not end it.
        CHECK_FALSE(deadline.token().stopped());
        while (!deadline.token().stopped()) io.run_one();
        CHECK(deadline.token().reason().code() == base::ErrorCode::timed_out);
        CHECK(deadline.token().reason().message() == "removing an upload took too long");
    }
    // What has less time than that keeps it.
    asio::io_context io;
    const target::TidyingDeadline deadline(io.get_executor(), {}, 1ms, "removing an upload", 1h);
    while (!deadline.token().stopped()) io.run_one();
    CHECK(deadline.token().stopped());
}

TEST_CASE("the age of an upload is the place's, whichever clock is wrong") {
    const base::Timestamp now(1000h);
    struct Row {
        std::chrono::hours here, there, limit;  // by the clocks; of what was meant as 24 h by ours
    };
    for (const auto& row : {Row{1000h, 1000h, 976h}, Row{1048h, 1000h, 976h}, Row{1000h, 1048h, 976h}})
        CHECK(target::sweep_limit(base::Timestamp(row.here - 24h), base::Timestamp(row.here),
                                  base::Timestamp(row.there)) == base::Timestamp(row.limit));
    // A place that does not tell.
    CHECK(target::sweep_limit(now - 24h, now, {}) == now - 24h);
}

TEST_CASE("an upload is live as long as somebody holds it") {
    CHECK_FALSE(target::LiveUpload::is_live("a"));
    {
        const target::LiveUpload first("a");
        CHECK(target::LiveUpload::is_live("a"));
        { const target::LiveUpload second("a"); }
        CHECK(target::LiveUpload::is_live("a"));
        CHECK_FALSE(target::LiveUpload::is_live("b"));
    }
    CHECK_FALSE(target::LiveUpload::is_live("a"));
}
