#include "services.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace contract {
namespace {

using namespace pgbakd;

os::Child start(const std::filesystem::path& directory) {
    os::Command command{
        .argv = {"/usr/bin/python3", "-B", PGBAKD_SOURCE_DIR "/tests/support/alert_services.py", directory.native()},
        .environment = {},
        .working_directory = {}};
    command.feed_input = true;  // it ends when this is closed
    return os::Child::spawn(command);
}

std::string first_line(os::Child& child) {
    std::string text;
    while (text.find('\n') == std::string::npos) {
        struct pollfd wanted {
            child.output().get(), POLLIN, 0
        };
        if (::poll(&wanted, 1, 30000) <= 0) throw std::runtime_error("the services do not start");
        char buffer[256];
        const auto count = ::read(child.output().get(), buffer, sizeof buffer);
        if (count <= 0) throw std::runtime_error("the services have ended");
        text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
}

}  // namespace

Services& Services::get() {
    static Services only;
    return only;
}

Services::Services() : child_(start(directory_.path())) {
    std::istringstream words(first_line(child_));
    for (std::string word; words >> word;) ports_[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
}

void Services::behave(const std::string& how) const {
    const auto path = directory_ / "behaviour";
    std::ofstream(path.native() + ".new") << how;
    std::filesystem::rename(path.native() + ".new", path);
}

std::vector<std::string> Services::taken() {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "taken"))
        if (entry.path().extension() != ".new") paths.push_back(entry.path());
    std::ranges::sort(paths);
    std::vector<std::string> messages;
    for (const auto& path : paths) {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        messages.push_back(text.str());
        std::filesystem::remove(path);
    }
    return messages;
}

}  // namespace contract
