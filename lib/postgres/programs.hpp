// Finding PostgreSQL's client programs: the server's major version or newer.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "base/error.hpp"

namespace pgbakd::postgres {

struct ClientPrograms {
    std::filesystem::path pg_dump;
    std::filesystem::path pg_dumpall;
    int major = 0;
    std::string version_text;  // "pg_dump (PostgreSQL) 15.8 (Debian …)"
};

// Where to look, in order. The defaults are those of Debian, Red Hat and PATH; tests hand others.
struct ProgramSearch {
    std::vector<std::filesystem::path>
        versioned;                             // directories with {major} in them: "/usr/lib/postgresql/{major}/bin"
    std::vector<std::filesystem::path> plain;  // PATH's directories
    std::filesystem::path os_release = "/etc/os-release";  // names the system, for the hint about the package
    [[nodiscard]] static ProgramSearch standard(const std::string& path_variable);
};

// "pg_dump (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)" → 15; also "17beta1", "18devel"; 9.6 → 9. 0 if it is none.
[[nodiscard]] int major_of(std::string_view version_output) noexcept;

// How the client programs of that major are installed on the system that `os_release` (os-release(5)) describes:
// "apt install postgresql-client-17".
[[nodiscard]] std::string install_hint(std::string_view os_release, int major);

// Directories that hold both programs, in the order of the search and each once: the versioned ones by rising major,
// those older than `server_major` included. Debian's wrapper in /usr/bin (pg_wrapper), which picks a version by rules
// of its own, is passed over. Looks at the file system, at a few local directories.
[[nodiscard]] std::vector<std::filesystem::path> program_directories(const ProgramSearch& search);

// The programs for a server of that major: exactly it if installed (so that the dump restores into the same major),
// else the next newer. `client_directory`, when given, is the only place looked at, and may not be older than the
// server. Each candidate is asked for its version; one that does not answer is passed over. Errors: client_missing with
// the versions found and the package to install ("apt install postgresql-client-17").
asio::awaitable<ClientPrograms> find_programs(int server_major, std::filesystem::path client_directory,
                                              ProgramSearch search, async::StopToken stop);

}  // namespace pgbakd::postgres
