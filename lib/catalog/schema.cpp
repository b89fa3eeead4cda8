#include "catalog/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pgbakd::catalog {
namespace {

using base::Error;
using base::ErrorCode;

// In the header of the file (https://www.sqlite.org/fileformat2.html, "application ID"): "pgbk". Tells a catalog from
// any other SQLite file that the configuration may name by mistake.
constexpr std::int64_t application_id = 0x7067626b;

// Times are UTC: `slot` and `anchor` in seconds, all others in milliseconds. The columns beside `report` are there to
// be searched; the report itself is the truth. Published steps are never edited, only followed by others.
constexpr std::array migrations{
    R"(
    CREATE TABLE job_states (
        job TEXT NOT NULL PRIMARY KEY,
        schedule TEXT NOT NULL,
        anchor INTEGER NOT NULL,
        paused INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE runs (
        id TEXT NOT NULL PRIMARY KEY,
        job TEXT NOT NULL,
        outcome TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        finished_at INTEGER NOT NULL,
        report TEXT NOT NULL
    ) STRICT;
    CREATE INDEX runs_by_start ON runs (started_at, id);
    CREATE INDEX runs_by_job ON runs (job, started_at, id);
    CREATE INDEX runs_by_outcome ON runs (outcome, started_at, id);
    CREATE INDEX good_runs ON runs (job, finished_at, id) WHERE outcome IN ('SUCCESS', 'WARNING');

    CREATE TABLE slots (
        job TEXT NOT NULL,
        slot INTEGER NOT NULL,
        run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        PRIMARY KEY (job, slot)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX slots_by_run ON slots (run);

    CREATE TABLE known_databases (
        job TEXT NOT NULL PRIMARY KEY,
        names BLOB NOT NULL -- each ended by a NUL, which no name can hold; BLOB, as names need not be UTF-8
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE set_states (
        job TEXT NOT NULL,
        name TEXT NOT NULL,
        verified TEXT NOT NULL,
        verified_at INTEGER NOT NULL,
        corrupt INTEGER NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (job, name)
    ) STRICT, WITHOUT ROWID;
    )",
    R"(
    CREATE TABLE copies (
        target TEXT NOT NULL,
        job TEXT NOT NULL,
        name TEXT NOT NULL,
        owed INTEGER NOT NULL, -- 0: the target has all of the set
        since INTEGER NOT NULL,
        -- what retention must know of the set, which may be nowhere else
        started_at INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        complete INTEGER NOT NULL,
        verified TEXT NOT NULL,
        milestone TEXT NOT NULL,
        assurance TEXT NOT NULL,
        -- of an owed one
        attempts INTEGER NOT NULL,
        next_attempt INTEGER NOT NULL,
        message TEXT NOT NULL,
        unfinished TEXT NOT NULL,
        checkpoint TEXT NOT NULL,
        begun INTEGER NOT NULL,
        PRIMARY KEY (target, job, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX copies_of_set ON copies (job, name);
    CREATE INDEX owed_copies ON copies (target, job, name) WHERE owed;
    )",
    // Whose a copy is was not noted. Those that no run of this host has sent are forgotten: their manifests tell.
    R"(
    ALTER TABLE copies ADD COLUMN run TEXT NOT NULL DEFAULT '';
    ALTER TABLE copies ADD COLUMN host TEXT NOT NULL DEFAULT '';
    DELETE FROM copies WHERE NOT owed AND assurance = '';
    )",
    R"(
    CREATE TABLE findings (
        kind TEXT NOT NULL,
        job TEXT NOT NULL,   -- '': of none
        place TEXT NOT NULL, -- '': none
        severity TEXT NOT NULL,
        set_name TEXT NOT NULL,
        message TEXT NOT NULL,
        hint TEXT NOT NULL,
        opened_at INTEGER NOT NULL,
        told_at INTEGER NOT NULL, -- 0: never
        closed_at INTEGER,        -- NULL: it is open
        told_severity TEXT NOT NULL, -- the highest that anybody was told of; '': nobody was
        told_to TEXT NOT NULL        -- the channels that were, each name ended by a line end
    ) STRICT;
    CREATE UNIQUE INDEX open_findings ON findings (kind, job, place) WHERE closed_at IS NULL;
    CREATE INDEX closed_findings ON findings (closed_at) WHERE closed_at IS NOT NULL;

    CREATE TABLE alerts (
        number INTEGER PRIMARY KEY, -- the order in which they are told: clocks are set back
        channel TEXT NOT NULL,
        id TEXT NOT NULL,
        alert TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL, -- at its channel that failed while it waited
        next_attempt INTEGER NOT NULL,
        message TEXT NOT NULL, -- of the last failure
        UNIQUE (channel, id)
    ) STRICT;
    CREATE INDEX alerts_in_order ON alerts (channel, number);

    CREATE TABLE channel_states (
        channel TEXT NOT NULL PRIMARY KEY,
        asked_at INTEGER NOT NULL,   -- when it asked for a pause
        not_before INTEGER NOT NULL, -- until then; 0: for none
        lost_at INTEGER NOT NULL,    -- when an alert for it was lost; 0: it has taken one since
        message TEXT NOT NULL        -- why that was
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE known_places (
        job TEXT NOT NULL,
        place TEXT NOT NULL,
        schedule TEXT NOT NULL, -- '': not noted yet
        since INTEGER NOT NULL,
        PRIMARY KEY (job, place)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO known_places SELECT job, 'local', '', min(started_at) FROM runs GROUP BY job;
    INSERT INTO known_places SELECT job, target, '', min(started_at) FROM copies WHERE target <> 'local'
        GROUP BY job, target;

    -- How sizes went is asked of all jobs at once: too often to read reports for it.
    ALTER TABLE runs ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0;
    UPDATE runs SET size_bytes = coalesce(CASE WHEN json_valid(report)
        THEN CASE WHEN json_type(report, '$.size_bytes') = 'integer' THEN json_extract(report, '$.size_bytes') END
        END, 0) WHERE outcome IN ('SUCCESS', 'WARNING');

    -- Whether what became of it is on its way to whom it concerns. What ended before this was asked counts as told.
    ALTER TABLE runs ADD COLUMN told INTEGER NOT NULL DEFAULT 1;
    UPDATE runs SET told = 0 WHERE outcome = 'RUNNING';
    CREATE INDEX untold_runs ON runs (finished_at, id)
        WHERE told = 0 AND outcome IN ('SUCCESS', 'WARNING', 'FAILED', 'INTERRUPTED');
    )",
    R"(
    -- Names that runs gave their sets: something of each may lie on targets, whatever became of the run.
    CREATE TABLE set_names (
        job TEXT NOT NULL,
        name TEXT NOT NULL,
        begun_at INTEGER NOT NULL,
        PRIMARY KEY (job, name)
    ) STRICT, WITHOUT ROWID;

    -- The repository whose sets this is about; no row: not known yet.
    CREATE TABLE repository (
        id TEXT NOT NULL PRIMARY KEY
    ) STRICT, WITHOUT ROWID;
    )",
    R"(
    -- What files were like when they were last saved, of jobs that run when those change.
    CREATE TABLE change_stamps (
        job TEXT NOT NULL PRIMARY KEY,
        stamp TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    )",
    R"(
    -- Whom jobs tell that name their channels: what ran of a job is told there, also when the job is gone.
    CREATE TABLE job_channels (
        job TEXT NOT NULL PRIMARY KEY,
        channels TEXT NOT NULL, -- each name ended by a line end
        known_at INTEGER NOT NULL -- configured so then, last
    ) STRICT, WITHOUT ROWID;
    )",
    // Of a file that was there before this nothing tells when it was begun: all that it does not know of counts as
    // deleted by somebody.
    R"(
    -- When this was begun: of what is older only those tell that can be asked. One row.
    CREATE TABLE beginning (
        begun_at INTEGER NOT NULL
    ) STRICT;
    INSERT INTO beginning VALUES (0);

    -- Jobs with sets that a file older than them was put back over: what began before then counts as older.
    CREATE TABLE gaps (
        job TEXT NOT NULL PRIMARY KEY,
        ended_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- Which targets of which jobs were asked, since then, what they have.
    CREATE TABLE asked_targets (
        job TEXT NOT NULL,
        target TEXT NOT NULL, -- '': the job is known, and each target that is none of these is a new one
        asked INTEGER NOT NULL,
        PRIMARY KEY (job, target)
    ) STRICT, WITHOUT ROWID;

    -- Files of an owed copy that may have come to the target, each name ended by a line end.
    ALTER TABLE copies ADD COLUMN tried TEXT NOT NULL DEFAULT '';
    )",
};

int version_of(Connection& connection) {
    const auto version = connection.number("PRAGMA user_version");
    const bool ours = connection.number("PRAGMA application_id") == application_id;
    if (!ours && (version != 0 || connection.number("SELECT count(*) FROM sqlite_schema") != 0))
        throw Error(ErrorCode::conflict, "it is an SQLite file, but not pgbakd's",
                    "name another file, or move this one away");
    if (version > schema_version())
        throw Error(ErrorCode::unsupported,
                    fmt::format("it was written by a newer pgbakd (schema {}, known is {})", version, schema_version()),
                    "use the newer pgbakd, or move the file away: no backup is lost with it");
    return static_cast<int>(version);
}

}  // namespace

int schema_version() noexcept {
    return static_cast<int>(migrations.size());
}

void migrate(Connection& connection, base::Timestamp now) {
    while (version_of(connection) < schema_version()) {
        Transaction transaction(connection);
        // Asked again under the lock: another process may have taken the step meanwhile.
        const auto version = version_of(connection);
        // A new file is made at once: by no other way can its beginning be told.
        const auto last = version == 0 ? schema_version() : std::min(version + 1, schema_version());
        for (auto step = version; step < last; ++step)
            connection.execute(migrations.at(static_cast<std::size_t>(step)));
        if (version == 0)
            Statement(connection, "UPDATE beginning SET begun_at = ?").bind(now.time_since_epoch().count()).run();
        if (version < last)
            connection.execute(
                fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", application_id, last).c_str());
        transaction.commit();
    }
    // What bears our number and lacks a table was tampered with: no statement on it can be relied on.
    const auto tables = connection.number(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN"
        " ('job_states', 'runs', 'slots', 'known_databases', 'set_states', 'copies', 'findings', 'alerts',"
        " 'channel_states', 'known_places', 'set_names', 'repository', 'change_stamps',"
        " 'job_channels', 'beginning', 'gaps', 'asked_targets')");
    if (tables != 17) throw Error(ErrorCode::corrupt, "a table is missing");
}

bool check_version(Connection& connection) {
    const auto version = version_of(connection);
    if (version == 0) return false;
    if (version < schema_version())
        throw Error(
            ErrorCode::unsupported,
            fmt::format("it was written by an older pgbakd (schema {}, known is {})", version, schema_version()),
            "start the daemon once: it brings the file up to date");
    return true;
}

}  // namespace pgbakd::catalog
