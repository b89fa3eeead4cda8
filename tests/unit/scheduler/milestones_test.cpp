// Dates of jobs that run by name: made once each, told if not, and kept apart from others that come and go.
#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

using std::chrono::minutes;

PlannedJob dated(const std::vector<std::pair<std::string, std::string>>& dates, const JobOptions& options = {}) {
    auto planned = job("j", "milestone", options);
    for (const auto& [name, date] : dates)
        planned.milestones.push_back({name, model::parse_milestone_date(date).value()});
    return planned;
}
catalog::JobState stored_dates(const PlannedJob& planned, std::string_view anchor) {
    return {planned.name, planned.key(), at(anchor), false};
}
std::vector<std::string> names_of(const std::vector<Action>& actions) {
    std::vector<std::string> names;
    for (const auto& action : actions)
        if (const auto* start = std::get_if<Start>(&action)) names.push_back(start->milestone);
    return names;
}

TEST_CASE("milestones start once each, by name; without dates nothing comes") {
    Table table;
    table.load({job("bare", "milestone")}, "2026-03-10 12:00");
    CHECK(table.planner.next_wake() == std::nullopt);

    // The second is in the gap of the clocks: the first instant after it.
    const auto j = dated({{"late", "2026-06-01 02:00"}, {"gap", "2026-03-29 02:30"}, {"old", "2025-01-01 02:00"}},
                         {.offset = minutes(10), .zone = berlin()});
    CHECK(table.load({j}, "2026-03-10 12:00") == Texts{"forget bare", "anchor j 2026-03-10 12:00: new job"});
    CHECK(table.next("j") == "2026-03-29 01:00");
    CHECK(names_of(table.planner.on_time(at("2026-03-29 01:10"))) == std::vector<std::string>{"gap"});
    CHECK(table.finished("j", "2026-03-29 01:20").empty());
    const auto last = table.planner.on_time(at("2026-06-01 00:10"));
    CHECK(names_of(last) == std::vector<std::string>{"late"});
    CHECK(std::get<Start>(last.at(0)).state.schedule ==
          "milestone [Europe/Berlin] 2025-01-01 02:00, 2026-03-29 02:30, 2026-06-01 02:00");
    CHECK(table.finished("j", "2026-06-01 00:20").empty());
    CHECK(table.planner.next_wake() == std::nullopt);
}

TEST_CASE("dates that come and go fire nothing at once and lose no other") {
    const std::pair<std::string, std::string> first{"a", "2026-03-10 02:00"}, second{"b", "2026-03-12 02:00"},
        added{"c", "2026-03-11 02:00"}, past{"p", "2026-03-09 18:00"};
    struct Row {
        const char* what;
        PlannedJob after;
        const char* now;
        Texts told, later;
    };
    const Texts both{"start j 2026-03-10 02:00", "start j 2026-03-12 02:00"};
    const std::string edited = "anchor j 2026-03-09 12:00: milestones edited";
    for (const auto& row : {
             Row{"one more",
                 dated({second, added, first}),
                 "2026-03-09 20:00",
                 {edited},
                 {"start j 2026-03-10 02:00", "start j 2026-03-11 02:00", "start j 2026-03-12 02:00"}},
             Row{"one that has passed", dated({past, first, second}), "2026-03-09 20:00", {}, both},
             Row{"one less", dated({second}), "2026-03-09 20:00", {edited}, {"start j 2026-03-12 02:00"}},
             Row{"another order and other names",
                 dated({{"x", second.second}, {"y", first.second}}),
                 "2026-03-09 20:00",
                 {},
                 both},
             Row{"one more while another was missed",
                 dated({past, first, second, added}),
                 "2026-03-10 09:00",
                 {edited, "missed j 1 until 2026-03-10 02:00", "start j 2026-03-10 02:00 catch-up"},
                 {"start j 2026-03-11 02:00", "start j 2026-03-12 02:00"}},
             Row{"one that was missed is struck out",
                 dated({second}),
                 "2026-03-10 09:00",
                 {edited},
                 {"start j 2026-03-12 02:00"}},
         }) {
        INFO(row.what);
        const auto before = dated({first, second});
        Table reloaded;
        CHECK(reloaded.load({before}, "2026-03-09 12:00").size() == 1);
        CHECK(reloaded.load({row.after}, row.now) == row.told);
        Table restarted;
        CHECK(restarted.load({row.after}, row.now, {stored_dates(before, "2026-03-09 12:00")}) == row.told);
        for (auto* table : {&reloaded, &restarted}) {
            static_cast<void>(table->finished("j", row.now));
            // And again, as every reload and restart reads the same file.
            CHECK(table->load({row.after}, row.now).empty());
            CHECK(table->run_until("2026-03-20 12:00") == row.later);
        }
    }
}

TEST_CASE("a date that waits for a run outlives one that is added, and not its own end") {
    const auto before = dated({{"a", "2026-03-10 02:00"}}, {.overlap = model::Overlap::queue});
    for (const bool stays : {true, false}) {
        Table table;
        table.load({before}, "2026-03-09 12:00");
        table.planner.on_started("j");
        CHECK(table.tick("2026-03-10 02:00").empty());
        auto after = dated({{"b", "2026-03-11 02:00"}}, {.overlap = model::Overlap::queue});
        if (stays) after.milestones.push_back(before.milestones.front());
        const auto told = table.load({after}, "2026-03-10 02:10");
        CHECK(told == (stays ? Texts{"anchor j 2026-03-09 12:00: milestones edited"}
                             : Texts{"skip j 2026-03-10 02:00: the schedule was edited while it waited",
                                     "anchor j 2026-03-10 02:00: milestones edited"}));
        const auto ended = table.planner.on_finished("j", at("2026-03-10 02:30"));
        CHECK(names_of(ended) == (stays ? std::vector<std::string>{"a"} : std::vector<std::string>{}));
    }
}

TEST_CASE("each missed milestone is made or told by its name: none is lost to another") {
    struct Row {
        const char* what;
        const char* catch_up;
        model::Overlap overlap;
        const char* now;
        bool runs;  // by hand, when it is noticed
        Texts told, then;
    };
    const auto skip_of = [](const std::string& slot, const std::string& name, const std::string& why) {
        return "skip j " + slot + " (" + name + "): " + why;
    };
    const std::string later = "a later fire took its place",
                      nothing = "it was missed, and the job catches up on nothing",
                      late = "it was missed too long ago to catch up on", goes_on = "its last run is still going on";
    const std::string alpha = "2026-03-08 02:00", beta = "2026-03-09 02:00", gamma = "2026-03-10 02:00";
    const auto skip_lot = model::Overlap::skip, queue = model::Overlap::queue;
    const auto all_of = [](const Texts& skips, const std::string& missed, const Texts& rest) {
        Texts all{missed};
        all.insert(all.end(), skips.begin(), skips.end());
        all.insert(all.end(), rest.begin(), rest.end());
        return all;
    };
    const std::string two = "missed j 2 until " + beta, three = "missed j 3 until " + gamma;
    const Texts start_gamma{"start j " + gamma};
    for (const auto& row : {
             Row{"once, one due now", "once", skip_lot, "2026-03-10 02:00:30", false,
                 all_of({skip_of(alpha, "alpha", later)}, two, {"start j " + beta + " catch-up"}), start_gamma},
             Row{"once, one due now, queue", "once", queue, "2026-03-10 02:00:30", false,
                 all_of({skip_of(alpha, "alpha", later)}, two, {"start j " + beta + " catch-up"}), start_gamma},
             Row{"once, all missed",
                 "once",
                 skip_lot,
                 "2026-03-10 12:00",
                 false,
                 all_of({skip_of(alpha, "alpha", later), skip_of(beta, "beta", later)}, three,
                        {"start j " + gamma + " catch-up"}),
                 {}},
             Row{"once within, too late, one due now",
                 "once within 1h",
                 skip_lot,
                 "2026-03-10 02:00:30",
                 false,
                 all_of({skip_of(alpha, "alpha", late), skip_of(beta, "beta", late)}, two, start_gamma),
                 {}},
             Row{"skip, one due now",
                 "skip",
                 skip_lot,
                 "2026-03-10 02:00:30",
                 false,
                 all_of({skip_of(alpha, "alpha", nothing), skip_of(beta, "beta", nothing)}, two, start_gamma),
                 {}},
             Row{"all",
                 "all",
                 skip_lot,
                 "2026-03-10 02:00:30",
                 false,
                 {two, "start j " + alpha + " catch-up"},
                 {"start j " + beta + " catch-up", "start j " + gamma}},
             Row{"once while a run goes on",
                 "once",
                 skip_lot,
                 "2026-03-10 02:00:30",
                 true,
                 all_of(
                     {skip_of(alpha, "alpha", later), skip_of(beta, "beta", goes_on), skip_of(gamma, "gamma", goes_on)},
                     two, {}),
                 {}},
             Row{"once while a run goes on, queue",
                 "once",
                 queue,
                 "2026-03-10 02:00:30",
                 true,
                 all_of({skip_of(alpha, "alpha", later)}, two, {}),
                 {"start j " + beta + " catch-up", "start j " + gamma}},
         }) {
        INFO(row.what);
        const auto j = dated({{"gamma", gamma}, {"alpha", alpha}, {"beta", beta}},
                             {.catch_up = row.catch_up, .overlap = row.overlap});
        Table table;
        if (row.runs) table.planner.on_started("j");
        const auto actions = table.planner.load({j}, {stored_dates(j, "2026-03-07 12:00")}, at(row.now));
        CHECK(texts(actions) == row.told);
        for (const auto& start : row.then) CHECK(table.finished("j", "2026-03-10 12:30") == Texts{start});
        CHECK(table.finished("j", "2026-03-10 12:40").empty());
    }
}

TEST_CASE("more missed milestones than are caught up at once are told too") {
    std::vector<std::pair<std::string, std::string>> dates;
    for (int day = 1; day <= 28; ++day) {
        const auto text = std::to_string(day);
        dates.emplace_back("m" + text, "2026-02-" + std::string(day < 10 ? "0" : "") + text + " 02:00");
    }
    for (const std::string policy : {"all", "once", "skip"}) {
        INFO(policy);
        const auto j = dated(dates, {.catch_up = policy});
        Table table;
        std::size_t skips = 0, starts = 0;
        auto actions = table.planner.load({j}, {stored_dates(j, "2026-01-31 12:00")}, at("2026-03-10 12:00"));
        while (!actions.empty()) {
            for (const auto& action : actions) {
                skips += std::holds_alternative<Skip>(action) ? 1U : 0U;
                starts += std::holds_alternative<Start>(action) ? 1U : 0U;
            }
            actions = table.planner.on_finished("j", at("2026-03-10 12:30"));
        }
        CHECK(starts == (policy == "all" ? Planner::most_caught_up : policy == "once" ? 1U : 0U));
        CHECK(starts + skips == dates.size());
    }
}

TEST_CASE("a milestone that waited while the rules of its zone changed keeps its name") {
    const auto before = zone_of("Test/Town", "AAA-2"), after = zone_of("Test/Town", "BBB-1");
    Table table;
    table.load({dated({{"a", "2026-03-10 02:00"}, {"b", "2026-03-20 02:00"}},
                      {.overlap = model::Overlap::queue, .zone = before})},
               "2026-03-09 12:00");
    table.planner.on_started("j");
    CHECK(table.tick("2026-03-10 00:00").empty());
    static_cast<void>(table.planner.on_zones_changed({{"j", after}}, at("2026-03-10 00:10")));
    CHECK(names_of(table.planner.on_finished("j", at("2026-03-10 00:20"))) == std::vector<std::string>{"a"});
    CHECK(table.finished("j", "2026-03-10 00:30").empty());
    CHECK(table.run_until("2026-03-20 12:00") == Texts{"start j 2026-03-20 01:00"});
}

}  // namespace
}  // namespace pgbakd::scheduler::test
