// One part of a set: from the source's stream into an artifact on disk, with everything known about it.
#pragma once

#include "model/backup_set.hpp"
#include "run/cipher.hpp"
#include "run/feed.hpp"
#include "run/services.hpp"
#include "source/source.hpp"

namespace pgbakd::run {

struct DumpedPart {
    model::Artifact artifact;
    std::optional<model::DatabaseFacts> facts;  // if it is a database
    std::vector<std::string> notes;
    std::optional<base::Error> doubt;  // whether all is in it, where that is told and no failure
    bool disturbed = false;            // what was read changed meanwhile
};

// Who reads an artifact while it is made; may be empty, and may give null. The path is where it is written, if it is.
using Follow = std::function<std::unique_ptr<Feed>(const std::filesystem::path&)>;

enum class Storing { file, nothing };

// A table that is truncated or rewritten just while the dump begins is dumped without its rows, and pg_dump does not
// notice. Such a dump fails, as another one most likely will not; at the last attempt it is better than nothing.
enum class Changed { fails, is_told };

// Streams the part into `directory`/`file`, or with Storing::nothing into nobody but what `follow` gives. On failure
// the child is gone, the file removed if the disk lets us, and the first cause thrown.
asio::awaitable<DumpedPart> dump_part(Services& services, source::Source& source, source::Part part,
                                      std::optional<Cipher> cipher, std::filesystem::path directory, std::string file,
                                      std::shared_ptr<Progress> progress, Storing storing, Changed changed,
                                      Follow follow, async::StopToken stop);

}  // namespace pgbakd::run
