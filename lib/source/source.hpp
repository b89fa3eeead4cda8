// The contract of all sources: what there is to save is found out before the first byte is read, then each part of it
// is opened as a stream. One source is made for one run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/check.hpp"
#include "model/backup_set.hpp"
#include "postgres/snapshot.hpp"
#include "source/stream.hpp"

namespace pgbakd::source {

// One artifact to be made.
struct Part {
    std::string kind;      // in the manifest: "database", "globals"
    std::string database;  // as the server spells it; empty where it is none
    std::string format;    // in the manifest: "custom", "plain", "directory"
    std::string stem;      // what the file's name begins with
    std::string program;   // who makes it, before a remark of it: `pg_dump of "shop"`
    codec::Content content{};
    codec::Compression outer;        // what we compress the stream with; none where the source does so itself
    codec::Compression compression;  // what a reader of the file must undo, either way
    std::string extension;           // ".dump", ".sql.gz", ".dir.tar"
    bool is_accessory = false;       // a set that has nothing else is none
    std::string title{};             // what it is called, where neither its database nor its kind says it
    // What we compress the data blocks of an archive with; none where the source does so itself.
    codec::Compression inner{codec::Method::none, 0};

    // Short, for progress and the journal: "shop", "globals".
    [[nodiscard]] const std::string& what() const noexcept {
        if (!title.empty()) return title;
        return database.empty() ? kind : database;
    }
};

// A part that cannot be saved, found out before anything is read.
struct Refused {
    std::string database;
    base::Error error;
};

struct Prepared {
    model::BackupSet::Source origin;  // for the manifest
    std::string summary;              // for people: "server 15.8, pg_dump (PostgreSQL) 15.8"
    std::vector<std::string> facts;   // the same at length, a line each: "server main answers: PostgreSQL 15.8, …"
    std::vector<Part> parts;
    std::vector<Refused> refused;
    std::vector<std::string> notes;
    std::uint64_t estimated_bytes = 0;  // an upper estimate of what the set takes on disk
    // The parts are of use together only, and come as one: see Source::begin().
    bool together = false;
};

// An attempt at parts that come together.
struct Begun {
    std::vector<Part> parts;      // as they come: maybe others, and in another order, than were known before
    std::uint64_t raw_bytes = 0;  // what they have come to before compression, as the server estimates it; 0: not known
    std::vector<std::string> notes;
};

// What is asked of a database beside its dump, in the dump's own snapshot.
class Witness {
  public:
    Witness() = default;
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;
    virtual ~Witness() = default;

    // The tables whose rows the dump may lack, as they were changed while it began (postgres::Snapshot); empty: none.
    // To be run beside the stream, as it waits until the dump holds its locks.
    virtual asio::awaitable<std::string> changed_tables(async::StopToken stop) = 0;
    // The same for schemas, whose names the dump's locks do not hold; after the stream has ended.
    virtual asio::awaitable<std::string> moved_schemas(async::StopToken stop) = 0;
    // Counts the rows of every table of the dump; after changed_tables(), beside the stream. What could not be counted
    // is told in the counts.
    virtual asio::awaitable<postgres::Counts> count_rows(async::StopToken stop) = 0;
};

// A part being saved.
class OpenPart {
  public:
    OpenPart() = default;
    OpenPart(const OpenPart&) = delete;
    OpenPart& operator=(const OpenPart&) = delete;
    virtual ~OpenPart() = default;

    [[nodiscard]] virtual Stream& stream() noexcept = 0;
    // What looks into the bytes as they are stored, where that knows more than one for the part's content. Once.
    [[nodiscard]] virtual std::unique_ptr<codec::Check> content_check() { return nullptr; }
    // Null: nothing is asked beside the stream.
    [[nodiscard]] virtual Witness* witness() noexcept { return nullptr; }
    // What is known of the database; with the fingerprint after count_rows() ended well. Nothing where it is none.
    [[nodiscard]] virtual std::optional<model::DatabaseFacts> facts() const { return std::nullopt; }
    // After the stream's finish(), where the artifact is as whole as it could be made and yet lacks something that
    // belongs to it: what. No further attempt will do better.
    [[nodiscard]] virtual std::optional<base::Error> lacks() const { return std::nullopt; }
    // Whether what was read changed meanwhile, so that parts of it may not fit each other; the remarks name them.
    [[nodiscard]] virtual bool is_disturbed() const { return false; }
};

class Source {
  public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    // Asks the server and the host everything that must hold before the first byte is read. Throws what concerns the
    // whole run; what concerns one part goes into `refused`.
    virtual asio::awaitable<Prepared> prepare(async::StopToken stop) = 0;
    // Of parts that come together: begins an attempt at all of them, after the one before has ended. Each is then
    // opened once, in that order, after the one before it was read to its end; if one fails, so do all of them. `work`
    // is a directory for nameless files.
    virtual asio::awaitable<Begun> begin(std::filesystem::path work, async::StopToken stop);
    // Starts a part of what prepare() gave. `work` is a directory for the part's own use, which does not exist yet.
    virtual asio::awaitable<std::unique_ptr<OpenPart>> open(Part part, std::filesystem::path work,
                                                            async::StopToken stop) = 0;
    // Whatever became of a part: ends what it may have left running elsewhere. Returns how many there were.
    virtual asio::awaitable<std::size_t> end_leftovers(async::StopToken stop) = 0;
    // What the manifest says of the source, once all parts are there; it has what prepare() gave.
    virtual void complete(model::BackupSet::Source& /*origin*/) const {}
    // Shell commands that restore the set without pgbakd, in its directory, in order.
    [[nodiscard]] virtual std::vector<std::string> stock_restore(const model::BackupSet& set) const = 0;
};

inline asio::awaitable<Begun> Source::begin(std::filesystem::path /*work*/, async::StopToken /*stop*/) {
    co_return Begun();
}

}  // namespace pgbakd::source
