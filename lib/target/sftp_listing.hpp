// What an SFTP server lists: lines as `ls -l` has them, which is all that libcurl hands out. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgbakd::target {

struct SftpLine {
    enum class Kind { file, directory, other };
    Kind kind = Kind::other;
    std::string name;  // of a link: with " -> " and what it points to
    std::uint64_t size = 0;
    // By the server's own clock and time zone, to the minute where is_to_the_minute, else to the day.
    std::chrono::local_seconds modified{};
    bool is_to_the_minute = false;
};

// "-rw-r--r--    1 user     group        123 Nov 21 12:30 the name", as OpenSSH, ProFTPD and Go's servers write it. A
// date without a year is the latest that is at most a day after `now`, as the server tells it only of the last half
// year. Nothing if the line does not look so.
[[nodiscard]] std::optional<SftpLine> parse_sftp_line(std::string_view line, std::chrono::sys_seconds now);

// How far the server's local time is ahead of UTC, to a quarter of an hour, from one file's two times.
[[nodiscard]] std::chrono::seconds sftp_time_offset(std::chrono::local_seconds listed, std::chrono::sys_seconds exact);

}  // namespace pgbakd::target
