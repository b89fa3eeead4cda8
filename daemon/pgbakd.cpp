// pgbakd: the daemon, in the foreground.
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "host/configuration.hpp"
#include "postgres/session.hpp"
#include "service/daemon.hpp"

namespace {

constexpr int wrong_usage = 2;

constexpr std::string_view usage =
    "usage: pgbakd [--config FILE] [--check] [--foreground-log] [--version] [--help]\n"
    "\n"
    "  --config FILE      the configuration (default: /etc/pgbakd.yaml)\n"
    "  --check            validate the configuration and exit\n"
    "  --foreground-log   log to standard error even if it leads to the journal\n"
    "\n"
    "See pgbakctl for the administrator's tool.\n";

// Secrets are in this process's memory: no core dump may hold them. Files it makes are its owner's alone.
void protect_process() {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    umask(0077);
    // A client that goes away is an error of a write, not the end of the daemon.
    std::signal(SIGPIPE, SIG_IGN);
}

// What is compressed comes in pieces of ever new sizes, from one thread to another: of its own the allocator would keep
// them in heaps that grow with the holes between. Given back each by itself, memory does not grow with the database.
void keep_memory_flat() {
    constexpr int bytes = 256 * 1024;  // fixed: the allocator's own limit rises with each piece that is given back
    mallopt(M_MMAP_THRESHOLD, bytes);
}

}  // namespace

int main(int argc, char** argv) {
    namespace service = pgbakd::service;
    protect_process();
    keep_memory_flat();
    pgbakd::postgres::ignore_environment();
    service::DaemonOptions options;
    options.configuration = pgbakd::host::default_configuration;
    bool check = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--help") {
            std::cout << usage;
            return EXIT_SUCCESS;
        }
        if (argument == "--version") {
            std::cout << "pgbakd " << PGBAKD_VERSION << '\n';
            return EXIT_SUCCESS;
        }
        if (argument == "--check") {
            check = true;
        } else if (argument == "--foreground-log") {
            options.log_to_stderr = true;
        } else if (argument == "--config" && i + 1 < argc) {
            options.configuration = argv[++i];
        } else if (argument.starts_with("--config=")) {
            options.configuration = argument.substr(argument.find('=') + 1);
        } else {
            std::cerr << "pgbakd: unknown argument \"" << argument << "\"\n" << usage;
            return wrong_usage;
        }
    }
    if (check) return static_cast<int>(service::check_configuration(options.configuration));
    return static_cast<int>(service::run_daemon(options));
}
