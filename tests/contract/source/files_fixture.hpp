// Files of this host.
#pragma once

#include <fstream>

#include "fixture.hpp"
#include "source/files_source.hpp"

namespace contract {

class Files {
  public:
    static std::string missing() { return {}; }

    Files() {
        std::filesystem::create_directories(directory_ / "good/deep");
        std::filesystem::create_directory(directory_ / "bad");
        for (const auto* name : {"good/a", "good/deep/b", "good/deep/c"})
            std::ofstream(directory_ / name) << std::string(20'000, name[5]);
    }
    std::unique_ptr<source::Source> open(const asio::any_io_executor& /*executor*/, async::Pool& /*pool*/) {
        return make("good");
    }
    std::unique_ptr<source::Source> failing(const asio::any_io_executor& /*executor*/, async::Pool& /*pool*/) {
        return make("bad");
    }
    void break_off() { std::filesystem::remove(directory_ / "bad"); }
    [[nodiscard]] std::string cause() const {
        return "nothing could be stored: " + (directory_ / "bad").string() + ": does not exist";
    }
    static std::string content_of(const std::string& bytes) { return bytes; }

  private:
    std::unique_ptr<source::Source> make(const char* name) {
        source::FilesSource::Settings settings;
        settings.job = "job";
        settings.source.paths = {directory_ / name};
        settings.compression = {codec::Method::none, 0};
        return std::make_unique<source::FilesSource>(std::move(settings));
    }
    support::TemporaryDirectory directory_;
};

}  // namespace contract
