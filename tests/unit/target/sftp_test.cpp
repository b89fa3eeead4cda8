// What of the SFTP target needs no server: lines of lists, and checkpoints.
#include "support/catch.hpp"
#include "target/sftp_listing.hpp"
#include "target/sftp_upload.hpp"

using namespace pgbakd;
using namespace std::chrono;
using Kind = target::SftpLine::Kind;

namespace {

constexpr sys_seconds now = sys_days(2026y / 3 / 10) + 12h;

}  // namespace

TEST_CASE("lines of an SFTP server tell kind, size, time and name") {
    struct Row {
        std::string_view line;
        Kind kind;
        std::string_view name;
        std::uint64_t size;
        local_seconds modified;
        bool is_to_the_minute = true;
    };
    for (const auto& row : {
             Row{"-rw-------    1 root     root          123 Mar 10 09:05 a.dump", Kind::file, "a.dump", 123,
                 local_days(2026y / 3 / 10) + 9h + 5min},
             Row{"drwx------    3 backup   backup       4096 Nov 21 12:49 d 1", Kind::directory, "d 1", 4096,
                 local_days(2025y / 11 / 21) + 12h + 49min},
             Row{"-rw-r--r--    1 DOM\\jane doe domain users 5000000000 Feb  9  2024  two  blanks", Kind::file,
                 " two  blanks", 5'000'000'000, local_days(2024y / 2 / 9), false},
             Row{"lrwxrwxrwx    1 root     root           11 Mar  1 00:00 link -> /etc/passwd", Kind::other,
                 "link -> /etc/passwd", 11, local_days(2026y / 3 / 1)},
             // A zone ahead of ours: it is tomorrow there.
             Row{"-rw-------    1 0        0               0 Mar 11 01:30 new", Kind::file, "new", 0,
                 local_days(2026y / 3 / 11) + 1h + 30min},
             Row{"-rw-------    1 0        0               0 Mar 12 01:30 12 Mar 12 01:30 x", Kind::file,
                 "12 Mar 12 01:30 x", 0, local_days(2025y / 3 / 12) + 1h + 30min},
             // The last time that there was such a day.
             Row{"-rw-------    1 0        0               0 Feb 29 10:00 leap", Kind::file, "leap", 0,
                 local_days(2024y / 2 / 29) + 10h},
         }) {
        INFO(row.line);
        const auto line = target::parse_sftp_line(row.line, now);
        REQUIRE(line);
        CHECK(line->kind == row.kind);
        CHECK(line->name == row.name);
        CHECK(line->size == row.size);
        CHECK(line->modified == row.modified);
        CHECK(line->is_to_the_minute == row.is_to_the_minute);
    }
    for (const std::string_view line :
         {"", "total 12", "line", "-rw-------", "-rw------- 1 root root 123 Mar 10 09:05", "2026-03-10 09:05 123 name",
          "-rw------- 1 root root 123 Mar 32 09:05 x", "-rw------- 1 root root 123 Mar 10 24:05 x",
          "-rw------- 1 root root x Mar 10 09:05 x", "-rw------- 1 root root 99999999999999999999 Mar 10 09:05 x"}) {
        INFO(line);
        CHECK_FALSE(target::parse_sftp_line(line, now));
    }
}

TEST_CASE("the zone of an SFTP server comes from one file's two times") {
    for (const auto offset : {0min, 330min, -210min, 840min, -720min}) {
        INFO(offset.count());
        const auto exact = now + 59s;
        const local_seconds listed(floor<minutes>(exact).time_since_epoch() + offset);
        CHECK(target::sftp_time_offset(listed, exact) == offset);
    }
}

TEST_CASE("checkpoints of SFTP uploads come back as they were, and nothing else is one") {
    const std::string hash(64, 'a');
    const std::string name(32, '0');
    const target::SftpCheckpoint checkpoint{.name = name, .length = 20'000'000, .tail = 1 << 20, .tail_sha256 = hash};
    CHECK(target::parse_checkpoint(target::print_checkpoint(checkpoint)) == checkpoint);
    for (const auto& text : {
             std::string(),
             "2 " + name + " 5 5 " + hash,
             "1 " + name + " 5 6 " + hash,
             "1 " + name + " 5 0 " + hash,
             "1 " + name + " x 5 " + hash,
             "1 " + name + " 5 5 " + hash + " more",
             "1 " + name + " 5 5 " + hash.substr(1),
             "1 ../../../../../../../../etc/passwd 5 5 " + hash,
             "1 " + name + " 20000000 2000000 " + hash,
         }) {
        INFO(text);
        CHECK_FALSE(target::parse_checkpoint(text));
    }
}
