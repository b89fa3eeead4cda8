#include "source/stock_restore.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace pgbakd::source {
namespace {

bool needs_no_quotes(char c) {
    return base::is_letter(c) || base::is_digit(c) || std::string_view("_.-/%+:,").find(c) != std::string_view::npos;
}

// The command that prints an artifact's SQL.
std::string print(const model::Artifact& artifact) {
    const auto file = shell_word(artifact.file);
    if (artifact.file.ends_with(".gz")) return "gunzip --stdout " + file;
    if (artifact.file.ends_with(".zst")) return "zstd --decompress --stdout " + file;
    return "cat " + file;
}

std::string create(const model::BackupSet& set, const std::string& database) {
    const auto facts = std::find_if(set.databases.begin(), set.databases.end(),
                                    [&database](const auto& entry) { return entry.database == database; });
    std::string options = " --template=template0";
    if (facts != set.databases.end() && !facts->encoding.empty())
        options += " --encoding=" + shell_word(facts->encoding);
    if (facts != set.databases.end() && !facts->collation.empty())
        options += " --locale=" + shell_word(facts->collation);
    return "createdb" + options + " -- " + shell_word(database);
}

void add_database(const model::BackupSet& set, const model::Artifact& artifact, std::vector<std::string>& commands) {
    const auto file = shell_word(artifact.file);
    // Every new server has a database of this name, and creating it again is an error.
    const bool exists = artifact.database == "postgres";
    if (artifact.format == "plain") {
        if (!exists) commands.push_back(create(set, artifact.database));
        // psql would read a name with "=" in it as a connection string; the variable is taken as it is.
        commands.push_back(fmt::format("{} | PGDATABASE={} psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1",
                                       print(artifact), shell_word(artifact.database)));
        return;
    }
    const std::string restore =
        fmt::format("pg_restore --exit-on-error {}--dbname=postgres ", exists ? "" : "--create ");
    if (artifact.format == "custom") {
        commands.push_back(restore + file);
        return;
    }
    const auto directory = shell_word(artifact.file.substr(0, artifact.file.size() - std::string_view(".tar").size()));
    commands.push_back(fmt::format("mkdir {}", directory));
    commands.push_back(fmt::format("tar --extract --file={} --directory={}", file, directory));
    commands.push_back(restore + "--jobs=2 " + directory);
}

}  // namespace

std::string shell_word(std::string_view text) {
    if (!text.empty() && std::all_of(text.begin(), text.end(), needs_no_quotes)) return std::string(text);
    std::string word = "'";
    for (const auto c : text) {
        if (c == '\'')
            word += "'\\''";
        else
            word += c;
    }
    return word + "'";
}

std::vector<std::string> stock_restore(const model::BackupSet& set) {
    std::vector<std::string> commands;
    // Roles that exist already (the superuser at least) are reported and kept: no ON_ERROR_STOP here.
    for (const auto& artifact : set.artifacts)
        if (artifact.kind == "globals")
            commands.push_back(print(artifact) + " | psql --no-psqlrc --quiet --dbname=postgres");
    for (const auto& artifact : set.artifacts)
        if (artifact.kind == "database") add_database(set, artifact, commands);
    return commands;
}

}  // namespace pgbakd::source
