#include "source/restore_cluster.hpp"

#include <fmt/format.h>

#include "source/database_commands.hpp"
#include "source/unpack.hpp"

namespace pgbakd::source {
namespace {

constexpr std::string_view extract = "tar --extract --file={} --directory={}";

// "16400_20260111_020000.tar.gz": the tablespace's oid stands in front.
std::string oid_of(const model::Artifact& artifact) {
    return artifact.file.substr(0, artifact.file.find('_'));
}

std::string directory_of(const std::string& oid) {
    return shell_word("tablespace_" + oid);
}

}  // namespace

std::vector<std::string> restore_cluster_commands(const model::BackupSet& set) {
    std::vector<std::string> commands;
    std::string map;  // of the tablespaces: "oid directory", a line each
    const auto unpack = [&commands](const model::Artifact& artifact, const std::string& directory) {
        commands.push_back("mkdir --mode=0700 " + directory);
        commands.push_back(fmt::format(extract, shell_word(artifact.file), directory));
    };
    for (const auto& artifact : set.artifacts)
        if (artifact.kind == "base") unpack(artifact, "data");
    for (const auto& artifact : set.artifacts) {
        if (artifact.kind != "tablespace") continue;
        const auto oid = oid_of(artifact);
        unpack(artifact, directory_of(oid));
        // For pg_verifybackup, and as the server makes it when it starts.
        commands.push_back(
            fmt::format("ln --symbolic \"$PWD\"/{} data/pg_tblspc/{}", directory_of(oid), shell_word(oid)));
        map += fmt::format(" {} \"$PWD\"/{}", shell_word(oid), directory_of(oid));
    }
    for (const auto& artifact : set.artifacts)
        if (artifact.kind == "manifest") commands.push_back(print_command(artifact.file) + " > data/backup_manifest");
    commands.emplace_back("pg_verifybackup data");
    // Last: it is not what the manifest knows any more.
    if (!map.empty()) commands.push_back(fmt::format("printf '%s %s\\n'{} > data/tablespace_map", map));
    return commands;
}

}  // namespace pgbakd::source
