// What the catalog and the disk say of each job: read on the pool, kept by Overview, told by `status` and `/metrics`.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "catalog/catalog.hpp"
#include "repository/repository.hpp"

namespace pgbakd::service {

inline constexpr const char* local_place = "local";

struct NewestSet {
    std::string set;
    base::Timestamp started_at{};
    std::chrono::milliseconds duration{0};  // 0: not known
    std::uint64_t bytes = 0;
    std::string verified;
    bool ahead = false;  // began later than the clock said as this was read: the clock was wrong then
    base::RunId run{};   // that made it; of a copy only, and empty where that was not noted
    bool operator==(const NewestSet&) const = default;
};

struct PlaceTotal {
    std::uint64_t sets = 0;
    std::uint64_t bytes = 0;
    bool operator==(const PlaceTotal&) const = default;
};

struct OwedCopy {
    std::string set, job, target;
    base::Timestamp since{}, next_attempt{};
    std::uint64_t bytes = 0;
    int attempts = 0;
    std::string message;  // of the last failure
    bool operator==(const OwedCopy&) const = default;
};

struct JobFacts {
    std::optional<base::Timestamp> last_success;
    // Of the catalog.
    std::optional<NewestSet> newest_copy;
    std::map<std::string, PlaceTotal> targets;  // what this host has sent there; other hosts' sets are theirs
    std::vector<OwedCopy> owed;
    // Of the disk; where that cannot be looked at (`problem` says why), of what the catalog knows was made.
    std::string problem;
    std::optional<NewestSet> newest_local;
    std::optional<PlaceTotal> local;  // nothing: not counted yet
    // When these are what they were, so is what the disk says.
    std::int64_t job_directory = 0, newest_directory = 0;
    bool operator==(const JobFacts&) const = default;

    // Without `keep_local` sets are on the targets alone. What a clock ahead has dated comes behind all others.
    [[nodiscard]] const std::optional<NewestSet>& newest() const noexcept {
        const auto order = [](const NewestSet& set) { return std::pair(!set.ahead, set.started_at); };
        const bool copy_is_newer = newest_copy && (!newest_local || order(*newest_local) < order(*newest_copy));
        return copy_is_newer ? newest_copy : newest_local;
    }
};

// Of all jobs, in their order. A copy costs a pointer for each: one is made whenever one job has changed.
class Facts {
  public:
    Facts() : Facts(std::vector<std::string>{}) {}
    explicit Facts(std::vector<std::string> jobs);  // nothing is known of them

    [[nodiscard]] const std::vector<std::string>& jobs() const noexcept { return names_->list; }
    [[nodiscard]] const std::shared_ptr<const JobFacts>& of(std::size_t number) const { return facts_.at(number); }
    // Null for one that is not among them.
    [[nodiscard]] std::shared_ptr<const JobFacts> find(const std::string& job) const;
    // Of a job that is among them; what has not changed stays the same object, and so does what was made from it.
    void put(const std::string& job, JobFacts fresh);

  private:
    struct Names {
        std::vector<std::string> list;
        std::unordered_map<std::string, std::size_t> numbers;
    };
    std::shared_ptr<const Names> names_;
    std::vector<std::shared_ptr<const JobFacts>> facts_;
};
using FactsPtr = std::shared_ptr<const Facts>;

// All of these block. `now` tells sets that a wrong clock dated into the future.

// Of all jobs, what the catalog says: at the start, and for what other programs wrote into it.
[[nodiscard]] Facts with_catalog(const Facts& facts, const std::vector<std::string>& jobs, catalog::Catalog& catalog,
                                 base::Timestamp now);
// Of one job, what the catalog says of its copies.
void read_copies(JobFacts& facts, const std::vector<catalog::Copy>& copies, base::Timestamp now);
// And how long the run took that made the newest set, where that is on targets alone.
void read_duration(JobFacts& facts, catalog::Catalog& catalog);
// Of one job, what the disk says, or why it cannot be looked at; never throws for that. `count`: reads every manifest
// of it, not only the newest. `corrupt`: what the catalog knows as such; the sets' own marks count too.
enum class Depth { newest, count };
using SetIds = std::set<model::SetId>;
void read_disk(JobFacts& facts, const std::string& job, Depth depth, const repository::Repository& repository,
               const SetIds& corrupt, base::Timestamp now);
// What the catalog knows of the newest set here, where the disk cannot be looked at.
void read_made(JobFacts& facts, const std::string& job, catalog::Catalog& catalog, base::Timestamp now);
[[nodiscard]] SetIds corrupt_sets(catalog::Catalog& catalog);
// The jobs whose directories are not as they were, or can or cannot be looked at other than before. Never throws for
// what cannot be looked at.
[[nodiscard]] std::vector<std::string> changed_on_disk(const Facts& facts, const repository::Repository& repository);

}  // namespace pgbakd::service
