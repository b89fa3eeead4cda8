#include "shared_server.hpp"

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "os/process.hpp"
#include "support/temporary_directory.hpp"

namespace contract {
namespace {

using namespace pgbakd;

std::map<std::string, std::string> read_facts(const std::filesystem::path& path) {
    std::map<std::string, std::string> facts;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto equals = line.find('=');
        if (equals != std::string::npos) facts[line.substr(0, equals)] = line.substr(equals + 1);
    }
    if (facts.empty()) throw std::runtime_error(path.native() + ": the server did not start");
    return facts;
}

// Waits until it serves.
void start_server(const std::string& name, const std::filesystem::path& directory) {
    os::Command command{.argv = {"/usr/bin/python3", "-B", PGBAKD_SOURCE_DIR "/tests/support/" + name + ".py", "start",
                                 directory.native(), std::to_string(::getpid())},
                        .environment = {},
                        .working_directory = {}};
    command.capture_output = false;
    auto child = os::Child::spawn(command);
    struct pollfd wanted {
        child.pidfd().get(), POLLIN, 0
    };
    ::poll(&wanted, 1, 240'000);
}

}  // namespace

std::map<std::string, std::string> shared_server(const std::string& name) {
    const char* const shared = std::getenv("PGBAKD_TEST_SERVERS");  // NOLINT(concurrency-mt-unsafe)
    if (shared != nullptr) {
        // Started by ctest, whose child we are, for itself.
        const auto path = std::filesystem::path(shared) / (std::to_string(::getppid()) + "." + name);
        if (std::filesystem::exists(path)) return read_facts(path);
    }
    const support::TemporaryDirectory directory;
    start_server(name, directory.path());
    return read_facts(directory / (std::to_string(::getpid()) + "." + name));
}

}  // namespace contract
