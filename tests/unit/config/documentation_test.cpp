// The manual's page and the file that is shipped say what the program does.
#include <regex>

#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;

TEST_CASE("the reference in docs/configuration.md is the table of keys") {
    const auto page = read_file(source_directory() / "docs/configuration.md");
    const std::string begin = "<!-- reference: begin -->\n";
    const auto from = page.find(begin);
    const auto to = page.find("<!-- reference: end -->");
    REQUIRE(from != std::string::npos);
    REQUIRE(to != std::string::npos);
    // To bring the page up to date, put this text between the markers.
    CHECK(page.substr(from + begin.size(), to - from - begin.size()) == reference_markdown());
}

TEST_CASE("every whole configuration in docs/configuration.md is right") {
    const auto page = read_file(source_directory() / "docs/configuration.md");
    std::size_t examples = 0;
    const std::string fence = "```yaml\n";
    for (auto at = page.find(fence); at != std::string::npos; at = page.find(fence, at + 1)) {
        const auto text = page.substr(at + fence.size(), page.find("```", at + fence.size()) - at - fence.size());
        CAPTURE(text);
        if (text.find("jobs:") == std::string::npos) continue;
        CHECK(problems_of(text) == "");
        ++examples;
    }
    CHECK(examples >= 2);
}

TEST_CASE("every schedule in docs/configuration.md is one") {
    const auto page = read_file(source_directory() / "docs/configuration.md");
    const auto from = page.find("| schedule | fires |");
    REQUIRE(from != std::string::npos);
    const auto table = page.substr(from, page.find("\n\n", from) - from);
    const std::regex code("`([^`]+)`");
    std::size_t schedules = 0;
    for (std::sregex_iterator it(table.begin(), table.end(), code), end; it != end; ++it) {
        CAPTURE((*it)[1].str());
        CHECK(calendar::Schedule::parse((*it)[1].str()));
        ++schedules;
    }
    CHECK(schedules > 15);
}

TEST_CASE("the file that is shipped is right and backs up every database of the local server") {
    const auto config = config_of(read_file(source_directory() / "etc/pgbakd.yaml"));
    REQUIRE(config->jobs.size() == 1);
    CHECK(config->jobs[0]->name == "all-databases");
    CHECK(config->jobs[0]->schedule.canonical() == "daily at 02:00");
    CHECK(dump_of(*config->jobs[0]).all_databases);
    CHECK(dump_of(*config->jobs[0]).globals);
}

}  // namespace pgbakd::config
