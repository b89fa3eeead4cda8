#include "target/listing.hpp"

#include "support/common.hpp"
#include "target/forwarding.hpp"

namespace asio = pgbakd::asio;
namespace async = pgbakd::async;
namespace base = pgbakd::base;
namespace target = pgbakd::target;
using base::ErrorCode;

namespace {

// Gives page after page, as `make` has them by their numbers from 0.
class Pages final : public target::ForwardingTarget {
  public:
    explicit Pages(std::function<target::Page(std::size_t)> make) : ForwardingTarget(nullptr), make_(std::move(make)) {}
    asio::awaitable<target::Page> list(std::string, std::string, std::size_t, async::StopToken) override {
        co_return make_(asked++);
    }
    std::size_t asked = 0;

  private:
    std::function<target::Page(std::size_t)> make_;
};

target::Page page(const std::vector<std::string>& keys, std::string next) {
    target::Page result;
    for (const auto& key : keys) {
        result.entries.emplace_back();
        result.entries.back().key = key;
    }
    result.next = std::move(next);
    return result;
}

std::string number(std::size_t at) {
    auto text = std::to_string(at);
    return std::string(8 - text.size(), '0') + text;
}

// All keys that came; `most` is the bound.
std::vector<std::string> read(target::Target& pages, std::uint64_t most) {
    std::vector<std::string> keys;
    std::exception_ptr failure;
    const auto all = [&]() -> asio::awaitable<void> {
        target::Listing listing(pages, "job/", most);
        while (co_await listing.next({}))
            for (const auto& entry : listing.entries()) keys.push_back(entry.key);
    };
    asio::io_context io;
    asio::co_spawn(io, all(), [&](const std::exception_ptr& thrown) { failure = thrown; });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return keys;
}

}  // namespace

TEST_CASE("a list comes to its end page by page, also over pages without anything of ours") {
    Pages pages([](std::size_t at) {
        if (at == 1) return page({}, "z");
        return page({number(at)}, at == 3 ? "" : std::string(1, static_cast<char>('a' + at)));
    });
    CHECK(read(pages, 10'000) == std::vector<std::string>{number(0), number(2), number(3)});
    CHECK(pages.asked == 4);
}

TEST_CASE("a list that does not end is refused, however it goes on") {
    struct Row {
        std::string how;
        std::function<target::Page(std::size_t)> make;
        std::string why;
        std::size_t most_pages;
    };
    for (const auto& row :
         {Row{"the same page again", [](std::size_t) { return page({"job/a"}, "again"); },
              "\"job/a\" comes behind \"job/a\"", 2},
          Row{"the same token, without entries", [](std::size_t) { return page({}, "again"); },
              "the same page is to come again", 2},
          Row{"the same token, with new entries", [](std::size_t at) { return page({number(at)}, "again"); },
              "the same page is to come again", 2},
          Row{"keys that go back", [](std::size_t at) { return page({at == 0 ? "job/b" : "job/a"}, number(at)); },
              "\"job/a\" comes behind \"job/b\"", 2},
          Row{"a page that is in no order",
              [](std::size_t) {
                  return page({"job/b", "job/a"}, "");
              },
              "\"job/a\" comes behind \"job/b\"", 1},
          Row{"new keys for ever", [](std::size_t at) { return page({number(at)}, number(at)); },
              "more than 5000 entries", 5001},
          Row{"new tokens for ever, without entries", [](std::size_t at) { return page({}, number(at)); },
              "more than 5000 entries", 6}}) {
        CAPTURE(row.how);
        Pages pages(row.make);
        std::optional<base::Error> error;
        try {
            read(pages, 5000);
        } catch (const base::Error& thrown) {
            error = thrown;
        }
        REQUIRE(error);
        CHECK(error->code() == ErrorCode::server_error);
        CHECK_FALSE(error->is_passing());
        CHECK(error->message() == "the listing of job/ does not end: " + row.why);
        CHECK(pages.asked == row.most_pages);
    }
}
