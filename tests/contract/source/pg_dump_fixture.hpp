// Databases of a real PostgreSQL server, which all fixtures of a process share.
#pragma once

#include <regex>

#include "fixture.hpp"
#include "integration/postgres/cluster.hpp"
#include "source/connection.hpp"
#include "source/pg_dump_source.hpp"

namespace contract {

inline pgbakd::test::Cluster& cluster() {
    // Nothing changes its files by itself.
    static pgbakd::test::Cluster server({"autovacuum = off"}, {"local replication all trust"});
    static const bool started = [] {
        server.start();
        pgbakd::test::Sql(server.options())("create database shop");
        pgbakd::test::Sql sql(server.options("shop"));
        sql("create table public.t as select i, md5(i::text) body from generate_series(1, 1500) i");
        return true;
    }();
    (void)started;
    return server;
}

inline model::ServerSpec main_server() {
    model::ServerSpec server;
    server.name = "main";
    server.host = cluster().directory().native();
    server.port = cluster().port();
    server.user = "postgres";
    return server;
}

class PgDump {
  public:
    static std::string missing() {
        return std::filesystem::exists("/usr/lib/postgresql") ? "" : "no PostgreSQL server is installed";
    }

    std::unique_ptr<source::Source> open(const asio::any_io_executor& executor, async::Pool& pool) {
        return make(executor, pool, model::DumpFormat::plain);
    }
    std::unique_ptr<source::Source> failing(const asio::any_io_executor& executor, async::Pool& pool) {
        return make(executor, pool, model::DumpFormat::plain);
    }
    // The dump waits for a table, and gives up.
    void break_off() {
        holder_ = std::make_unique<pgbakd::test::Sql>(cluster().options("shop"));
        (*holder_)("begin");
        (*holder_)("lock table public.t in access exclusive mode");
    }
    static std::string cause() { return "canceling statement due to"; }
    // A key that is different each time (\restrict) since 15.14.
    static std::string content_of(const std::string& bytes) {
        return std::regex_replace(bytes, std::regex("\\\\(un)?restrict \\w+"), "");
    }

  protected:
    static std::unique_ptr<source::Source> make(const asio::any_io_executor& executor, async::Pool& pool,
                                                model::DumpFormat format) {
        source::PgDumpSource::Settings settings;
        settings.server = main_server();
        settings.source.server = "main";
        settings.source.databases = {"shop"};
        settings.source.format = format;
        settings.source.lock_wait_timeout = std::chrono::milliseconds(200);
        settings.source.fingerprint = model::FingerprintKind::none;
        settings.compression = {codec::Method::none, 0};
        settings.programs = pgbakd::postgres::ProgramSearch::standard("/usr/bin:/bin");
        settings.application = source::application_name(run_name());
        return std::make_unique<source::PgDumpSource>(executor, pool, std::move(settings));
    }

  private:
    std::unique_ptr<pgbakd::test::Sql> holder_;
};

// By way of a directory on the disk.
class PgDumpDirectory : public PgDump {
  public:
    std::unique_ptr<source::Source> open(const asio::any_io_executor& executor, async::Pool& pool) {
        return make(executor, pool, model::DumpFormat::directory);
    }
    std::unique_ptr<source::Source> failing(const asio::any_io_executor& executor, async::Pool& pool) {
        return make(executor, pool, model::DumpFormat::directory);
    }
    // toc.dat has the time in it.
    static std::string content_of(const std::string& bytes) {
        std::string all;
        for (const auto& [name, content] : files_of(bytes))
            all += name + ":" + (name == "toc.dat" ? "" : content) + "\n";
        return all;
    }
};

}  // namespace contract
