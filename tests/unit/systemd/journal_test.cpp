#include "systemd/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "support/common.hpp"

namespace pgbakd::systemd {
namespace {

using Texts = std::vector<std::string>;

const Journal journal("pgbakd");

TEST_CASE("an entry has its message, priority, id and fields") {
    CHECK(journal.entry(Priority::info, "shop-daily: started", run_started, {{"PGBAKD_JOB", "shop-daily"}}) ==
          Texts{"MESSAGE=shop-daily: started", "PRIORITY=6", "SYSLOG_IDENTIFIER=pgbakd",
                "MESSAGE_ID=c21d16304f0d4b5b80e78181f4ef6610", "PGBAKD_JOB=shop-daily"});
    CHECK(journal.entry(Priority::error, "x", {}, {}) == Texts{"MESSAGE=x", "PRIORITY=3", "SYSLOG_IDENTIFIER=pgbakd"});
}

TEST_CASE("lines of a message stay in one entry; what would spoil a terminal does not") {
    CHECK(journal.entry(Priority::error, "no space\n  hint: free \x1b[31mit", {}, {{"A", "1\n2\xff"}}) ==
          Texts{"MESSAGE=no space\n  hint: free ?[31mit", "PRIORITY=3", "SYSLOG_IDENTIFIER=pgbakd", "A=1\n2?"});
    CHECK(journal.entry(Priority::error, "", {}, {}).front() == "MESSAGE=");
    CHECK(journal.entry(Priority::error, "\n\n", {}, {}).front() == "MESSAGE=\n\n");
}

TEST_CASE("fields that journald would drop, or take for its own, are left out") {
    for (const auto* name : {"", "_UID", "1A", "lower", "A-B", "A=B", "A\n", "\xc3\x84"}) {
        INFO(name);
        CHECK(journal.entry(Priority::info, "x", {}, {{name, "v"}}).size() == 3);
    }
    CHECK(journal.entry(Priority::info, "x", {}, {{std::string(65, 'A'), "v"}}).size() == 3);
    CHECK(journal.entry(Priority::info, "x", {}, {{std::string(64, 'A'), "v"}}).size() == 4);
}

TEST_CASE("an entry is bounded") {
    const std::string huge(1'000'000, 'x');
    const std::vector<Field> many(40, Field{"A", huge});
    const auto parts = journal.entry(Priority::info, huge, run_failed, many);
    CHECK(parts.size() == Journal::max_fields);
    CHECK(parts.front().size() <= Journal::max_message_bytes + 8);
    for (const auto& part : parts) CHECK(part.size() <= Journal::max_message_bytes + 8);
    CHECK(parts.back().size() <= Journal::max_value_bytes + 2);
}

TEST_CASE("sending never throws, with or without a journal") {
    // Whether it arrives is for a machine with journald to show.
    const bool sent = journal.send(Priority::debug, "a test of the journal", daemon_ready, {{"PGBAKD_JOB", "none"}});
    CHECK((sent || !std::filesystem::exists("/run/systemd/journal/socket")));
}

TEST_CASE("$JOURNAL_STREAM tells whether a descriptor leads to the journal") {
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    struct stat status {};
    REQUIRE(::fstat(::fileno(file), &status) == 0);
    const auto device = std::to_string(status.st_dev);
    const auto inode = std::to_string(status.st_ino);

    struct Row {
        std::optional<std::string> stream;
        bool connected;
    };
    for (const auto& row :
         {Row{device + ":" + inode, true}, Row{{}, false}, Row{device + ":" + inode + "1", false},
          Row{"1" + device + ":" + inode, false}, Row{device, false}, Row{device + ":", false}, Row{":" + inode, false},
          Row{device + ":" + inode + ":", false}, Row{"-1:-1", false}, Row{"99999999999999999999:1", false}}) {
        INFO(row.stream.value_or("unset"));
        Environment environment;
        environment.journal_stream = row.stream;
        CHECK(Journal::is_connected(::fileno(file), environment) == row.connected);
    }
    Environment right;
    right.journal_stream = device + ":" + inode;
    CHECK_FALSE(Journal::is_connected(-1, right));
    CHECK_FALSE(Journal::connected_to_stderr(Environment{}));
    std::fclose(file);
}

TEST_CASE("every kind of event has an id of its own") {
    std::set<std::string_view> ids, names;
    for (const auto& kind : all_message_ids) {
        INFO(kind.name);
        CHECK(kind.id.size() == 32);
        CHECK(kind.id.find_first_not_of("0123456789abcdef") == std::string_view::npos);
        ids.insert(kind.id);
        names.insert(kind.name);
    }
    CHECK(ids.size() == all_message_ids.size());
    CHECK(names.size() == all_message_ids.size());
}

}  // namespace
}  // namespace pgbakd::systemd
