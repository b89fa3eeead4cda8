// The pg_basebackup source: a whole PostgreSQL cluster as it lies on the server's disk, a tar for each tablespace, and
// the WAL that makes them consistent.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "codec/compress.hpp"
#include "model/job.hpp"
#include "postgres/programs.hpp"
#include "source/basebackup_preflight.hpp"
#include "source/server_access.hpp"
#include "source/source.hpp"

namespace pgbakd::source {

class PgBasebackupSource final : public Source {
  public:
    struct Settings {
        model::ServerSpec server;
        model::PgBasebackupSource source;
        codec::Compression compression;
        base::Secret password;
        postgres::ProgramSearch programs;  // docker and ssh, where the server is reached through them
        std::string application;           // application_name of all that the run has on the server
    };
    PgBasebackupSource(asio::any_io_executor executor, async::Pool& pool, Settings settings);
    ~PgBasebackupSource() override;

    asio::awaitable<Prepared> prepare(async::StopToken stop) override;
    asio::awaitable<Begun> begin(std::filesystem::path work, async::StopToken stop) override;
    asio::awaitable<std::unique_ptr<OpenPart>> open(Part part, std::filesystem::path work,
                                                    async::StopToken stop) override;
    // Walsenders that still carry the run's name.
    asio::awaitable<std::size_t> end_leftovers(async::StopToken stop) override;
    void complete(model::BackupSet::Source& origin) const override;
    [[nodiscard]] std::vector<std::string> stock_restore(const model::BackupSet& set) const override;

    // One attempt: the stream of the server, and what its parts share.
    struct Attempt;

  private:
    asio::awaitable<postgres::ConnectOptions> reach(async::StopToken stop);
    [[nodiscard]] Part archive_part(std::uint32_t oid, const std::string& name) const;
    [[nodiscard]] Part manifest_part() const;
    [[nodiscard]] std::string name_of(std::uint32_t oid) const;

    Settings settings_;
    ServerAccess access_;
    ClusterFacts cluster_;              // from prepare() on
    std::shared_ptr<Attempt> attempt_;  // from begin() on
    int attempts_ = 0;
};

}  // namespace pgbakd::source
