#include "source/stock_restore.hpp"

#include <fmt/format.h>

#include <utility>

#include "source/database_commands.hpp"
#include "source/unpack.hpp"

namespace pgbakd::source {
namespace {

model::DatabaseFacts facts_of(const model::BackupSet& set, const std::string& database) {
    for (const auto& facts : set.databases)
        if (facts.database == database) return facts;
    model::DatabaseFacts nothing;
    nothing.database = database;
    return nothing;
}

class Commands {
  public:
    Commands(const model::BackupSet& set, const config::DumpTraits& traits) : set_(set), traits_(traits) {}

    std::vector<std::string> all() {
        // Roles that exist already (the superuser at least) are reported and kept: no ON_ERROR_STOP here.
        for (const auto& artifact : set_.artifacts)
            if (artifact.kind == "globals")
                add(print_command(artifact.file) + " | psql --no-psqlrc --quiet --dbname=postgres");
        for (const auto& artifact : set_.artifacts)
            if (artifact.kind == "database") add_database(artifact);
        return std::move(commands_);
    }

  private:
    void add(std::string command) { commands_.push_back(std::move(command)); }

    void add_database(const model::Artifact& artifact) {
        const auto facts = facts_of(set_, artifact.database);
        // Every new server has a database of this name, and creating it again is an error.
        const bool existing = artifact.database == "postgres";
        const bool plain = artifact.format == "plain";
        if (plain && !existing) add(create_command(facts, traits_, set_.source.server_version_number));
        // An archive that creates its database also knows what it is.
        if (plain || existing) {
            auto command = property_command(property_statements(facts, traits_, existing));
            if (!command.empty()) add(std::move(command));
        }
        const auto environment = restore_environment(facts);
        if (plain)
            // psql would read a name with "=" in it as a connection string; the variable is taken as it is.
            return add(fmt::format("{} | {}PGDATABASE={} psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1",
                                   print_command(artifact.file), environment, shell_word(artifact.database)));
        const auto restore =
            fmt::format("{}pg_restore --exit-on-error {}--dbname=postgres ", environment, existing ? "" : "--create ");
        const auto file = shell_word(artifact.file);
        if (artifact.format == "custom") return add(restore + file);
        const auto directory =
            shell_word(artifact.file.substr(0, artifact.file.size() - std::string_view(".tar").size()));
        add(fmt::format("mkdir {}", directory));
        add(fmt::format("tar --extract --file={} --directory={}", file, directory));
        add(restore + "--jobs=2 " + directory);
    }

    const model::BackupSet& set_;
    const config::DumpTraits& traits_;
    std::vector<std::string> commands_;
};

}  // namespace

std::vector<std::string> stock_restore(const model::BackupSet& set, const std::vector<std::string>& options) {
    const auto traits = config::dump_traits(options);
    return Commands(set, traits).all();
}

}  // namespace pgbakd::source
