// One part of a set: from the source's stream into an artifact on disk, with everything known about it.
#pragma once

#include "model/backup_set.hpp"
#include "offsite/growing_file.hpp"
#include "run/services.hpp"
#include "source/pg_dump_source.hpp"

namespace pgbakd::run {

struct DumpedPart {
    model::Artifact artifact;
    model::DatabaseFacts facts;  // database empty for globals
    std::vector<std::string> notes;
};

// Who reads a file while it is written; may be empty, and may give null.
using Follow = std::function<std::shared_ptr<offsite::GrowingFile>(const std::filesystem::path&)>;

// Streams the part into `directory`/`file`, and tells `follow` of it. On failure the child is gone, the file removed if
// the disk lets us, and the first cause thrown.
asio::awaitable<DumpedPart> dump_part(Services& services, source::PgDumpSource& source, source::Part part,
                                      source::Prepared prepared, std::filesystem::path directory, std::string file,
                                      std::shared_ptr<Progress> progress, Follow follow, async::StopToken stop);

}  // namespace pgbakd::run
