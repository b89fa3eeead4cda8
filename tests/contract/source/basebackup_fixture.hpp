// The whole of a real PostgreSQL cluster.
#pragma once

#include <atomic>
#include <thread>

#include "fixture.hpp"
#include "pg_dump_fixture.hpp"
#include "source/basebackup_source.hpp"
#include "source/connection.hpp"

namespace contract {

class Basebackup {
  public:
    static std::string missing() { return PgDump::missing(); }

    Basebackup() = default;
    Basebackup(const Basebackup&) = delete;
    Basebackup& operator=(const Basebackup&) = delete;
    ~Basebackup() {
        over_ = true;
        if (killer_.joinable()) killer_.join();
    }
    std::unique_ptr<source::Source> open(const asio::any_io_executor& executor, async::Pool& pool) {
        return make(executor, pool, 0);
    }
    // So slow that it is in the middle when somebody looks.
    std::unique_ptr<source::Source> failing(const asio::any_io_executor& executor, async::Pool& pool) {
        return make(executor, pool, std::uint64_t{1} << 20U);
    }
    // An administrator ends it, once its files are on their way.
    void break_off() {
        killer_ = std::thread([this] {
            pgbakd::test::Sql sql(cluster().options());
            const auto* const statement =
                "select count(pg_terminate_backend(pid)) from pg_stat_progress_basebackup "
                "where phase = 'streaming database files'";
            while (!over_ && sql.value(statement) == "0") std::this_thread::yield();
        });
    }
    static std::string cause() { return "terminating connection due to administrator command"; }
    // Names and sizes: the bytes were compared with the manifest, and differ where the server has worked meanwhile.
    static std::string content_of(const std::string& bytes) {
        std::string all;
        for (const auto& [name, content] : files_of(bytes))
            if (name.starts_with("base/")) all += name + " " + std::to_string(content.size()) + "\n";
        return all;
    }

  private:
    static std::unique_ptr<source::Source> make(const asio::any_io_executor& executor, async::Pool& pool,
                                                std::uint64_t max_rate) {
        source::PgBasebackupSource::Settings settings;
        settings.server = main_server();
        settings.source.server = "main";
        settings.source.checkpoint = model::Checkpoint::fast;
        settings.source.max_rate = max_rate;
        settings.compression = {codec::Method::none, 0};
        settings.application = source::application_name(run_name());
        return std::make_unique<source::PgBasebackupSource>(executor, pool, std::move(settings));
    }

    std::thread killer_;
    std::atomic<bool> over_ = false;
};

}  // namespace contract
