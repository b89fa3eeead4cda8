// Finding client programs, in trees of stub programs.
#include "postgres/programs.hpp"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"

using namespace pgbakd;
namespace fs = std::filesystem;
using postgres::ClientPrograms;
using postgres::ProgramSearch;

namespace {

struct Tree {
    Tree() {
        std::string pattern = fs::temp_directory_path() / "pgbakd-XXXXXX";
        root = mkdtemp(pattern.data());
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() { fs::remove_all(root); }

    // A directory with both programs, which print this version.
    fs::path programs(const std::string& directory, const std::string& version) const {
        for (const std::string name : {"pg_dump", "pg_dumpall"})
            script(directory, name, "echo '" + name + " (PostgreSQL) " + version + "'");
        return root / directory;
    }
    void script(const std::string& directory, const std::string& name, const std::string& body) const {
        fs::create_directories(root / directory);
        std::ofstream(root / directory / name) << "#!/bin/sh\n" << body << "\n";
        fs::permissions(root / directory / name, fs::perms(0755));
    }
    [[nodiscard]] ProgramSearch search() const {
        ProgramSearch search;
        search.versioned = {root / "lib/{major}/bin", root / "pgsql-{major}/bin"};
        search.plain = {root / "missing", root / "usr/bin"};
        search.os_release = root / "os-release";
        return search;
    }
    fs::path root;
};

ClientPrograms find(int major, const ProgramSearch& search, const fs::path& only = {}) {
    asio::io_context io;
    ClientPrograms found;
    std::exception_ptr failure;
    asio::co_spawn(io, postgres::find_programs(major, only, search, async::StopToken{}),
                   [&](const std::exception_ptr& thrown, ClientPrograms programs) {
                       failure = thrown;
                       found = std::move(programs);
                   });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return found;
}

base::Error missing(int major, const ProgramSearch& search, const fs::path& only = {}) {
    try {
        find(major, search, only);
    } catch (const base::Error& error) {
        return error;
    }
    return {base::ErrorCode::internal, "found"};
}

}  // namespace

TEST_CASE("the major version in what a program prints") {
    CHECK(postgres::major_of("pg_dump (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n") == 15);
    CHECK(postgres::major_of("pg_dump (PostgreSQL) 17beta1") == 17);
    CHECK(postgres::major_of("pg_dump (PostgreSQL) 18devel") == 18);
    CHECK(postgres::major_of("pg_dump (PostgreSQL) 9.6.24") == 9);
    CHECK(postgres::major_of("pg_dump (PostgreSQL) ") == 0);
    CHECK(postgres::major_of("pg_dump 15.8") == 0);
    CHECK(postgres::major_of("pg_dump (PostgreSQL) -3") == 0);
    CHECK(postgres::major_of("") == 0);
}

TEST_CASE("the package to install depends on the system") {
    struct Row {
        const char* os_release;
        const char* hint;
    };
    const std::vector<Row> rows{
        {"PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n", "apt install postgresql-client-17"},
        {"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "apt install postgresql-client-17"},
        {"ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "dnf install postgresql17"},
        {"ID=opensuse-leap\nID_LIKE='suse opensuse'\n", "zypper install postgresql17"},
        {"ID=alpine\n", "apk add postgresql17-client"},
        {"ID=plan9\n", "install the client programs (pg_dump, pg_dumpall) of PostgreSQL 17"},
        {"", "install the client programs (pg_dump, pg_dumpall) of PostgreSQL 17"},
    };
    for (const auto& row : rows) CHECK(postgres::install_hint(row.os_release, 17).starts_with(row.hint));
}

TEST_CASE("exactly the server's version is preferred, then the next newer") {
    const Tree tree;
    const auto path = tree.programs("usr/bin", "16.3");
    const auto fifteen = tree.programs("lib/15/bin", "15.8 (Debian 15.8-0+deb12u1)");
    const auto seventeen = tree.programs("pgsql-17/bin", "17.1");
    tree.programs("lib/9.6/bin", "9.6.24");
    tree.programs("lib/old/bin", "99.1");

    CHECK(find(15, tree.search()).pg_dump == fifteen / "pg_dump");
    CHECK(find(15, tree.search()).pg_dumpall == fifteen / "pg_dumpall");
    CHECK(find(15, tree.search()).version_text == "pg_dump (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)");
    CHECK(find(16, tree.search()).pg_dump == path / "pg_dump");
    CHECK(find(17, tree.search()).pg_dump == seventeen / "pg_dump");
    CHECK(find(13, tree.search()).major == 15);

    tree.script("", "os-release", "");
    std::ofstream(tree.root / "os-release") << "ID=debian\n";
    const auto error = missing(18, tree.search());
    CHECK(error.code() == base::ErrorCode::client_missing);
    CHECK(error.message() == "no pg_dump and pg_dumpall for a server of PostgreSQL 18 are installed; found: 15 in " +
                                 fifteen.native() + ", 17 in " + seventeen.native() + ", 16 in " + path.native());
    CHECK(error.hint().starts_with("apt install postgresql-client-18"));
}

TEST_CASE("a client directory given is the only place looked at") {
    const Tree tree;
    tree.programs("lib/15/bin", "15.8");
    const auto own = tree.programs("own", "17.2");
    CHECK(find(15, tree.search(), own).major == 17);
    CHECK(missing(18, tree.search(), own).code() == base::ErrorCode::client_missing);
    const auto empty = missing(15, tree.search(), tree.root / "nothing");
    CHECK(empty.message().ends_with("installed in " + (tree.root / "nothing").native() + "; found: none"));
}

TEST_CASE("programs that cannot be used are passed over, and said") {
    const Tree tree;
    // Debian's wrapper: its --version is not the version it dumps with.
    tree.programs("share", "15.8");
    fs::rename(tree.root / "share/pg_dump", tree.root / "share/pg_wrapper");
    fs::create_directories(tree.root / "usr/bin");
    for (const std::string name : {"pg_dump", "pg_dumpall"})
        fs::create_symlink("../../share/pg_wrapper", tree.root / "usr/bin" / name);
    // Half installed; broken; not PostgreSQL's.
    tree.script("lib/14/bin", "pg_dump", "echo 'pg_dump (PostgreSQL) 14.1'");
    tree.programs("lib/15/bin", "15.8");
    tree.script("lib/15/bin", "pg_dump", "echo 'symbol lookup error' >&2; exit 127");
    tree.programs("lib/16/bin", "16.1");
    tree.script("lib/16/bin", "pg_dump", "echo nonsense");

    const auto error = missing(14, tree.search());
    CHECK(error.message().find("none in " + (tree.root / "lib/15/bin").native() + " (exit code 127") !=
          std::string::npos);
    CHECK(error.message().find("none in " + (tree.root / "lib/16/bin").native() + " (\"nonsense\"") !=
          std::string::npos);
    CHECK(error.message().find("usr/bin") == std::string::npos);
    CHECK(error.message().find("lib/14") == std::string::npos);

    const auto good = tree.programs("pgsql-17/bin", "17.1");
    CHECK(find(14, tree.search()).pg_dump == good / "pg_dump");
}

TEST_CASE("the standard search looks where packages put them, then along PATH") {
    const auto search = ProgramSearch::standard("/usr/local/bin:relative::/usr/bin");
    CHECK(search.versioned.front() == "/usr/lib/postgresql/{major}/bin");
    CHECK(search.plain == std::vector<fs::path>{"/usr/local/bin", "/usr/bin"});
}
