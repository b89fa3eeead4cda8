#include "alert/discord_message.hpp"

#include "alert/text.hpp"
#include "unit/alert/support.hpp"

using namespace pgbakd;
using namespace alerts;
using namespace std::chrono_literals;

namespace {

boost::json::object embed_of(const std::vector<model::Alert>& alerts) {
    const auto value = model::parse_json(alert::discord_message(alerts), 1 << 20).value();
    const auto& embeds = value.as_object().at("embeds").as_array();
    REQUIRE(embeds.size() == 1);
    return embeds.front().as_object();
}

std::string text(const boost::json::object& object, std::string_view key) {
    const auto* member = object.if_contains(key);
    return member == nullptr ? "(none)" : std::string(member->as_string());
}

std::string field(const boost::json::object& embed, std::string_view name) {
    if (const auto* fields = embed.if_contains("fields"))
        for (const auto& entry : fields->as_array())
            if (entry.as_object().at("name").as_string() == name) return text(entry.as_object(), "value");
    return "(none)";
}

// As Discord counts them; throws out what is over one of its limits.
void check_limits(const boost::json::object& embed) {
    namespace limits = alert::discord_limits;
    std::size_t total = 0;
    const auto count = [&total](const std::string& shown, std::size_t limit) {
        INFO(shown);
        CHECK(alert::units(shown) <= limit);
        CHECK(shown.find_first_not_of(" \n") != std::string::npos);
        total += alert::units(shown);
    };
    count(text(embed, "title"), limits::title);
    if (embed.contains("description")) count(text(embed, "description"), limits::description);
    count(text(embed.at("footer").as_object(), "text"), limits::footer);
    if (const auto* fields = embed.if_contains("fields")) {
        CHECK(fields->as_array().size() <= limits::fields);
        for (const auto& entry : fields->as_array()) {
            count(text(entry.as_object(), "name"), limits::field_name);
            count(text(entry.as_object(), "value"), limits::field_value);
        }
    }
    CHECK(total <= limits::total);
}

std::string repeated(const std::string& piece, int times) {
    std::string result;
    for (int i = 0; i < times; ++i) result += piece;
    return result;
}

const std::string fire = "\U0001F525";

}  // namespace

TEST_CASE("an alert in Discord") {
    auto alert = failed();
    alert.bytes = 2 << 20;
    alert.previous_bytes = 1 << 20;
    alert.duration = 4100ms;
    alert.previous_duration = 3900ms;
    CHECK(
        alert::discord_message({alert}) ==
        R"J({"embeds":[{"title":"shop-daily failed","footer":{"text":"pgbakd critical 01JHAF7Z8QZX3M5N7P9RATCVEW"},)J"
        R"J("description":"pg\\_dump: no such database","color":12986408,"timestamp":"2026-01-12T16:00:01.250Z",)J"
        R"J("fields":[{"name":"job","value":"shop-daily","inline":true},{"name":"host","value":"db1","inline":true},)J"
        R"J({"name":"run","value":"01JHAF7Z8QZX3M5N7P9RATCVEZ","inline":true},)J"
        R"J({"name":"size","value":"2.00 MiB \\(before: 1.00 MiB, +100 %\\)","inline":true},)J"
        R"J({"name":"duration","value":"4.1 s \\(before: 3.9 s\\)","inline":true},)J"
        R"J({"name":"hint","value":"create it","inline":false}]}],"allowed_mentions":{"parse":[]}})J");
}

TEST_CASE("the colour tells the severity") {
    std::set<std::int64_t> colours;
    for (const auto severity : {model::Severity::info, model::Severity::warning, model::Severity::critical}) {
        auto alert = failed();
        alert.severity = severity;
        colours.insert(embed_of({alert}).at("color").as_int64());
    }
    CHECK(colours.size() == 3);
}

TEST_CASE("nothing in a text is markup for Discord") {
    struct Row {
        std::string text, shown;
    };
    const std::string gap = "\xe2\x80\x8b";
    for (const auto& [text, shown] : std::vector<Row>{
             {"plain text, 4.1 s; 50 %", "plain text, 4.1 s; 50 %"},
             {"shop-daily", "shop-daily"},
             {"@everyone and @here", "@" + gap + "everyone and @" + gap + "here"},
             {"<@80351110224678912> <@&165511591545143296> <#103735883630395392>",
              "\\<@" + gap + "80351110224678912\\> \\<@" + gap + "&165511591545143296\\> \\<#103735883630395392\\>"},
             {"**bold** _it_ ~~gone~~ ||spoiler||", "\\*\\*bold\\*\\* \\_it\\_ \\~\\~gone\\~\\~ \\|\\|spoiler\\|\\|"},
             {"```\ncode\n```", "\\`\\`\\`\ncode\n\\`\\`\\`"},
             {"a \\* b", "a \\\\\\* b"},
             {"[click](https://evil.example)", "\\[click\\]\\(https\\://evil.example\\)"},
             {"# big\n - one\n+ two\n> quote", "\\# big\n \\- one\n\\+ two\n\\> quote"},
             {"issue #5 - a+b", "issue #5 - a+b"},
             {"a\x01\x1b[31m\tb", "a??\\[31m b"},
             {"\u202etxt.exe \xff", "?txt.exe ?"},
             {"  \r\n line\r\n two \n ", "line\n two"},
             {" \t\n ", ""},
         }) {
        CHECK(alert::escaped_for_discord(text, 1000) == shown);
    }
}

TEST_CASE("a text is cut between characters, and never between one and its escape") {
    struct Row {
        std::string text;
        std::size_t limit;
        std::string shown;
    };
    for (const auto& [text, limit, shown] : std::vector<Row>{
             {"abcde", 5, "abcde"},
             {"abcdef", 5, "abcd…"},
             // Four bytes, two units.
             {fire + fire, 4, fire + fire},
             {fire + fire + fire, 5, fire + fire + "…"},
             {fire + fire + fire, 4, fire + "…"},
             {"a" + fire + fire, 4, "a" + fire + "…"},
             {"äöüß", 3, "äö…"},
             {"ab*c", 5, "ab\\*c"},
             {"ab*cd", 5, "ab\\*…"},
             {"abc*d", 5, "abc…"},
             {"abcd*", 5, "abcd…"},
             {"@@@", 4, "@\xe2\x80\x8b…"},
             {"x", 0, ""},
             {"xy", 1, "…"},
         }) {
        const auto cut = alert::escaped_for_discord(text, limit);
        CHECK(cut == shown);
        CHECK(alert::units(cut) <= limit);
    }
}

TEST_CASE("whatever an alert says, its message keeps Discord's limits") {
    for (const auto& piece : {std::string("x"), fire, std::string("`"), std::string("@everyone "), std::string("*\n"),
                              std::string("\xff"), std::string("\u202e"), std::string("ß ")}) {
        INFO(piece);
        const auto huge = repeated(piece, 20'000);
        auto alert = failed();
        for (auto* part : {&alert.id, &alert.host, &alert.job, &alert.run, &alert.set, &alert.place, &alert.finding,
                           &alert.title, &alert.message, &alert.hint})
            *part = huge;
        alert.bytes = ~0ULL;
        alert.previous_bytes = 1;
        alert.duration = std::chrono::hours(1'000'000);
        alert.previous_duration = 1ms;
        check_limits(embed_of({alert}));
        check_limits(embed_of(std::vector(500, alert)));
    }
}

TEST_CASE("a huge hint leaves room for the cause") {
    auto alert = failed();
    alert.hint = repeated("h", 10'000);
    alert.message = repeated("m", 10'000);
    const auto embed = embed_of({alert});
    CHECK(alert::units(field(embed, "hint")) == 1024);
    CHECK(alert::units(text(embed, "description")) == 4096);
}

TEST_CASE("what is empty is left out") {
    model::Alert alert;
    alert.kind = model::AlertKind::test;
    alert.hint = " \n ";
    alert.place = "\t";
    const auto embed = embed_of({alert});
    CHECK(text(embed, "title") == "pgbakd");
    CHECK_FALSE(embed.contains("description"));
    CHECK_FALSE(embed.contains("fields"));
    CHECK_FALSE(embed.contains("timestamp"));
    check_limits(embed);
}

TEST_CASE("a digest tells the worst first, and how much it leaves out") {
    std::vector<model::Alert> alerts;
    for (int i = 0; i < 12; ++i) {
        alerts.push_back(failed("job" + std::to_string(i)));
        alerts.back().severity = i == 7 ? model::Severity::critical : model::Severity::warning;
    }
    const auto small = embed_of(alerts);
    CHECK(text(small, "title") == "12 alerts from db1: 1 critical, 11 warning");
    const auto description = text(small, "description");
    CHECK(description.starts_with("**critical** job7 failed: pg\\_dump: no such database "
                                  "\\(2026-01-12 16:00:01 UTC\\)") == false);
    CHECK(description.starts_with(
        "**critical** job7 failed: pg\\_dump: no such database (2026-01-12 16:00:01 UTC)\n**warning** job0 failed"));
    CHECK(description.ends_with("(2026-01-12 16:00:01 UTC)"));
    CHECK(small.at("color") == embed_of({failed()}).at("color"));

    for (int i = 12; i < 1000; ++i) alerts.push_back(alerts.front());
    const auto large = embed_of(alerts);
    check_limits(large);
    const auto cut = text(large, "description");
    const auto lines = static_cast<std::size_t>(std::ranges::count(cut, '\n'));
    CHECK(lines > 20);
    CHECK(cut.ends_with("… and " + std::to_string(1000 - lines) + " more: see pgbakctl status"));
}
