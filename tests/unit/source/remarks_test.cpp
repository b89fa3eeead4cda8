// What of a program's standard error is told although it ended well.
#include "source/remarks.hpp"

#include "support/catch.hpp"

using pgbakd::source::Remarks;
using Lines = std::vector<std::string>;

TEST_CASE("every line is a remark, the first of them and how many more") {
    Remarks remarks(false);
    CHECK(remarks.lines().empty());
    remarks.take("pg_dump: warning: subscriptions not dumped because current user is not a superuser");
    remarks.take("libpq says something");
    CHECK(remarks.lines() ==
          Lines{"warning: subscriptions not dumped because current user is not a superuser", "libpq says something"});
    for (std::size_t i = 0; i < 30; ++i) remarks.take("pg_dump: warning: again");
    REQUIRE(remarks.lines().size() == Remarks::most + 1);
    CHECK(remarks.lines().front().starts_with("warning: subscriptions"));
    CHECK(remarks.lines().back() == "and 12 more lines");
}

TEST_CASE("of a program that tells its steps only the warnings are, with what explains them") {
    Remarks remarks(true);
    for (const char* line : {"pg_dump: reading schemas", "pg_dump: detail: of no warning", "pg_dump: warning: a cycle",
                             "pg_dump: detail: in t", "pg_dump: hint: look", "pg_dump: dumping contents of table \"t\"",
                             "pg_dump: hint: of a step", "WARNING:  from the server"})
        remarks.take(line);
    CHECK(remarks.lines() == Lines{"warning: a cycle", "detail: in t", "hint: look", "WARNING:  from the server"});
}
