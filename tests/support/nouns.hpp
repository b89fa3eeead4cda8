// Nouns as small as they may be, for tests that need one and say the rest themselves.
#pragma once

#include <fstream>
#include <string>
#include <utility>

#include "model/job.hpp"
#include "repository/repository.hpp"

namespace pgbakd::testing {

// Each night, in UTC, to these targets.
inline model::JobSpec job_spec(const std::string& name, std::vector<std::string> targets = {},
                               model::KeepLocal keep = model::KeepLocal::always) {
    return {.name = name,
            .schedule = calendar::Schedule::parse("daily at 02:00").value(),
            .timezone = "UTC",
            .zone = calendar::Zone::utc(),
            .milestones = {},
            .catch_up = {},
            .source = {},
            .compression = {},
            .targets = std::move(targets),
            .keep_local = keep,
            .local_retention = {},
            .target_retention = {},
            .retries = {}};
}

// A set of one byte, committed; its only artifact is shop.sql.
inline model::BackupSet commit_small_set(const repository::Repository& repository, const std::string& job,
                                         const std::string& name, base::Timestamp started_at,
                                         const base::RunId& run = {}) {
    const auto partial = repository.begin(job, name);
    model::BackupSet set;
    set.id = partial.id;
    set.run = run;
    set.started_at = set.finished_at = started_at;
    model::Artifact artifact;
    artifact.file = "shop.sql";
    artifact.kind = "database";
    artifact.bytes = 1;
    artifact.sha256 = std::string(64, '0');
    artifact.verified = model::Verification::decoded;
    set.artifacts.push_back(artifact);
    std::ofstream(partial.directory / artifact.file) << 'x';
    repository.commit(partial, set);
    return set;
}

}  // namespace pgbakd::testing
