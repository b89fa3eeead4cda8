// A server of tests/support written in Python, started for this process: it says its ports in its first line, as in
// "plain=4711 tls=4712", and ends with its standard input.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "os/process.hpp"

namespace support {

class Script {
  public:
    // `name` is that of a file in tests/support; it gets the directory as its argument.
    Script(const std::string& name, const std::filesystem::path& directory) : child_(start(name, directory)) {
        std::istringstream words(first_line(name));
        for (std::string word; words >> word;) said_[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    }
    [[nodiscard]] const std::string& port(const std::string& name) const { return said_.at(name); }

  private:
    static pgbakd::os::Child start(const std::string& name, const std::filesystem::path& directory) {
        pgbakd::os::Command command{
            .argv = {"/usr/bin/python3", "-B", PGBAKD_SOURCE_DIR "/tests/support/" + name, directory.native()},
            .environment = {},
            .working_directory = {}};
        command.feed_input = true;
        return pgbakd::os::Child::spawn(command);
    }
    std::string first_line(const std::string& name) {
        std::string text;
        while (text.find('\n') == std::string::npos) {
            struct pollfd wanted {
                child_.output().get(), POLLIN, 0
            };
            if (::poll(&wanted, 1, 30000) <= 0) throw std::runtime_error(name + " does not start");
            char buffer[256];
            const auto count = ::read(child_.output().get(), buffer, sizeof buffer);
            if (count <= 0) throw std::runtime_error(name + " has ended");
            text.append(buffer, static_cast<std::size_t>(count));
        }
        return text;
    }

    pgbakd::os::Child child_;
    std::map<std::string, std::string> said_;
};

}  // namespace support
