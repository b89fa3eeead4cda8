#include "source/basebackup_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "base/units.hpp"
#include "codec/backup_check.hpp"
#include "postgres/base_backup.hpp"
#include "source/connection.hpp"
#include "source/ledger_spool.hpp"
#include "source/restore_cluster.hpp"

namespace pgbakd::source {

using postgres::BaseBackup;

struct PgBasebackupSource::Attempt {
    std::unique_ptr<BaseBackup> backup;
    std::shared_ptr<codec::BackupRecord> record;
    std::vector<std::string> streams;  // that are to come, as Archive::name has them; the manifest is the last one
    std::size_t opened = 0;
    BaseBackup::Position end;  // once all have come
};

namespace {

constexpr std::string_view base_kind = "base";
constexpr std::string_view tablespace_kind = "tablespace";
constexpr std::string_view manifest_kind = "manifest";
// The WAL that a quiet cluster needs for a backup: some segments.
constexpr std::uint64_t segments_beside = 4;
constexpr std::uint64_t kibibyte = 1024;

std::string archive_name(std::uint32_t oid) {
    return oid == 0 ? "base.tar" : fmt::format("{}.tar", oid);
}

// Slots are named with small letters, digits and "_" only.
std::string slot_name(const std::string& application, int attempt) {
    std::string name;
    for (const char c : base::to_lower(application)) name += base::is_letter(c) || base::is_digit(c) ? c : '_';
    return fmt::format("{}_{}", base::clamp_utf8(name, 50), attempt);
}

base::Error wrong_stream(const std::string& server, const std::string& sent, const std::string& expected) {
    const auto shown = [](const std::string& name) { return name.empty() ? "the manifest" : base::printable(name); };
    return {base::ErrorCode::server_error,
            fmt::format("server {} sent {} where {} of its base backup belongs", server, shown(sent), shown(expected))};
}

class BackupStream final : public Stream {
  public:
    BackupStream(std::shared_ptr<PgBasebackupSource::Attempt> attempt, bool is_last)
        : attempt_(std::move(attempt)), is_last_(is_last) {}

    asio::awaitable<void> begun(async::StopToken /*stop*/) override { co_return; }
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop) override {
        return attempt_->backup->read(into, std::move(stop));
    }
    asio::awaitable<void> finish(async::StopToken stop) override {
        if (is_last_)
            attempt_->end = co_await attempt_->backup->finish(stop);
        else
            co_await attempt_->backup->expect_more(stop);
    }
    [[nodiscard]] std::vector<std::string> remarks() const override {
        return is_last_ ? attempt_->backup->warnings() : std::vector<std::string>{};
    }
    asio::awaitable<void> abort() override {
        attempt_->backup->close();
        co_return;
    }

  private:
    std::shared_ptr<PgBasebackupSource::Attempt> attempt_;
    bool is_last_;
};

class BackupPart final : public OpenPart {
  public:
    BackupPart(std::shared_ptr<PgBasebackupSource::Attempt> attempt, const Part& part)
        : attempt_(std::move(attempt)), kind_(part.kind), oid_(part.stem), stream_(attempt_, kind_ == manifest_kind) {}
    [[nodiscard]] Stream& stream() noexcept override { return stream_; }
    [[nodiscard]] std::unique_ptr<codec::Check> content_check() override {
        if (kind_ == manifest_kind) return codec::make_backup_manifest_check(attempt_->record);
        auto prefix = kind_ == base_kind ? std::string() : fmt::format("pg_tblspc/{}/", oid_);
        return codec::make_backup_tar_check(attempt_->record, std::move(prefix));
    }

  private:
    std::shared_ptr<PgBasebackupSource::Attempt> attempt_;
    std::string kind_;
    std::string oid_;
    BackupStream stream_;
};

}  // namespace

PgBasebackupSource::PgBasebackupSource(asio::any_io_executor executor, async::Pool& pool, Settings settings)
    : settings_(std::move(settings)),
      access_(std::move(executor), pool, settings_.server, settings_.programs,
              application_variable(settings_.application)) {
    if (settings_.server.user.empty()) settings_.server.user = usual_role(settings_.server.client);
}

PgBasebackupSource::~PgBasebackupSource() = default;

asio::awaitable<postgres::ConnectOptions> PgBasebackupSource::reach(async::StopToken stop) {
    auto options = connect_options(settings_.server, settings_.password, settings_.server.maintenance_database,
                                   settings_.application);
    options.database_key = fmt::format("servers.{}.maintenance_database", settings_.server.name);
    co_return co_await access_.reach(options, stop);
}

std::string PgBasebackupSource::name_of(std::uint32_t oid) const {
    for (const auto& tablespace : cluster_.tablespaces)
        if (tablespace.oid == oid) return tablespace.name;
    return {};
}

Part PgBasebackupSource::archive_part(std::uint32_t oid, const std::string& name) const {
    Part part;
    part.kind = oid == 0 ? base_kind : tablespace_kind;
    part.format = "tar";
    part.stem = oid == 0 ? std::string(base_kind) : std::to_string(oid);
    part.program = "base backup";
    part.title = oid == 0 ? std::string("base") : fmt::format("tablespace {}", name.empty() ? part.stem : name);
    part.content = codec::Content::tar;
    part.outer = settings_.compression;
    part.compression = settings_.compression;
    part.extension = fmt::format(".tar{}", codec::file_extension(settings_.compression.method));
    return part;
}

Part PgBasebackupSource::manifest_part() const {
    auto part = archive_part(0, {});
    part.kind = manifest_kind;
    part.format = "backup_manifest";
    part.stem = "backup_manifest";
    part.title = "backup manifest";
    part.content = codec::Content::backup_manifest;
    part.extension = fmt::format(".json{}", codec::file_extension(settings_.compression.method));
    part.is_accessory = true;
    return part;
}

asio::awaitable<Prepared> PgBasebackupSource::prepare(async::StopToken stop) {
    const auto options = co_await reach(stop);
    cluster_ = co_await check_cluster(options, stop);
    const auto& server = cluster_.server;
    Prepared prepared;
    prepared.together = true;
    prepared.origin.type = "pg_basebackup";
    prepared.origin.server = settings_.server.name;
    prepared.origin.server_version = server.version;
    prepared.origin.server_version_number = server.version_number;
    prepared.origin.system_identifier = server.system_identifier;
    prepared.estimated_bytes = cluster_.bytes + segments_beside * cluster_.wal_segment_size;
    const auto* standby = server.in_recovery ? ", a standby" : "";
    prepared.facts.push_back(fmt::format("server {} answers: PostgreSQL {}{}, as role {}{}", settings_.server.name,
                                         server.version, standby, server.role,
                                         server.is_superuser ? " (superuser)" : ""));
    prepared.facts.push_back(fmt::format("it lets the role in for replication; {} of {} walsenders are free",
                                         cluster_.free_walsenders, cluster_.max_walsenders));
    prepared.facts.push_back(fmt::format("the whole cluster, some {}, with {} beside the data directory",
                                         base::format_size(cluster_.bytes),
                                         base::counted(cluster_.tablespaces.size(), "tablespace")));
    prepared.summary = fmt::format("server {}{}, some {}", server.version, standby, base::format_size(cluster_.bytes));
    for (const auto& tablespace : cluster_.tablespaces)
        prepared.parts.push_back(archive_part(tablespace.oid, tablespace.name));
    prepared.parts.push_back(archive_part(0, {}));
    prepared.parts.push_back(manifest_part());
    co_return prepared;
}

asio::awaitable<Begun> PgBasebackupSource::begin(std::filesystem::path work, async::StopToken stop) {
    attempt_.reset();
    BaseBackup::Request request;
    request.label = settings_.application;
    request.fast_checkpoint = settings_.source.checkpoint == model::Checkpoint::fast;
    request.max_rate = settings_.source.max_rate / kibibyte;
    request.slot = slot_name(settings_.application, ++attempts_);
    const auto options = co_await reach(stop);
    auto attempt = std::make_shared<Attempt>();
    attempt->backup = co_await BaseBackup::begin(options, request, stop);
    auto spool = std::make_unique<LedgerSpool>(std::move(work));
    attempt->record = codec::make_backup_record(std::move(spool), cluster_.wal_segment_size);

    Begun begun;
    for (const auto& tablespace : attempt->backup->tablespaces()) {
        begun.parts.push_back(archive_part(tablespace.oid, name_of(tablespace.oid)));
        begun.raw_bytes += tablespace.bytes;
        attempt->streams.push_back(archive_name(tablespace.oid));
    }
    begun.parts.push_back(manifest_part());
    attempt->streams.emplace_back();
    if (const auto& why = attempt->backup->slot_failure(); !why.empty())
        begun.notes.push_back(
            fmt::format("no replication slot keeps the WAL meanwhile, so that a busy server may remove what the backup "
                        "needs (raise max_replication_slots): {}",
                        why));
    attempt_ = std::move(attempt);
    co_return begun;
}

asio::awaitable<std::unique_ptr<OpenPart>> PgBasebackupSource::open(Part part, std::filesystem::path /*work*/,
                                                                    async::StopToken stop) {
    const auto attempt = attempt_;
    const auto archive = co_await attempt->backup->next(stop);
    const auto& expected = attempt->streams.at(attempt->opened++);
    if (archive.name != expected || archive.is_manifest != expected.empty()) {
        const auto wrong = wrong_stream(settings_.server.name, archive.name, expected);
        throw base::Error(wrong);
    }
    co_return std::make_unique<BackupPart>(attempt, part);
}

asio::awaitable<std::size_t> PgBasebackupSource::end_leftovers(async::StopToken stop) {
    if (attempt_) attempt_->backup->close();
    auto options = co_await reach(stop);
    // A name of its own, so that this session does not count itself.
    options.application_name = "pgbakd";
    const auto session = co_await postgres::Session::connect(options, stop);
    co_return co_await postgres::terminate_backends(*session, settings_.application, stop);
}

void PgBasebackupSource::complete(model::BackupSet::Source& origin) const {
    if (!attempt_) return;
    model::BaseBackupFacts facts;
    facts.start_lsn = attempt_->backup->start().lsn;
    facts.start_timeline = attempt_->backup->start().timeline;
    facts.end_lsn = attempt_->end.lsn;
    facts.end_timeline = attempt_->end.timeline;
    for (const auto& tablespace : attempt_->backup->tablespaces())
        if (tablespace.oid != 0)
            facts.tablespaces.push_back({tablespace.oid, name_of(tablespace.oid), tablespace.location});
    origin.base_backup = std::move(facts);
}

std::vector<std::string> PgBasebackupSource::stock_restore(const model::BackupSet& set) const {
    return restore_cluster_commands(set);
}

}  // namespace pgbakd::source
