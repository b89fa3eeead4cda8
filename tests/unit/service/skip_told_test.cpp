// What is said of a fire that does not run.
#include "service/skip_told.hpp"

#include "support/catch.hpp"
#include "support/common.hpp"

namespace pgbakd::service {
namespace {

using scheduler::Skip;

struct Row {
    Skip::Reason reason;
    std::string milestone, line, message, hint;
};

TEST_CASE("a skipped fire is told with its reason, a milestone by its name and with the command that makes it") {
    const auto row = GENERATE(values<Row>({
        {Skip::Reason::still_running, "",
         "shop: the fire of 2026-03-01 02:00 UTC is skipped: its last run is still going on",
         "its last run is still going on", "see overlap and catch_up of this job"},
        {Skip::Reason::too_late, "",
         "shop: the fire of 2026-03-01 02:00 UTC is skipped: it was missed too long ago to catch up on",
         "it was missed too long ago to catch up on", "see overlap and catch_up of this job"},
        {Skip::Reason::edited, "",
         "shop: the fire of 2026-03-01 02:00 UTC is skipped: the schedule was edited while it waited",
         "the schedule was edited while it waited", "to run it all the same: pgbakctl run shop"},
        {Skip::Reason::superseded, "v1.0",
         "shop: milestone v1.0 of 2026-03-01 02:00 UTC is not made: a later fire took its place",
         "milestone v1.0 of 2026-03-01 02:00 UTC is not made: a later fire took its place",
         "to make it of what there is now: pgbakctl milestone shop v1.0"},
        {Skip::Reason::paused, "v1.0",
         "shop: milestone v1.0 of 2026-03-01 02:00 UTC is not made: the job was paused while it waited",
         "milestone v1.0 of 2026-03-01 02:00 UTC is not made: the job was paused while it waited",
         "to make it of what there is now: pgbakctl milestone shop v1.0"},
    }));
    const auto told = tell_skip({"shop", {}, row.reason, {}, row.milestone}, "2026-03-01 02:00 UTC");
    CHECK(told.line == row.line);
    CHECK(told.error.message() == row.message);
    CHECK(told.error.hint() == row.hint);
    CHECK(told.error.code() == base::ErrorCode::conflict);
}

}  // namespace
}  // namespace pgbakd::service
