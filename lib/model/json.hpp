// JSON values of the nouns, for reports, manifests, API answers and `--json`, all from one place.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "model/backup_set.hpp"
#include "model/run.hpp"

namespace pgbakd::model {

// Strict parse with bounds (`limit` bytes, depth 16). Errors: corrupt, with the offset.
[[nodiscard]] base::Result<boost::json::value> parse_json(std::string_view text, std::size_t limit);
// Indented by two, one member per line, keys in the order they were put; no final newline.
[[nodiscard]] std::string pretty(const boost::json::value& value);
// On one line, without blanks. Unlike boost::json::serialize, 4.1 is written 4.1 and not 4.1E0.
[[nodiscard]] std::string compact(const boost::json::value& value);

// Text as it may stand in JSON (RFC 8259): valid UTF-8 as it is; of other text (names in a SQL_ASCII server) the bytes
// that are not become %XX.
[[nodiscard]] boost::json::string json_text(std::string_view text);
// The same; null for an empty text.
[[nodiscard]] boost::json::value json_text_or_null(std::string_view text);

// RFC 3339 in UTC, with milliseconds only where they are not 0; null for the epoch (not known).
[[nodiscard]] boost::json::value json_time(base::Timestamp time);
// RFC 3339 with any offset; finer than milliseconds is cut off.
[[nodiscard]] base::Result<base::Timestamp> parse_time(std::string_view text);

// file, kind, database (null for globals), format, bytes, raw_bytes, sha256, compression, encryption (null: none),
// verified, verified_at.
[[nodiscard]] boost::json::object json_artifact(const Artifact& artifact);
// What a list of sets says of one: set ("job/name"), job, run, trigger, started_at, finished_at, size_bytes, verified,
// complete, missing, milestone, artifacts.
[[nodiscard]] boost::json::object json_set(const BackupSet& set);
// The whole manifest, as to_manifest prints it.
[[nodiscard]] boost::json::object json_manifest(const BackupSet& set);
// The keys of a report: run, job, trigger, status, slot, started_at, finished_at, duration_seconds, timezone, set,
// set_directory, size_bytes, stages, artifacts (with `path`), targets (none yet), notes, error. What is not known yet,
// as the end of a running one, is null.
[[nodiscard]] boost::json::object json_run(const RunReport& report);

}  // namespace pgbakd::model
