#include "integration/postgres/cluster.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "support/wait_for.hpp"

namespace pgbakd::test {
namespace {

namespace fs = std::filesystem;

// The newest server that is installed, or the one that PGBAKD_TEST_POSTGRES names.
fs::path server_programs() {
    if (const char* given = std::getenv("PGBAKD_TEST_POSTGRES")) return given;
    int newest = 0;
    fs::path found;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql")) {
        const int major = std::atoi(entry.path().filename().c_str());
        if (major <= newest || !fs::exists(entry.path() / "bin/initdb")) continue;
        newest = major;
        found = entry.path() / "bin";
    }
    if (found.empty()) throw std::runtime_error("no PostgreSQL server is installed");
    return found;
}

struct Account {
    bool change = false;
    uid_t user = 0;
    gid_t group = 0;
};

Account server_account() {
    if (geteuid() != 0) return {};
    const passwd* entry = getpwnam("postgres");
    if (entry == nullptr) throw std::runtime_error("there is no user postgres");
    return {true, entry->pw_uid, entry->pw_gid};
}

pid_t spawn(const std::vector<std::string>& argv, const fs::path& directory) {
    std::vector<char*> pointers;
    for (const auto& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    const auto account = server_account();
    const auto log = (directory / "log").native();
    const pid_t child = fork();
    if (child != 0) return child;
    setpgid(0, 0);
    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (account.change && (setgroups(0, nullptr) != 0 || setgid(account.group) != 0 || setuid(account.user) != 0))
        _exit(127);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which clears it; the postmaster takes its backends along
    if (chdir(directory.c_str()) != 0) _exit(127);
    setenv("LC_ALL", "C.UTF-8", 1);
    execv(pointers.front(), pointers.data());
    _exit(127);
}

void run_to_end(const std::vector<std::string>& argv, const fs::path& directory) {
    int status = 0;
    if (waitpid(spawn(argv, directory), &status, 0) < 0 || status != 0) {
        std::ifstream log(directory / "log");
        const std::string text{std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
        throw std::runtime_error(argv.front() + " failed: " + text);
    }
}

std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no free port");
    close(socket);
    return ntohs(address.sin_port);
}

void give(const fs::path& path) {
    const auto account = server_account();
    if (account.change && lchown(path.c_str(), account.user, account.group) != 0)
        throw std::runtime_error("cannot give away " + path.native());
}

}  // namespace

void Cluster::make_directory() {
    std::string pattern = "/tmp/pgbakd-XXXXXX";  // short: a socket's path has 107 bytes at most
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
    directory_ = pattern;
    give(directory_);
    fs::permissions(directory_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    port_ = free_port();
}

Cluster::Cluster(const std::vector<std::string>& settings, const std::vector<std::string>& access) {
    make_directory();
    run_to_end({server_programs() / "initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8",
                "--locale=C.UTF-8", "-D", directory_ / "data"},
               directory_);
    std::string lines = "password_encryption = 'scram-sha-256'\n";  // before version 14 it was md5
    for (const auto& line : settings) lines += line + "\n";
    write_file("postgresql.auto.conf", lines);
    lines.clear();
    for (const auto& line : access) lines += line + "\n";
    write_file("pg_hba.conf", lines + "local all all trust\nhost all all all scram-sha-256\n");
}

Cluster::Cluster(const Cluster& stopped, const std::vector<std::string>& settings) {
    make_directory();
    run_to_end({"/bin/cp", "-a", stopped.directory_ / "data", directory_ / "data"}, directory_);
    std::string lines;
    for (const auto& line : settings) lines += line + "\n";
    write_file("postgresql.auto.conf", lines);
}

Cluster::~Cluster() {
    if (server_ > 0) {
        pause(false);
        kill(server_, SIGQUIT);
        waitpid(server_, nullptr, 0);
    }
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

void Cluster::write_file(const std::string& name, const std::string& text) {
    const auto path = directory_ / "data" / name;
    std::ofstream(path) << text;
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    give(path);
}

void Cluster::start_without_waiting() {
    server_ =
        spawn({server_programs() / "postgres", "-D", directory_ / "data", "-k", directory_, "-p", std::to_string(port_),
               "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=30"},
              directory_);
}

void Cluster::start() {
    start_without_waiting();
    const auto answers = [this] {
        try {
            const Sql ready(options());
            return true;
        } catch (const base::Error& error) {
            if (!error.is_passing()) throw;
        }
        // Another test may have taken the port meanwhile.
        if (waitpid(server_, nullptr, WNOHANG) == server_) {
            port_ = free_port();
            start_without_waiting();
        }
        return false;
    };
    if (!support::wait_for(answers)) throw std::runtime_error("the server did not start: " + directory_.string());
}

void Cluster::stop() {
    kill(server_, SIGINT);
    waitpid(server_, nullptr, 0);
    server_ = -1;
}

void Cluster::pause(bool stopped) {
    // Its backends have process groups of their own: the postmaster's children are found by their parent.
    const int signal = stopped ? SIGSTOP : SIGCONT;
    kill(server_, signal);
    std::ifstream children("/proc/" + std::to_string(server_) + "/task/" + std::to_string(server_) + "/children");
    for (pid_t child = 0; children >> child;) kill(child, signal);
}

postgres::ConnectOptions Cluster::options(const std::string& database, const std::string& user) const {
    postgres::ConnectOptions options;
    options.server = "main";
    options.host = directory_;
    options.port = port_;
    options.database = database;
    options.user = user;
    options.application_name = "test";
    return options;
}

postgres::ConnectOptions Cluster::tcp_options(const std::string& user, const std::string& password) const {
    auto tcp = options("postgres", user);
    tcp.host = "127.0.0.1";
    tcp.password = base::Secret(password);
    return tcp;
}

Sql::Sql(const postgres::ConnectOptions& options)
    : session_(reactor_.run(postgres::Session::connect(options, async::StopToken{}))) {}

postgres::Rows Sql::operator()(const std::string& statement) {
    return reactor_.run(session_->query(statement, {}, async::StopToken{}));
}

std::string Sql::value(const std::string& statement) {
    return (*this)(statement).at(0).at(0).value_or("(null)");
}

bool eventually(Sql& sql, const std::string& statement, const std::string& expected) {
    const auto is_so = [&] { return sql.value(statement) == expected; };
    return support::wait_for(is_so);
}

}  // namespace pgbakd::test
