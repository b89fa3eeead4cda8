#include "source/pg_dump_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "os/file.hpp"
#include "source/connection.hpp"
#include "source/directory_stream.hpp"
#include "source/program_stream.hpp"
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

}  // namespace

OpenPart::OpenPart(std::unique_ptr<Stream> stream, Database database)
    : stream_(std::move(stream)), database_(std::move(database)) {}

asio::awaitable<std::string> OpenPart::changed_tables(async::StopToken stop) {
    // Not before: who wants to change a table would wait for our lock on it, the dump for him, and we for the dump.
    co_await stream_->begun(stop);
    auto& snapshot = *database_.snapshot;
    database_.schemas = co_await snapshot.schemas(database_.chosen, stop);
    co_return co_await snapshot.changed_tables(database_.chosen, stop);
}

asio::awaitable<std::string> OpenPart::moved_schemas(async::StopToken stop) {
    return postgres::moved_schemas(database_.connection, database_.schemas, std::move(stop));
}

asio::awaitable<postgres::Counts> OpenPart::count_rows(async::StopToken stop) {
    auto counted = co_await database_.snapshot->count_rows(database_.chosen, std::move(stop));
    database_.facts.fingerprint = counted.tables;
    database_.facts.fingerprinted = true;
    co_return counted;
}

PgDumpSource::PgDumpSource(asio::any_io_executor executor, async::Pool& pool, Settings settings)
    : executor_(std::move(executor)),
      pool_(pool),
      settings_(std::move(settings)),
      traits_(config::dump_traits(settings_.source.options)) {}

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
    auto session = co_await postgres::Session::connect(options, stop);
    prepared.server = co_await postgres::server_facts(*session, stop);
    const auto major = prepared.server.version_number / 10000;
    prepared.programs =
        co_await postgres::find_programs(major, settings_.server.client_directory, settings_.programs, stop);
    auto existing = co_await postgres::list_databases(*session, stop);
    if (settings_.source.globals) {
        prepared.with_role_passwords = co_await postgres::can_read_role_passwords(*session, stop);
        if (!prepared.with_role_passwords)
            prepared.notes.push_back(
                fmt::format("roles are saved without their passwords: role {} is no superuser", prepared.server.role));
        prepared.parts.push_back(globals_part());
    }
    session.reset();
    const auto databases = co_await choose_databases(std::move(existing), prepared, stop);
    for (const auto& database : databases) {
        prepared.parts.push_back(database_part(database.name));
        prepared.estimated_bytes += database.bytes;
    }
    // Whether these programs can do what is asked is known now, not after an hour.
    const DumpRequest request{settings_.source.format, settings_.compression, {}, 1, {}, {}, {}};
    const auto arguments = pg_dump_arguments(prepared.programs, request);
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
            prepared.databases.push_back(name);
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
        if (settings_.source.all_databases) prepared.databases.push_back(database.name);
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
    const auto session = co_await postgres::Session::connect(options, stop);
    // Options that leave tables out may leave out just those the role cannot read: pg_dump itself will say. With row
    // security switched on, a policy is no obstacle.
    if (traits_.chooses_data || traits_.row_security) co_return;
    const auto report = co_await postgres::missing_privileges(*session, privileges_named, stop);
    if (report.total > 0) throw missing_privileges_error(database, report);
}

Part PgDumpSource::database_part(const std::string& database) const {
    Part part{"database", database, settings_.source.format, {}, {}, settings_.compression, {}};
    const codec::Compression none{codec::Method::none, 0};
    switch (part.format) {
        case model::DumpFormat::custom:
            part.content = codec::Content::custom_archive;
            part.outer = none;
            part.extension = ".dump";
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
    return {"globals",
            {},
            model::DumpFormat::plain,
            codec::Content::plain_globals,
            settings_.compression,
            settings_.compression,
            fmt::format(".sql{}", codec::file_extension(settings_.compression.method))};
}

asio::awaitable<std::unique_ptr<OpenPart>> PgDumpSource::open(Part part, Prepared prepared, std::filesystem::path work,
                                                              async::StopToken stop) {
    const bool globals = part.kind == "globals";
    auto options = globals ? maintenance_connection() : connection(part.database);
    os::Command command;
    command.nice = settings_.nice;
    command.environment = client_environment(options, prepared.server.version_number);
    const auto& source = settings_.source;
    if (globals) {
        command.argv = pg_dumpall_arguments(prepared.programs, source.lock_wait_timeout, prepared.with_role_passwords);
        co_return std::make_unique<OpenPart>(open_program_stream(executor_, command, "pg_dumpall --globals-only"));
    }
    DumpRequest request{part.format, settings_.compression, source.lock_wait_timeout, source.jobs, {},
                        work,        source.options};
    auto database = co_await open_database(part.database, command, prepared.programs, request, stop);
    command.argv = pg_dump_arguments(prepared.programs, request).value();
    const auto what = dump_name(part.database);
    std::unique_ptr<Stream> stream;
    if (part.format == model::DumpFormat::directory) {
        command.capture_output = false;
        const auto make_directory = [work] { return os::make_directory(work); };
        co_await async::run_blocking(pool_, make_directory);  // there after an attempt that broke off: pg_dump will say
        stream = open_directory_stream(executor_, pool_, command, work, what, traits_.verbose);
    } else {
        stream = open_program_stream(executor_, command, what, traits_.verbose);
    }
    co_return std::make_unique<OpenPart>(std::move(stream), std::move(database));
}

asio::awaitable<OpenPart::Database> PgDumpSource::open_database(std::string database, os::Command command,
                                                                postgres::ClientPrograms programs, DumpRequest& request,
                                                                async::StopToken stop) {
    OpenPart::Database opened;
    if (settings_.source.fingerprint == model::FingerprintKind::none) {
        const auto session = co_await postgres::Session::connect(connection(database), stop);
        opened.facts = co_await postgres::database_facts(*session, stop);
        co_return opened;
    }
    opened.snapshot = co_await postgres::Snapshot::open(reading_connection(database), stop);
    opened.facts = opened.snapshot->facts();
    opened.connection = reading_connection(database);
    request.snapshot = opened.snapshot->id();
    // What the job leaves out is not touched: neither its locks nor its size are the dump's business.
    if (!traits_.chooses_data) co_return opened;
    auto rehearsal = request;
    rehearsal.format = model::DumpFormat::custom;
    rehearsal.compression = {codec::Method::none, 0};
    command.argv = pg_dump_arguments(programs, rehearsal).value();
    opened.chosen = co_await tables_with_data(executor_, command, dump_name(database), stop);
    co_return opened;
}

asio::awaitable<std::size_t> PgDumpSource::end_backends(async::StopToken stop) {
    auto options = maintenance_connection();
    // A name of its own, so that this session does not count itself.
    options.application_name = "pgbakd";
    const auto session = co_await postgres::Session::connect(options, stop);
    co_return co_await postgres::terminate_backends(*session, settings_.application, stop);
}

}  // namespace pgbakd::source
