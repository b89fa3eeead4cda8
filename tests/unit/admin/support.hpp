// What the tests of lib/admin share: the tool run as a function, a repository made of real small sets, and a daemon
// that says what the test wants.
#pragma once

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "admin/main.hpp"
#include "calendar/zone_database.hpp"
#include "codec/compress.hpp"
#include "codec/sha256.hpp"
#include "model/json.hpp"
#include "repository/repository.hpp"
#include "support/temporary_directory.hpp"

namespace pgbakd::admin::testing {

inline base::Timestamp at(std::string_view text) {
    return calendar::parse_rfc3339(text).value();
}

struct Ran {
    int exit = -1;
    std::string out;
    std::string err;
    [[nodiscard]] boost::json::object json() const { return model::parse_json(out, 1U << 20U).value().as_object(); }
};

inline void write(const std::filesystem::path& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// A machine: a configuration with two jobs in a directory of its own, on 2026-01-20 00:00 UTC.
class Machine {
  public:
    Machine() : zones_(std::filesystem::path(PGBAKD_SOURCE_DIR) / "tests/data/zoneinfo") {
        configure(
            "  shop-daily:\n"
            "    schedule: daily at 02:00\n"
            "    timezone: Europe/Berlin\n"
            "    retention: {local: {days: 7, at_least: 1}}\n"
            "    source: {type: pg_dump, server: local, databases: [shop]}\n"
            "  all:\n"
            "    schedule: every 6 hours\n"
            "    source: {type: pg_dump, server: local, databases: all}\n");
    }

    void configure(std::string_view jobs) {
        write(config_file(), "timezone: UTC\nrepository: {directory: " +
                                 model::compact(boost::json::string(repository_directory().string())) +
                                 "}\nreports: {directory: " + (directory / "reports").string() + "}\napi: {socket: " +
                                 socket().string() + "}\nservers: {local: {host: " + directory.path().string() +
                                 "}}\njobs:\n" + std::string(jobs));
    }

    // The tool as it is typed, but for --config.
    Ran run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--config", config_file().string()});
        return run_bare(arguments);
    }
    Ran run_bare(const std::vector<std::string>& arguments) {
        std::ostringstream out, err;
        Surroundings around{out, err, terminal, terminal, 80, environment, clock, zones_, "UTC", service_credentials};
        Ran ran;
        ran.exit = admin::main(arguments, around);
        ran.out = out.str();
        ran.err = err.str();
        return ran;
    }

    [[nodiscard]] std::filesystem::path config_file() const { return directory / "pgbakd.yaml"; }
    [[nodiscard]] std::filesystem::path repository_directory() const { return directory / state_name / "repository"; }
    [[nodiscard]] std::filesystem::path state_file() const { return directory / state_name / "state.db"; }
    [[nodiscard]] std::filesystem::path socket() const { return directory / "control.sock"; }
    [[nodiscard]] repository::Repository repository() const { return repository::Repository(repository_directory()); }
    [[nodiscard]] std::filesystem::path path_of(const std::string& set) const { return repository_directory() / set; }

    // Commits a set of one database, begun at that time, and returns its name: "shop-daily/20260113_010000".
    std::string add_set(const std::string& job, std::string_view started_at, const std::string& database = "shop",
                        bool complete = true);

    support::TemporaryDirectory directory;
    base::ManualClock clock{at("2026-01-20T00:00:00Z")};
    std::function<std::optional<std::string>(const char*)> environment;
    std::filesystem::path service_credentials = directory / "credentials";
    bool terminal = false;
    std::string state_name = "state";  // of the directory that holds the repository; configure() after a change

  private:
    calendar::ZoneDatabase zones_;
};

inline std::string plain_dump() {
    return "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE orders (id integer);\n\n--\n-- PostgreSQL database "
           "dump "
           "complete\n--\n\n";
}

inline std::string Machine::add_set(const std::string& job, std::string_view started_at, const std::string& database,
                                    bool complete) {
    const auto repository = this->repository();
    repository.prepare();
    const auto started = at(started_at);
    const auto partial = repository.begin(job, model::set_name(base::to_instant(started), *calendar::Zone::utc()));
    const auto raw = plain_dump();
    const auto packed = codec::PieceCompressor({codec::Method::gzip, 6}).compress(std::as_bytes(std::span(raw)));
    model::Artifact artifact;
    artifact.file = database + "_" + partial.id.set + ".sql.gz";
    artifact.kind = "database";
    artifact.database = database;
    artifact.format = "plain";
    artifact.bytes = packed.size();
    artifact.raw_bytes = raw.size();
    artifact.sha256 = codec::sha256_hex(packed);
    artifact.compression = "gzip:6";
    artifact.verified = model::Verification::decoded;
    artifact.verified_at = started;
    write(partial.directory / artifact.file, {reinterpret_cast<const char*>(packed.data()), packed.size()});
    model::BackupSet set;
    set.id = partial.id;
    set.run = base::RunId::make(started, {});
    set.host = "db1";
    set.trigger = "schedule";
    set.started_at = started;
    set.finished_at = started + std::chrono::seconds(3);
    set.timezone = "UTC";
    set.complete = complete;
    if (!complete) set.missing.push_back({"stock", "no such database"});
    set.source.server = "local";
    set.source.databases = {database};
    set.source.server_version = "15.8";
    set.artifacts.push_back(artifact);
    model::DatabaseFacts facts;
    facts.database = database;
    facts.extensions = {"pg_trgm 1.6"};
    facts.fingerprinted = true;
    facts.fingerprint = {{"public", "orders", 12}, {"public", "items", 30}};
    set.databases.push_back(facts);
    set.stock_restore = {"gunzip -c " + artifact.file + " | psql -d shop_restored"};
    repository.commit(partial, set);
    return partial.id.text();
}

// A text in a document; anything else as JSON.
inline std::string text(const boost::json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

inline bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace pgbakd::admin::testing
