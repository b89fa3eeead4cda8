#include "alert/mail_message.hpp"

#include "unit/alert/support.hpp"

using namespace pgbakd;
using namespace alerts;

namespace {

const auto sent_at = at("2026-01-12T16:00:09Z");

std::string mail(const std::vector<model::Alert>& alerts) {
    return alert::mail_message(alerts, "pgbakd@example.com", {"dba@example.com", "ops@example.com"}, sent_at);
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t begin = 0;
    for (auto end = text.find("\r\n"); end != std::string::npos; end = text.find("\r\n", begin)) {
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 2;
    }
    CHECK(begin == text.size());
    return lines;
}

}  // namespace

TEST_CASE("an alert as a mail") {
    auto alert = failed();
    alert.message = "pg_dump: größer\n.\nlast line ";
    alert.hint = "create it\nor not";
    CHECK(mail({alert}) ==
          "Date: Mon, 12 Jan 2026 16:00:09 +0000\r\n"
          "From: pgbakd@example.com\r\n"
          "To: dba@example.com,\r\n"
          " ops@example.com\r\n"
          "Subject: [pgbakd db1] critical: shop-daily failed\r\n"
          "Message-ID: <01JHAF7Z8QZX3M5N7P9RATCVEW@example.com>\r\n"
          "Auto-Submitted: auto-generated\r\n"
          "Importance: high\r\n"
          "MIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n"
          "\r\n"
          "shop-daily failed\r\n"
          "\r\n"
          "pg_dump: gr=C3=B6=C3=9Fer\r\n"
          ".\r\n"
          "last line\r\n"
          "\r\n"
          "hint:\r\n"
          "  create it\r\n"
          "  or not\r\n"
          "\r\n"
          "severity: critical\r\n"
          "job: shop-daily\r\n"
          "host: db1\r\n"
          "run: 01JHAF7Z8QZX3M5N7P9RATCVEZ\r\n"
          "time: 2026-01-12 16:00:01 UTC\r\n");
}

TEST_CASE("no text of an alert begins a header or another line") {
    auto alert = failed();
    const std::string evil = "x\r\nBcc: everyone@example.com\r\n\r\nbody\r\n.\r\nQUIT";
    for (auto* part : {&alert.id, &alert.host, &alert.job, &alert.run, &alert.set, &alert.place, &alert.title})
        *part = evil;
    const auto text = mail({alert});
    const auto head = text.substr(0, text.find("\r\n\r\n"));
    std::vector<std::string> names;
    for (const auto& line : lines_of(head + "\r\n"))
        if (!line.starts_with(' ')) names.push_back(line.substr(0, line.find(':')));
    CHECK(names == std::vector<std::string>{"Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted",
                                            "Importance", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"});
}

TEST_CASE("lines are short, ASCII, and end as mail wants it") {
    for (const std::string& piece : {std::string("x"), std::string("\U0001F525"), std::string("ä "),
                                     std::string("=?UTF-8?B?AA==?="), std::string("\xff"), std::string("word ")}) {
        auto alert = failed();
        alert.title.clear();
        alert.message.clear();
        for (int i = 0; i < 3000; ++i) {
            alert.title += piece;
            alert.message += piece;
        }
        for (const auto& line : lines_of(mail({alert}))) {
            INFO(line);
            CHECK(line.size() <= 76);
            CHECK(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; }));
            CHECK_FALSE(line.ends_with(' '));
        }
    }
}

TEST_CASE("headers beyond ASCII are encoded words of whole characters") {
    struct Row {
        std::string text, header;
    };
    for (const auto& [text, header] : std::vector<Row>{
             {"plain", "X: plain\r\n"},
             {"", "X: \r\n"},
             {"größer", "X: =?UTF-8?B?Z3LDtsOfZXI=?=\r\n"},
             {"=?x", "X: =?UTF-8?B?PT94?=\r\n"},
             {std::string(44, 'a') + "\U0001F525" + "b",
              "X: =?UTF-8?B?YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=?=\r\n "
              "=?UTF-8?B?8J+UpWI=?=\r\n"},
         }) {
        CHECK(alert::mail_header("X", text) == header);
    }
}

TEST_CASE("quoted-printable") {
    struct Row {
        std::string text, shown;
    };
    for (const auto& [text, shown] : std::vector<Row>{
             {"", ""},
             {"a", "a\r\n"},
             {"a\n", "a\r\n"},
             {"a\n\nb", "a\r\n\r\nb\r\n"},
             {"a=b", "a=3Db\r\n"},
             {"blank \nat\t", "blank=20\r\nat=09\r\n"},
             {std::string(76, 'x'), std::string(76, 'x') + "\r\n"},
             {std::string(77, 'x'), std::string(75, 'x') + "=\r\nxx\r\n"},
             {std::string(75, 'x') + "ä", std::string(75, 'x') + "=\r\n=C3=A4\r\n"},
         }) {
        CHECK(alert::quoted_printable(text) == shown);
    }
}

TEST_CASE("several alerts are one mail with an id of its own") {
    std::vector<model::Alert> alerts{failed("one"), failed("two"), failed("three")};
    alerts[0].severity = alerts[1].severity = model::Severity::warning;
    alerts[1].message = std::string(100'000, 'm');
    const auto text = mail(alerts);
    CHECK(text.find("Subject: [pgbakd db1] 3 alerts from db1: 1 critical, 2 warning\r\n") != std::string::npos);
    CHECK(text.find("Message-ID: <01JHAF7Z8QZX3M5N7P9RATCVEW.3@example.com>\r\n") != std::string::npos);
    CHECK(text.find("three failed") < text.find("one failed"));
    CHECK(text.find("one failed") < text.find("two failed"));
    CHECK(text.size() < 5000);
    CHECK(mail(alerts) == text);
}
