// What a run needs of its surroundings. Everything referred to outlives every run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "async/pool.hpp"
#include "base/clock.hpp"
#include "catalog/catalog.hpp"
#include "model/job.hpp"
#include "model/run.hpp"
#include "offsite/targets.hpp"
#include "postgres/programs.hpp"
#include "repository/repository.hpp"

namespace pgbakd::run {

// Something that happened in a run, for the journal; later for alerts.
struct Event {
    enum class Kind {
        started,
        note,
        dumped,
        retrying,
        uploaded,
        owed,
        not_copied,
        pruned,
        succeeded,
        failed,
        skipped,
        cancelled,
        interrupted
    };
    Kind kind{};
    std::string job;
    std::string run;
    std::string stage;
    std::string message;  // without the job's name in front
    std::string hint;
    std::string set;
    std::string target;
    std::uint64_t bytes = 0;
    std::chrono::milliseconds duration{};
};
using Observer = std::function<void(const Event&)>;

struct Services {
    asio::any_io_executor executor;
    async::Pool& pool;
    const base::Clock& clock;
    const repository::Repository& repository;
    catalog::Catalog& catalog;
    offsite::Targets& targets;
    std::filesystem::path reports_directory;
    std::uint64_t min_free = 0;
    model::Limits limits;
    std::size_t cores = 1;  // compress at once, where limits.compression_threads does not say
    postgres::ProgramSearch programs;
    std::string hostname;
    std::string user;
    std::string version;  // of pgbakd
    std::function<std::uint64_t()> random;
    Observer observe;
    // A run has ended and the catalog could not be told: to be recorded later.
    std::function<void(const model::RunReport&)> not_recorded;
};

// How far a run is, for those who watch it. Written and read on the reactor.
struct Progress {
    std::string stage = "waiting";
    std::string part;  // "shop", "globals"
    std::size_t parts_done = 0;
    std::size_t parts = 0;
    std::uint64_t raw_bytes = 0;       // read from the source
    std::uint64_t bytes = 0;           // written to the repository
    std::uint64_t expected_bytes = 0;  // the size of the job's last good set; 0: not known
    // What raw_bytes will come to, as the server estimates it; 0: not known.
    std::uint64_t expected_raw_bytes = 0;
    base::SteadyTime dump_started{};
    std::function<void()> on_stage;          // called when another begins; may be empty
    std::vector<model::StageReport> stages;  // begun so far, as the report will tell them
};

struct Request {
    std::shared_ptr<const model::JobSpec> job;
    std::optional<model::ServerSpec> server;  // of a source that has one
    base::RunId run;
    model::Trigger trigger{};
    std::optional<base::Instant> slot;
    std::string milestone{};  // the name of the set behind its time, and for ever in its manifest; empty: none
};

}  // namespace pgbakd::run
