#include "source/pg_dump_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "codec/archive_batch.hpp"
#include "os/file.hpp"
#include "source/connection.hpp"
#include "source/directory_stream.hpp"
#include "source/program_stream.hpp"
#include "source/stock_restore.hpp"
#include "source/table_choice.hpp"

namespace pgbakd::source {
namespace {

constexpr std::size_t privileges_named = 5;

base::Error missing_privileges_error(const std::string& database, const postgres::PrivilegeReport& report) {
    std::vector<std::string> objects;
    for (const auto& missing : report.missing) objects.push_back(missing.object);
    const auto more = report.total > objects.size() ? fmt::format(" and {} more", report.total - objects.size()) : "";
    return {base::ErrorCode::permission_denied,
            fmt::format("the role may not read {}{} in database \"{}\"", base::join(objects, ", "), more, database),
            report.one_grant};
}

std::string dump_name(const std::string& database) {
    return fmt::format("pg_dump of \"{}\"", database);
}

std::string_view format_text(model::DumpFormat format) {
    switch (format) {
        case model::DumpFormat::custom: return "custom";
        case model::DumpFormat::plain: return "plain";
        case model::DumpFormat::directory: break;
    }
    return "directory";
}

class GlobalsPart final : public OpenPart {
  public:
    explicit GlobalsPart(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
    [[nodiscard]] Stream& stream() noexcept override { return *stream_; }

  private:
    std::unique_ptr<Stream> stream_;
};

class DatabasePart final : public OpenPart, public Witness {
  public:
    DatabasePart(std::unique_ptr<Stream> stream, DumpedDatabase database)
        : stream_(std::move(stream)), database_(std::move(database)) {}

    [[nodiscard]] Stream& stream() noexcept override { return *stream_; }
    [[nodiscard]] Witness* witness() noexcept override { return database_.snapshot ? this : nullptr; }
    [[nodiscard]] std::optional<model::DatabaseFacts> facts() const override { return database_.facts; }

    asio::awaitable<std::string> changed_tables(async::StopToken stop) override {
        // Not before: who wants to change a table would wait for our lock on it, the dump for him, and we for the dump.
        co_await stream_->begun(stop);
        auto& snapshot = *database_.snapshot;
        database_.schemas = co_await snapshot.schemas(database_.chosen, stop);
        co_return co_await snapshot.changed_tables(database_.chosen, stop);
    }
    asio::awaitable<std::string> moved_schemas(async::StopToken stop) override {
        return postgres::moved_schemas(database_.connection, database_.schemas, std::move(stop));
    }
    asio::awaitable<postgres::Counts> count_rows(async::StopToken stop) override {
        auto counted = co_await database_.snapshot->count_rows(database_.chosen, std::move(stop));
        database_.facts.fingerprint = counted.tables;
        database_.facts.fingerprinted = true;
        co_return counted;
    }

  private:
    std::unique_ptr<Stream> stream_;
    DumpedDatabase database_;
};

}  // namespace

PgDumpSource::PgDumpSource(asio::any_io_executor executor, async::Pool& pool, Settings settings)
    : executor_(std::move(executor)),
      pool_(pool),
      settings_(std::move(settings)),
      traits_(config::dump_traits(settings_.source.options)),
      access_(executor_, pool_, settings_.server, settings_.programs, application_variable(settings_.application)) {
    if (settings_.server.user.empty()) settings_.server.user = usual_role(settings_.server.client);
}

postgres::ConnectOptions PgDumpSource::connection(const std::string& database) const {
    return connect_options(settings_.server, settings_.password, database, settings_.application);
}

postgres::ConnectOptions PgDumpSource::maintenance_connection() const {
    auto options = connection(settings_.server.maintenance_database);
    options.database_key = fmt::format("servers.{}.maintenance_database", settings_.server.name);
    return options;
}

postgres::ConnectOptions PgDumpSource::reading_connection(const std::string& database) const {
    auto options = connection(database);
    options.role = traits_.role;
    if (traits_.row_security) options.settings.emplace_back("row_security", "on");
    return options;
}

asio::awaitable<Prepared> PgDumpSource::prepare(async::StopToken stop) {
    Prepared prepared;
    auto options = maintenance_connection();
    auto session = co_await access_.connect(options, stop);
    server_ = co_await postgres::server_facts(*session, stop);
    const auto major = server_.version_number / 10000;
    programs_ = co_await access_.find_programs(major, stop);
    auto existing = co_await postgres::list_databases(*session, stop);
    if (settings_.source.globals) {
        with_role_passwords_ = co_await postgres::can_read_role_passwords(*session, stop);
        if (!with_role_passwords_)
            prepared.notes.push_back(
                fmt::format("roles are saved without their passwords: role {} is no superuser", server_.role));
        prepared.parts.push_back(globals_part());
    }
    session.reset();
    prepared.origin.server = settings_.server.name;
    prepared.origin.server_version = server_.version;
    prepared.origin.server_version_number = server_.version_number;
    prepared.origin.client_version = programs_.version_text;
    prepared.origin.system_identifier = server_.system_identifier;
    prepared.facts.push_back(fmt::format("server {} answers: PostgreSQL {}{}, as role {}{}", settings_.server.name,
                                         server_.version, server_.in_recovery ? ", a standby" : "", server_.role,
                                         server_.is_superuser ? " (superuser)" : ""));
    const auto place = located_text(access_.client());
    prepared.facts.push_back(fmt::format("client programs: {} in {}{}", programs_.version_text,
                                         programs_.pg_dump.parent_path().string(),
                                         place.empty() ? place : ", " + place));
    prepared.summary = fmt::format("server {}, {}", server_.version, programs_.version_text);
    if (settings_.source.format == model::DumpFormat::custom && codec::compresses_archives(settings_.compression) &&
        !codec::knows_archives_of(programs_.major))
        prepared.notes.push_back(
            fmt::format("pg_dump {} writes archives of a version that is not known here, and compresses them itself",
                        programs_.major));
    const auto databases = co_await choose_databases(std::move(existing), prepared, stop);
    for (const auto& database : databases) {
        prepared.parts.push_back(database_part(database.name));
        prepared.estimated_bytes += database.bytes;
    }
    // Whether these programs can do what is asked is known now, not after an hour.
    const DumpRequest request{settings_.source.format, settings_.compression, {}, 1, {}, {}, {}};
    const auto arguments = pg_dump_arguments(programs_, request);
    if (!arguments) throw base::Error(arguments.error());
    co_return prepared;
}

asio::awaitable<std::vector<postgres::DatabaseInfo>> PgDumpSource::choose_databases(
    std::vector<postgres::DatabaseInfo> existing, Prepared& prepared, async::StopToken stop) {
    std::vector<postgres::DatabaseInfo> chosen;
    std::vector<std::string> names;
    names.reserve(existing.size());
    for (const auto& database : existing) names.push_back(database.name);
    const auto refuse = [&prepared](const std::string& database, base::Error error) {
        prepared.refused.push_back({database, std::move(error)});
    };
    if (settings_.source.all_databases) {
        const auto& exclude = settings_.source.exclude;
        for (auto& database : existing) {
            const bool excluded = std::find(exclude.begin(), exclude.end(), database.name) != exclude.end();
            if (database.is_template || !database.allows_connections || excluded) continue;
            chosen.push_back(std::move(database));
        }
        for (const auto& name : exclude)
            if (std::find(names.begin(), names.end(), name) == names.end())
                prepared.notes.push_back(fmt::format("exclude names database \"{}\", which does not exist", name));
    } else {
        for (const auto& name : settings_.source.databases) {
            const auto found = std::find_if(existing.begin(), existing.end(),
                                            [&name](const auto& database) { return database.name == name; });
            prepared.origin.databases.push_back(name);
            if (found != existing.end()) {
                chosen.push_back(*found);
                continue;
            }
            const auto near = base::closest(name, names);
            refuse(name, {base::ErrorCode::not_found, fmt::format("database \"{}\" does not exist", name),
                          near ? fmt::format("did you mean \"{}\"?", *near) : "remove it from the job, or create it"});
        }
    }
    std::vector<postgres::DatabaseInfo> readable;
    for (const auto& database : chosen) {
        if (settings_.source.all_databases) prepared.origin.databases.push_back(database.name);
        std::exception_ptr failure;
        try {
            co_await check_database(database.name, stop);
        } catch (const base::Error&) {
            failure = std::current_exception();
        }
        stop.check();
        if (!failure) {
            readable.push_back(database);
            continue;
        }
        const auto error = base::to_error(failure);
        // What may pass is left to the dump itself, which is retried.
        if (error.is_passing())
            readable.push_back(database);
        else
            refuse(database.name, error);
    }
    co_return readable;
}

asio::awaitable<void> PgDumpSource::check_database(std::string database, async::StopToken stop) {
    auto options = reading_connection(database);
    const auto session = co_await access_.connect(options, stop);
    // Options that leave tables out may leave out just those the role cannot read: pg_dump itself will say. With row
    // security switched on, a policy is no obstacle.
    if (traits_.chooses_data || traits_.row_security) co_return;
    const auto report = co_await postgres::missing_privileges(*session, privileges_named, stop);
    if (report.total > 0) throw missing_privileges_error(database, report);
}

bool PgDumpSource::compresses_archives() const {
    if (settings_.source.format != model::DumpFormat::custom) return false;
    // What comes from another host comes over a network, which is slower than a compressor.
    if (access_.client().where == model::ClientSpec::Where::ssh) return false;
    return codec::compresses_archives(settings_.compression) && codec::knows_archives_of(programs_.major);
}

Part PgDumpSource::database_part(const std::string& database) const {
    Part part;
    part.kind = "database";
    part.database = database;
    part.format = format_text(settings_.source.format);
    part.stem = model::file_name_of_database(database);
    part.program = dump_name(database);
    part.compression = settings_.compression;
    const codec::Compression none{codec::Method::none, 0};
    switch (settings_.source.format) {
        case model::DumpFormat::custom:
            part.content = codec::Content::custom_archive;
            part.outer = none;
            part.extension = ".dump";
            if (compresses_archives()) part.inner = settings_.compression;
            break;
        case model::DumpFormat::plain:
            part.content = codec::Content::plain_dump;
            part.outer = settings_.compression;
            part.extension = fmt::format(".sql{}", codec::file_extension(part.outer.method));
            break;
        case model::DumpFormat::directory:
            part.content = codec::Content::directory_archive;
            part.outer = none;
            part.extension = ".dir.tar";
            break;
    }
    return part;
}

Part PgDumpSource::globals_part() const {
    Part part;
    part.kind = "globals";
    part.format = "plain";
    part.stem = "globals";
    part.program = "pg_dumpall";
    part.content = codec::Content::plain_globals;
    part.outer = settings_.compression;
    part.compression = settings_.compression;
    part.extension = fmt::format(".sql{}", codec::file_extension(settings_.compression.method));
    part.is_accessory = true;
    return part;
}

asio::awaitable<std::unique_ptr<OpenPart>> PgDumpSource::open(Part part, std::filesystem::path work,
                                                              async::StopToken stop) {
    const bool globals = part.kind == "globals";
    auto options = globals ? maintenance_connection() : connection(part.database);
    os::Command command;
    command.nice = settings_.nice;
    command.environment = client_environment(options, server_.version_number);
    const auto& source = settings_.source;
    if (globals) {
        command.argv = pg_dumpall_arguments(programs_, source.lock_wait_timeout, with_role_passwords_);
        command = access_.command(command);
        auto stream = open_program_stream(executor_, command, "pg_dumpall --globals-only", access_.client());
        co_return std::make_unique<GlobalsPart>(std::move(stream));
    }
    const bool ours = part.inner.method != codec::Method::none;
    const codec::Compression none{codec::Method::none, 0};
    DumpRequest request{
        source.format, ours ? none : settings_.compression, source.lock_wait_timeout, source.jobs, {}, work,
        source.options};
    auto database = co_await open_database(part.database, command, request, stop);
    command.argv = pg_dump_arguments(programs_, request).value();
    command = access_.command(command);
    const auto what = dump_name(part.database);
    std::unique_ptr<Stream> stream;
    if (source.format == model::DumpFormat::directory) {
        command.capture_output = false;
        const auto make_directory = [work] { return os::make_directory(work); };
        co_await async::run_blocking(pool_, make_directory);  // there after an attempt that broke off: pg_dump will say
        stream = open_directory_stream(executor_, pool_, command, work, what, traits_.verbose);
    } else {
        stream = open_program_stream(executor_, command, what, access_.client(), traits_.verbose);
    }
    co_return std::make_unique<DatabasePart>(std::move(stream), std::move(database));
}

asio::awaitable<DumpedDatabase> PgDumpSource::open_database(std::string database, os::Command command,
                                                            DumpRequest& request, async::StopToken stop) {
    DumpedDatabase opened;
    if (settings_.source.fingerprint == model::FingerprintKind::none) {
        const auto options = connection(database);
        const auto session = co_await access_.connect(options, stop);
        opened.facts = co_await postgres::database_facts(*session, stop);
        co_return opened;
    }
    const auto configured = reading_connection(database);
    opened.connection = co_await access_.reach(configured, stop);
    opened.snapshot = co_await postgres::Snapshot::open(opened.connection, stop);
    opened.facts = opened.snapshot->facts();
    request.snapshot = opened.snapshot->id();
    // What the job leaves out is not touched: neither its locks nor its size are the dump's business.
    if (!traits_.chooses_data) co_return opened;
    auto rehearsal = request;
    rehearsal.format = model::DumpFormat::custom;
    rehearsal.compression = {codec::Method::none, 0};
    command.argv = pg_dump_arguments(programs_, rehearsal).value();
    command = access_.command(command);
    const auto what = dump_name(database);
    opened.chosen = co_await tables_with_data(executor_, command, what, access_.client(), stop);
    co_return opened;
}

asio::awaitable<std::size_t> PgDumpSource::end_leftovers(async::StopToken stop) {
    auto options = maintenance_connection();
    // A name of its own, so that this session does not count itself.
    options.application_name = "pgbakd";
    const auto session = co_await access_.connect(options, stop);
    co_return co_await postgres::terminate_backends(*session, settings_.application, stop);
}

std::vector<std::string> PgDumpSource::stock_restore(const model::BackupSet& set) const {
    return source::stock_restore(set, settings_.source.options);
}

}  // namespace pgbakd::source
