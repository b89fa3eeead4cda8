#include "model/names.hpp"

#include "base/text.hpp"
#include "unit/model/support.hpp"

using namespace pgbakd;

TEST_CASE("names of jobs and servers") {
    for (const auto& name : {std::string("a"), std::string("shop-daily"), std::string("9_x.y"), std::string(63, 'z')})
        CHECK(model::check_name("job", name));
    for (const auto& name :
         {std::string(), std::string("-a"), std::string("."), std::string(".."), std::string(".a"), std::string("_a"),
          std::string("a/b"), std::string("a b"), std::string("ä"), std::string("a\0b", 3), std::string(64, 'z')}) {
        INFO(name);
        const auto status = model::check_name("job", name);
        REQUIRE_FALSE(status);
        CHECK(status.error().code() == base::ErrorCode::invalid_argument);
        CHECK(status.error().message().find("job name \"") == 0);
        CHECK_FALSE(status.error().hint().empty());
    }
}

TEST_CASE("a database's name as a file name") {
    struct Row {
        std::string database, file;
    };
    for (const auto& [database, file] : std::vector<Row>{
             {"medusa_production", "medusa_production"},
             {"A.b-c_9", "A.b-c_9"},
             {"..", "%2E."},
             {".hidden", "%2Ehidden"},
             {"--clean", "%2D-clean"},
             {"a/b", "a%2Fb"},
             {"a%2Fb", "a%252Fb"},
             {"a b;$(rm)'\"", "a%20b%3B%24%28rm%29%27%22"},
             {"shöp", "sh%C3%B6p"},
             {std::string("a\xff\x01", 3), "a%FF%01"},
             {"globals", "%67lobals"},
             {"%67lobals", "%2567lobals"},
             {"globals2", "globals2"},
         }) {
        CHECK(model::file_name_of_database(database) == file);
    }
}

TEST_CASE("no two databases share a file name") {
    // All names of up to three of the characters that are treated apart from others.
    const std::string alphabet = ".-%2EFa/g\xff";
    std::vector<std::string> names{"globals", "%67lobals", "%2567lobals"};
    for (std::size_t begin = names.size(), length = 0; length < 3; ++length) {
        std::vector<std::string> longer;
        for (const auto& name : length == 0
                                    ? std::vector<std::string>{""}
                                    : std::vector(names.begin() + static_cast<std::ptrdiff_t>(begin), names.end()))
            for (const char c : alphabet) longer.push_back(name + c);
        begin = names.size();
        names.insert(names.end(), longer.begin(), longer.end());
    }
    std::set<std::string> files;
    for (const auto& name : names) {
        const auto file = model::file_name_of_database(name);
        CHECK(file.find('/') == std::string::npos);
        CHECK(file.front() != '.');
        CHECK(file.front() != '-');
        files.insert(file);
    }
    CHECK(files.size() == std::set<std::string>(names.begin(), names.end()).size());
}

TEST_CASE("names of sets") {
    for (const char* name : {"20260113_000001", "20240229_235959", "20260113_000001-2", "20260113_000001-12",
                             "20251025_120000_phase2_complete", "20251025_120000_v1.2-3"})
        CHECK(model::is_set_name(name));
    for (const char* name : {"",
                             "latest",
                             "2026011_000001",
                             "20260113-000001",
                             "20261313_000001",
                             "20260132_000001",
                             "20260113_240000",
                             "20260113_006000",
                             "20260113_000061",
                             "20260113_000001-",
                             "20260113_000001-x",
                             "20260113_000001_",
                             "20260113_000001_.",
                             "20260113_000001_a/b",
                             "20260113_000001.partial",
                             ".20260113_000001.partial",
                             "20260113_000001-2-3",
                             "20260113_000001 ",
                             "20260113_0000011",
                             "20260113_000001_-a"}) {
        INFO(name);
        CHECK_FALSE(model::is_set_name(name));
    }
    CHECK_FALSE(model::is_set_name("20260113_000001_" + std::string(200, 'a')));
}

TEST_CASE("a set among all jobs") {
    CHECK(model::SetId::parse("shop-daily/20260113_000001").value() == model::SetId{"shop-daily", "20260113_000001"});
    CHECK(model::SetId::parse("shop/latest").value().text() == "shop/latest");
    for (const char* text : {"", "shop", "shop/", "/latest", "shop/x", "../20260113_000001", "a/b/latest",
                             "shop/../20260113_000001", "shop/20260113_000001/"}) {
        INFO(text);
        const auto id = model::SetId::parse(text);
        REQUIRE_FALSE(id);
        CHECK(id.error().code() == base::ErrorCode::invalid_argument);
        CHECK_FALSE(id.error().hint().empty());
    }
}

TEST_CASE("a set is named by the clock on the job's wall") {
    const auto start = base::to_instant(at("2026-01-13T00:00:01Z"));
    CHECK(model::set_name(start, *calendar::Zone::utc()) == "20260113_000001");
}

TEST_CASE("words are read back as they are written") {
    using enum model::Outcome;
    for (const auto outcome : {running, success, warning, failed, skipped, cancelled, interrupted})
        CHECK(model::parse_outcome(model::outcome_text(outcome)).value() == outcome);
    using model::StageName;
    for (const auto stage : {StageName::preflight, StageName::dump, StageName::verify, StageName::commit,
                             StageName::upload, StageName::prune, StageName::report})
        CHECK(model::parse_stage(model::stage_text(stage)).value() == stage);
    using model::Trigger;
    for (const auto trigger :
         {Trigger::schedule, Trigger::catch_up, Trigger::manual, Trigger::milestone, Trigger::change})
        CHECK(model::parse_trigger(model::trigger_text(trigger)).value() == trigger);
    using model::Verification;
    for (const auto level : {Verification::none, Verification::hashed, Verification::read_back, Verification::decoded,
                             Verification::proven})
        CHECK(model::parse_verification(model::verification_text(level)).value() == level);

    const auto wrong = model::parse_outcome("success");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message() == "\"success\" is no status");
    CHECK(wrong.error().hint() == "known are RUNNING, SUCCESS, WARNING, FAILED, SKIPPED, CANCELLED, INTERRUPTED");
}

TEST_CASE("an artifact's file name must lead nowhere") {
    for (const char* file : {"a.dump", "sh%C3%B6p.dump", "a..b.dump", "-x.sql.gz", "größe.dump"})
        CHECK(model::check_artifact_file(file));
    for (const auto& file :
         {std::string(), std::string("."), std::string(".."), std::string(".x"), std::string("../x"),
          std::string("a/b"), std::string("/etc/passwd"), std::string("a\nb"), std::string("a\0b", 3),
          std::string("a\x7f"), std::string("a\xff"), std::string("manifest.json"), std::string("pinned"),
          std::string("corrupt"), std::string("a.dump.sha256"), std::string(256, 'a')}) {
        INFO(base::printable(file));
        const auto status = model::check_artifact_file(file);
        REQUIRE_FALSE(status);
        CHECK(status.error().code() == base::ErrorCode::corrupt);
    }
}

TEST_CASE("the number behind a set's name is read as a number") {
    struct Row {
        const char* name;
        const char* stem;
        int number;
    };
    for (const auto& [name, stem, number] : std::vector<Row>{{"20260114_000001", "20260114_000001", 1},
                                                             {"20260114_000001-2", "20260114_000001", 2},
                                                             {"20260114_000001-010", "20260114_000001", 10},
                                                             {"20260114_000001-999999", "20260114_000001", 999'999},
                                                             {"20260114_000001-1000000", "20260114_000001-1000000", 1},
                                                             {"20260114_000001_v1", "20260114_000001_v1", 1},
                                                             {"20260114_000001_v1-3", "20260114_000001_v1", 3},
                                                             {"20260114_000001_rc-", "20260114_000001_rc-", 1},
                                                             {"20260114_000001_a-b", "20260114_000001_a-b", 1}}) {
        INFO(name);
        CHECK(model::split_number(name).stem == stem);
        CHECK(model::split_number(name).number == number);
    }
    const model::SetId ninth{"a", "20260114_000001-9"}, tenth{"a", "20260114_000001-10"};
    CHECK(model::name_order(ninth) < model::name_order(tenth));
    CHECK(model::name_order({"a", "20260114_000001"}) < model::name_order(ninth));
    CHECK(model::name_order(tenth) < model::name_order({"b", "20260114_000001"}));
}
