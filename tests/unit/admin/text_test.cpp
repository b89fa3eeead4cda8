// Pure formatting: tables, progress, events.
#include "admin/client.hpp"
#include "admin/event_stream.hpp"
#include "admin/progress_bar.hpp"
#include "admin/table.hpp"
#include "base/error.hpp"
#include "support.hpp"

using namespace pgbakd;
using namespace pgbakd::admin;
using namespace pgbakd::admin::testing;

TEST_CASE("columns line up, whatever the alphabet") {
    Table table({{"NAME"}, {"SIZE", true}, {"NOTE"}, {"EMPTY"}});
    table.add({{"shop"}, {"1.00 KiB"}, {"x"}});
    table.add({{"数据库"}, {"12 B"}});
    table.add({{"caf\u00e9\nbar"}, {"0 B"}, {"last"}});
    std::ostringstream out;
    table.print(out, false);
    CHECK(out.str() ==
          "NAME          SIZE  NOTE\n"
          "shop      1.00 KiB  x\n"
          "数据库        12 B\n"
          "caf\u00e9?bar       0 B  last\n");
}

TEST_CASE("colour is there only when asked for") {
    Table table({{"STATE"}});
    table.add({{"bad", Style::bad}});
    std::ostringstream plain, coloured;
    table.print(plain, false);
    table.print(coloured, true);
    CHECK_FALSE(contains(plain.str(), "\033"));
    CHECK(contains(coloured.str(), "\033[31mbad\033[0m"));
}

TEST_CASE("widths of characters") {
    CHECK(display_width("abc") == 3);
    CHECK(display_width("é") == 1);
    CHECK(display_width("e\u0301") == 1);
    CHECK(display_width("数") == 2);
    CHECK(display_width("\U0001f600") == 2);
    CHECK(display_width("") == 0);
}

TEST_CASE("a progress line fits the terminal and never claims more than all") {
    const ProgressState half{"verifying shop", 512U << 20U, 1U << 30U, 100U << 20U, {}};
    CHECK(progress_line(half, 200) ==
          "verifying shop  [==============>             ]   50 %  512 MiB of 1.00 GiB  100 MiB/s");
    for (const std::size_t columns : {1U, 2U, 10U, 20U, 50U, 60U, 80U, 120U})
        CHECK(display_width(progress_line(half, columns)) <= columns);
    const ProgressState over{"x", 3000, 1000, 0, {}};
    // What was expected was an estimate, and is known to be wrong: neither a total nor a share is made up.
    CHECK(progress_line(over, 80) == "x  2.93 KiB");
    CHECK(contains(progress_line({"x", 1000, 1000, 0, {}}, 80), "100 %  1000 B of 1000 B"));
    const ProgressState waiting{"shop: waiting", 0, 0, 0, std::chrono::milliseconds(5300)};
    CHECK(progress_line(waiting, 80) == "shop: waiting  5.0 s");
}

TEST_CASE("a progress bar is drawn on a terminal after two seconds, and cleared") {
    std::ostringstream out, err;
    base::ManualClock clock(at("2026-01-20T00:00:00Z"));
    calendar::ZoneDatabase zones;
    Surroundings around{out, err, true, true, 60, {}, clock, zones, "UTC"};
    Context context{.around = around, .out = out, .err = err, .config_file = {}, .socket = {}};
    const ProgressState state{"verifying x", 512, 1024, 0, {}};
    context.progress = true;
    {
        ProgressBar bar(context);
        bar.show(state);
        clock.advance(std::chrono::milliseconds(1999));
        bar.show(state);
        CHECK(err.str().empty());
        clock.advance(std::chrono::milliseconds(1));
        bar.show(state);
        CHECK(contains(err.str(), "\rverifying x  ["));
        const auto drawn = err.str().size();
        bar.show(state);  // not more often than a person can read
        CHECK(err.str().size() == drawn);
    }
    CHECK(err.str().ends_with("\r\033[K"));
    err.str({});
    context.progress = false;
    {
        ProgressBar bar(context);
        clock.advance(std::chrono::seconds(5));
        bar.show(state);
    }
    CHECK(err.str().empty());
    CHECK(out.str().empty());
}

TEST_CASE("server-sent events are put together from any pieces") {
    const std::string stream =
        ": hello\n\nevent: progress\ndata: {\"a\":1}\n\nevent: finished\r\ndata: x\r\ndata: y\r\n\r\nid: "
        "7\n\ndata:z\n\n";
    const std::vector<ServerEvent> expected{{"progress", "{\"a\":1}"}, {"finished", "x\ny"}, {"message", "z"}};
    for (const std::size_t piece : {1U, 2U, 7U, 1000U}) {
        EventParser parser;
        std::vector<ServerEvent> events;
        for (std::size_t i = 0; i < stream.size(); i += piece)
            for (auto& event : parser.feed(std::string_view(stream).substr(i, piece))) events.push_back(event);
        CHECK(events == expected);
    }
    EventParser parser;
    const std::string endless(1U << 20U, 'x');
    CHECK_THROWS_AS(
        [&] {
            for (int i = 0; i < 20; ++i) (void)parser.feed(endless);
        }(),
        base::Error);
}

TEST_CASE("paths are percent-encoded") {
    CHECK(percent_encoded("shop-daily_1.x~") == "shop-daily_1.x~");
    CHECK(percent_encoded("a b/c?%é") == "a%20b%2Fc%3F%25%C3%A9");
}
