// Databases of TDengine, by the stand-ins of tests/support for its server and its programs.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <fstream>

#include "fixture.hpp"
#include "source/connection.hpp"
#include "source/taosdump_source.hpp"
#include "support/script.hpp"

namespace contract {

class Taosdump {
  public:
    static std::string missing() { return {}; }

    std::unique_ptr<source::Source> open(const asio::any_io_executor& executor, async::Pool& pool) {
        return make(executor, pool, good_);
    }
    std::unique_ptr<source::Source> failing(const asio::any_io_executor& executor, async::Pool& pool) {
        return make(executor, pool, bad_);
    }
    void break_off() {}
    static std::string cause() { return "Table does not exist"; }
    // Its files are named by the time, and it does not sort them otherwise.
    static std::string content_of(const std::string& bytes) {
        std::vector<std::string> contents;
        for (const auto& [name, content] : files_of(bytes))
            if (name != "dbs.sql") contents.push_back(content);
        std::sort(contents.begin(), contents.end());
        std::string all;
        for (const auto& content : contents) all += content + "\n";
        return all;
    }
    void check_questions() { CHECK(good_.questions() == R"(["connect", "databases", "control"])"); }

  private:
    class Server {
      public:
        explicit Server(const std::string& faults) {
            std::string rows;
            for (int i = 0; i < 3000; ++i)
                rows += (i == 0 ? "[" : ", [") + std::to_string(1'700'000'000'000 + i) + ", 7]";
            std::ofstream(directory_ / "state.json") << R"({"users": {"root": "sesame"}, "faults": )" << faults
                                                     << R"(, "databases": {"m": {"stables": {"s": {"d0": [)" << rows
                                                     << R"(]}}, "tables": {"plain": [[1, 2]]}}}})";
            script_ = std::make_unique<support::Script>("tdengine_server.py", directory_.path());
        }
        [[nodiscard]] const std::string& port() const { return script_->port("port"); }
        [[nodiscard]] std::string questions() const {
            asio::ip::tcp::iostream stream("127.0.0.1", port());
            stream << "{\"op\": \"control\"}\n" << std::flush;
            std::string line;
            std::getline(stream, line);
            const auto begin = line.find(R"("questions": )");
            return begin == std::string::npos ? line : line.substr(begin + 13, line.size() - begin - 14);
        }

      private:
        support::TemporaryDirectory directory_;
        std::unique_ptr<support::Script> script_;
    };

    static std::unique_ptr<source::Source> make(const asio::any_io_executor& executor, async::Pool& pool,
                                                const Server& server) {
        source::TaosdumpSource::Settings settings;
        settings.server.name = "ticks";
        settings.server.type = model::ServerType::tdengine;
        settings.server.host = "127.0.0.1";
        settings.server.port = static_cast<std::uint16_t>(std::stoi(server.port()));
        settings.server.user = "root";
        settings.server.client.directory = PGBAKD_SOURCE_DIR "/tests/support";
        settings.source.server = "ticks";
        settings.source.all_databases = true;
        settings.compression = {codec::Method::none, 0};
        settings.password = base::Secret("sesame");
        settings.mark = source::mark_variable(run_name());
        return std::make_unique<source::TaosdumpSource>(executor, pool, std::move(settings));
    }

    Server good_{"{}"};
    Server bad_{R"({"unreadable": ["d0"]})"};
};

}  // namespace contract
