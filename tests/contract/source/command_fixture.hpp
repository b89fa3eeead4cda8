// A program's standard output.
#pragma once

#include "fixture.hpp"
#include "source/command_source.hpp"
#include "source/connection.hpp"

namespace contract {

class Command {
  public:
    static std::string missing() { return {}; }

    std::unique_ptr<source::Source> open(const asio::any_io_executor& executor, async::Pool& pool) {
        // Its child would hold the pipe, and live on.
        return make(executor, pool, "sleep 1000 & seq 1 10000; kill $!");
    }
    std::unique_ptr<source::Source> failing(const asio::any_io_executor& executor, async::Pool& pool) {
        return make(executor, pool, "seq 1 100; echo no luck today >&2; exit 3");
    }
    void break_off() {}
    static std::string cause() { return "sh failed: exit code 3: no luck today"; }
    static std::string content_of(const std::string& bytes) { return bytes; }

  private:
    static std::unique_ptr<source::Source> make(const asio::any_io_executor& executor, async::Pool& pool,
                                                const std::string& script) {
        source::CommandSource::Settings settings;
        settings.job = "job";
        settings.source.argv = {"sh", "-c", script};
        settings.compression = {codec::Method::none, 0};
        settings.search_path = {"/bin"};
        settings.variables = {source::mark_variable(run_name())};
        return std::make_unique<source::CommandSource>(executor, pool, std::move(settings));
    }
};

}  // namespace contract
