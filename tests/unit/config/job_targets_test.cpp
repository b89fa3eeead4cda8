// Which targets a job sends its sets to, whether the repository keeps them, and what stays where.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;

namespace {

// A job with these lines, beside targets "nas" and "r2" on the first line; the job's lines begin in line 7.
std::string with_lines(const std::string& lines, std::string_view source = {}) {
    return "targets: {nas: {type: directory, path: /mnt/nas}, r2: {type: rclone, remote: \"r2:x\"}}\n" +
           with_job(lines, source);
}
const std::string both = "targets: [r2, nas]\n    ";

std::shared_ptr<const model::JobSpec> job_of(const std::string& lines) {
    return config_of(with_lines(lines))->jobs.at(0);
}

struct Row {
    std::string text;
    std::string expected;
};

void check(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(problems_of(row.text) == (row.expected.empty() ? "" : "/etc/pgbakd.yaml:" + row.expected + "\n"));
    }
}

std::string policy_text(const model::RetentionPolicy& policy) {
    const auto days = policy.days ? "days " + std::to_string(*policy.days) + " " : std::string();
    const auto last = policy.last ? "last " + std::to_string(*policy.last) + " " : std::string();
    const auto weeks = policy.weeks ? "weeks " + std::to_string(*policy.weeks) + " " : std::string();
    return days + last + weeks + "at_least " + std::to_string(policy.at_least);
}

}  // namespace

TEST_CASE("the targets of a job are names of those defined") {
    CHECK(job_of("")->targets.empty());
    CHECK(job_of("")->target_retention.empty());
    CHECK(job_of("targets: [r2, nas]")->targets == std::vector<std::string>{"r2", "nas"});
    CHECK(job_of("targets: []")->targets.empty());
    check({
        {with_lines("targets: [r2, r3]"),
         "7:19: jobs.j.targets[1]: no target named \"r3\"\n  hint: did you mean \"r2\"? targets defined here: nas, r2"},
        {with_lines("targets: [tape]"),
         "7:15: jobs.j.targets[0]: no target named \"tape\"\n  hint: targets defined here: nas, r2"},
        {with_job("targets: [nas]"),
         "6:15: jobs.j.targets[0]: no target named \"nas\"\n"
         "  hint: none is defined: add targets: {nas: {type: directory, path: /mnt/nas/pgbakd}}"},
        {with_lines("targets: [r2, r2]"),
         "7:19: jobs.j.targets[1]: \"r2\" is listed twice\n  hint: remove one of them"},
        {with_lines("targets: r2"),
         "7:14: jobs.j.targets: must be a list of names of targets (got \"r2\")\n"
         "  hint: write a list: [r2]"},
        // One that is wrong in itself is known by its name.
        {"targets: {nas: {type: directory}}\n" + with_job("targets: [nas]"),
         "1:11: targets.nas.path: this key is required\n  hint: as in path: /mnt/nas/pgbakd"},
    });
}

TEST_CASE("whether the repository keeps the sets") {
    CHECK(job_of("")->keep_local == model::KeepLocal::always);
    CHECK(job_of("keep_local: true")->keep_local == model::KeepLocal::always);
    CHECK(job_of(both + "keep_local: true")->keep_local == model::KeepLocal::always);
    CHECK(job_of(both + "keep_local: false")->keep_local == model::KeepLocal::until_copied);
    CHECK(job_of(both + "keep_local: never")->keep_local == model::KeepLocal::never);
    const std::string nowhere =
        "jobs.j.keep_local: the job has no targets: its sets would be nowhere\n"
        "  hint: add targets: [NAME], or remove the key";
    check({
        {with_lines("keep_local: false"), "7:17: " + nowhere},
        {with_lines("keep_local: false\n    targets: []"), "7:17: " + nowhere},
        {with_lines("keep_local: never"), "7:17: " + nowhere},
        {with_lines(both + "keep_local: never", ", format: directory"),
         "8:17: jobs.j.keep_local: pg_dump's directory format needs room on this host's disk\n"
         "  hint: use format: custom, or keep_local: false"},
        {with_lines(both + "keep_local: never", ", format: plain"), ""},
        {with_lines(both + "keep_local: false", ", format: directory"), ""},
        // A list that is wrong is told once.
        {with_lines("targets: r2\n    keep_local: false"),
         "7:14: jobs.j.targets: must be a list of names of targets (got \"r2\")\n  hint: write a list: [r2]"},
    });
}

TEST_CASE("each target of a job has a policy: its own, the common one, or at least 30 days and what local keeps") {
    struct Kept {
        std::string lines;
        std::string r2, nas, local;
    };
    for (const auto& row : {
             Kept{"", "days 30 at_least 2", "days 30 at_least 2", "days 30 at_least 2"},
             Kept{"retention: {local: {days: 7}}", "days 30 at_least 2", "days 30 at_least 2", "days 7 at_least 2"},
             Kept{"retention: {local: {days: 90, at_least: 5}}", "days 90 at_least 5", "days 90 at_least 5",
                  "days 90 at_least 5"},
             Kept{"retention: {local: {last: 3}}", "days 30 last 3 at_least 2", "days 30 last 3 at_least 2",
                  "last 3 at_least 2"},
             Kept{"retention: {local: {weeks: 8}}", "days 30 weeks 8 at_least 2", "days 30 weeks 8 at_least 2",
                  "weeks 8 at_least 2"},
             Kept{"retention: {targets: {days: 7, at_least: 1}}", "days 7 at_least 1", "days 7 at_least 1",
                  "days 30 at_least 2"},
             Kept{"retention: {local: {days: 3}, targets: {last: 9}}", "last 9 at_least 2", "last 9 at_least 2",
                  "days 3 at_least 2"},
             Kept{"retention: {targets: {r2: {days: 90}, nas: {last: 4}}}", "days 90 at_least 2", "last 4 at_least 2",
                  "days 30 at_least 2"},
             Kept{"retention: {local: {days: 60}, targets: {r2: {days: 7}}}", "days 7 at_least 2", "days 60 at_least 2",
                  "days 60 at_least 2"},
         }) {
        CAPTURE(row.lines);
        const auto job = job_of(both + row.lines);
        REQUIRE(job->target_retention.size() == 2);
        CHECK(policy_text(job->target_retention.at("r2")) == row.r2);
        CHECK(policy_text(job->target_retention.at("nas")) == row.nas);
        CHECK(policy_text(job->local_retention) == row.local);
    }
}

TEST_CASE("a policy of a target that says nothing, or of a place that is none, is told") {
    const std::string no_rule =
        "has no rule\n  hint: as in retention: {local: {days: 30}}; without the key retention sets stay for 30 days";
    check({
        {with_lines(both + "retention: {targets: {}}"), "8:26: jobs.j.retention.targets: " + no_rule},
        {with_lines(both + "retention: {targets: {at_least: 3}}"), "8:26: jobs.j.retention.targets: " + no_rule},
        {with_lines(both + "retention: {targets: {r2: {}}}"), "8:31: jobs.j.retention.targets.r2: " + no_rule},
        {with_lines(both + "retention: {targets: {r2: {days: 0}}}"),
         "8:38: jobs.j.retention.targets.r2.days: must be at least 1 (got 0)\n"
         "  hint: remove the key to keep sets for 30 days"},
        {with_lines(both + "retention: {targets: {dayz: 3}}"),
         "8:26: jobs.j.retention.targets: " + no_rule +
             "\n/etc/pgbakd.yaml:8:27: jobs.j.retention.targets.dayz: unknown key\n  hint: did you mean \"days\"? keys "
             "here: last, days, weeks, daily, weekly, monthly, yearly, at_least"},
        {with_lines("targets: [r2]\n    retention: {targets: {nas: {days: 3}}}"),
         "8:27: jobs.j.retention.targets.nas: is no target of this job\n  hint: targets defined here: r2"},
        {with_lines("retention: {targets: {days: 3}}"),
         "7:26: jobs.j.retention.targets: the job has no targets\n"
         "  hint: add them, as in targets: [NAME], or remove the key"},
        {with_lines("targets: []\n    retention: {targets: {r2: {days: 3}}}"),
         "8:27: jobs.j.retention.targets.r2: is no target of this job\n  hint: the job has none"},
        {with_lines(both + "retention: {targets: 90}"),
         "8:26: jobs.j.retention.targets: must be a mapping (got 90)\n  hint: keys here: last, days, weeks, daily, "
         "weekly, monthly, yearly, at_least"},
    });
}

}  // namespace pgbakd::config
