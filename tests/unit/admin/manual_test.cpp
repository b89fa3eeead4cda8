// The manual pages say what the tables say.
#include "admin/manual.hpp"

#include "admin/failure.hpp"
#include "admin/verbs.hpp"
#include "base/roff.hpp"
#include "support/catch.hpp"
#include "systemd/message_ids.hpp"

namespace pgbakd::admin {
namespace {

bool says(const std::string& page, std::string_view text) {
    return page.find(base::roff_escaped(text)) != std::string::npos;
}

bool has_section(const std::string& page, std::string_view name) {
    return page.find("\n.SS " + base::roff_escaped(name) + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("pgbakctl(1) has every verb with its summary, words and flags, and none that is hidden") {
    const auto page = manual_page("pgbakctl.1");
    for (const auto& verb : verbs()) {
        CAPTURE(verb.name);
        CHECK(has_section(page, verb.name) == !verb.hidden);
        if (verb.hidden) continue;
        CHECK(says(page, verb.summary.substr(1)));
        for (const auto& word : verb.positionals) CHECK(says(page, word.help));
        for (const auto& flag : verb.flags) {
            CHECK(says(page, flag.name()));
            CHECK(says(page, flag.help));
        }
    }
    for (const auto& flag : global_flags()) CHECK(says(page, flag.help));
}

TEST_CASE("pgbakd(8) lists every kind of event") {
    const auto page = manual_page("pgbakd.8");
    for (const auto& message : systemd::all_message_ids) {
        CHECK(says(page, message.id));
        CHECK(says(page, message.name));
    }
}

TEST_CASE("there are three pages, and another one is a wrong word") {
    CHECK(has_section(manual_page("pgbakd.yaml.5"), "jobs.NAME.source of type pg_dump"));
    CHECK_THROWS_AS(manual_page("pgbakd.1"), Failure);
}

TEST_CASE("texts mean nothing to roff") {
    const std::pair<std::string, std::string> facts[] = {
        {"plain", "plain"},
        {".SH is no heading", "\\&.SH is no heading"},
        {"a\n.b\n'c", "a\n\\&.b\n\\&'c"},
        {"C:\\fB", "C:\\efB"},
        {"--wait", "\\-\\-wait"},
        {"1.5 'x'", "1.5 'x'"},
    };
    for (const auto& [text, escaped] : facts) CHECK(base::roff_escaped(text) == escaped);
    base::Roff page("X", 1, "a", "b");
    page.paragraph("take `--x` and `.y`");
    CHECK(page.text().find("\ntake \\fB\\-\\-x\\fR and \\fB.y\\fR\n") != std::string::npos);
}

}  // namespace pgbakd::admin
