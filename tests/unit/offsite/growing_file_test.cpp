#include "offsite/growing_file.hpp"

#include "async/task_group.hpp"
#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using offsite::GrowingFile;

namespace {

// What a reader sees, from offset to offset, until no more comes.
asio::awaitable<void> follow(std::shared_ptr<GrowingFile> file, std::vector<std::uint64_t>& seen, async::StopToken stop,
                             std::optional<base::Error>& failure) {
    try {
        std::uint64_t offset = 0;
        for (;;) {
            const auto available = co_await file->wait_beyond(offset, stop);
            if (available <= offset) break;
            offset = available;
            seen.push_back(offset);
        }
        seen.push_back(co_await file->wait_complete(stop));
    } catch (const base::Error& error) {
        failure = error;
    }
}

struct Followed {
    std::vector<std::uint64_t> seen;
    std::optional<base::Error> failure;
};

// Each step of a writer, the reader let run between them.
Followed steps(const std::vector<std::function<void(GrowingFile&)>>& writer, async::StopToken stop = {}) {
    asio::io_context io;
    const auto file = std::make_shared<GrowingFile>(io.get_executor(), "/x/shop.dump");
    Followed followed;
    asio::co_spawn(io, follow(file, followed.seen, std::move(stop), followed.failure),
                   [](const std::exception_ptr&) {});
    io.poll();
    for (const auto& step : writer) {
        step(*file);
        io.poll();
    }
    return followed;
}

auto grown(std::uint64_t bytes) {
    return [bytes](GrowingFile& file) { file.grown_to(bytes); };
}
auto complete(std::uint64_t bytes) {
    return [bytes](GrowingFile& file) { file.complete(bytes); };
}

}  // namespace

TEST_CASE("a reader sees what was written, and its end only when it is known to be right") {
    using Seen = std::vector<std::uint64_t>;
    CHECK(steps({grown(0), grown(10), grown(10), grown(25), complete(25)}).seen == Seen{10, 25, 25});
    CHECK(steps({grown(10), grown(5), grown(12)}).seen == Seen{10, 12});  // told late
    CHECK(steps({complete(0)}).seen == Seen{0});
    CHECK(steps({complete(7)}).seen == Seen{7, 7});
    CHECK(steps({grown(7)}).seen == Seen{7});  // and waits
    CHECK(steps({grown(7), complete(7), [](GrowingFile& file) { file.abandon(); }}).seen == Seen{7, 7});
}

TEST_CASE("a reader ends when the file is given up, or when it is stopped") {
    const auto given_up = steps({grown(7), [](GrowingFile& file) { file.abandon(); }});
    REQUIRE(given_up.failure);
    CHECK(given_up.failure->code() == ErrorCode::cancelled);
    CHECK(given_up.failure->message() == "shop.dump was given up while it was written");
    async::StopSource source;
    const auto stopped = steps({grown(7),
                                [&source](GrowingFile&) {
                                    source.stop({ErrorCode::interrupted, "the daemon stops"});
                                }},
                               source.token());
    REQUIRE(stopped.failure);
    CHECK(stopped.failure->code() == ErrorCode::interrupted);
}

TEST_CASE("what arrived of a file is of use later if the file stays") {
    asio::io_context io;
    GrowingFile file(io.get_executor(), "/x");
    CHECK_FALSE(file.length());
    CHECK(file.may_be_sent_later(false));
    CHECK_FALSE(file.may_be_sent_later(true));
    SECTION("complete") {
        file.complete(3);
        CHECK(file.length() == 3U);
        CHECK(file.may_be_sent_later(false));
        CHECK(file.may_be_sent_later(true));
        file.abandon();
        CHECK_FALSE(file.is_abandoned());
    }
    SECTION("abandoned") {
        file.abandon();
        CHECK(file.is_abandoned());
        CHECK_FALSE(file.may_be_sent_later(false));
    }
}
