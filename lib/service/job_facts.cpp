#include "service/job_facts.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "os/file.hpp"

namespace pgbakd::service {
namespace {

// Throws where it is there and cannot be opened.
void check_access(const std::filesystem::path& directory) {
    if (os::file_status(directory)) (void)os::open_directory(directory);
}

std::int64_t stamp(const std::filesystem::path& directory) {
    const auto status = os::file_status(directory);
    return status ? status->modified_nanoseconds : 0;
}

NewestSet newest_of(const catalog::Copy& copy, base::Timestamp now) {
    return {.set = copy.id.text(),
            .started_at = copy.started_at,
            .bytes = copy.bytes,
            .verified = std::string(model::verification_text(copy.verified)),
            .ahead = copy.started_at > now,
            .run = copy.run};
}

std::chrono::milliseconds time_between(base::Timestamp start, base::Timestamp end) {
    return std::max(std::chrono::milliseconds{0}, end - start);
}

NewestSet newest_of(const model::BackupSet& set, base::Timestamp now) {
    return {.set = set.id.text(),
            .started_at = set.started_at,
            .duration = time_between(set.started_at, set.finished_at),
            .bytes = set.bytes(),
            .verified = std::string(model::verification_text(set.verified())),
            .ahead = set.started_at > now,
            .run = {}};
}

NewestSet newest_of(const model::RunReport& run, base::Timestamp now) {
    auto verified = run.artifacts.empty() ? model::Verification::none : model::Verification::proven;
    for (const auto& artifact : run.artifacts) verified = std::min(verified, artifact.verified);
    return {.set = run.set,
            .started_at = run.started_at,
            .duration = time_between(run.started_at, run.finished_at),
            .bytes = run.size_bytes,
            .verified = std::string(model::verification_text(verified)),
            .ahead = run.started_at > now,
            .run = run.run};
}

bool is_as_known(const JobFacts& known, const std::filesystem::path& directory,
                 const std::filesystem::path& repository) {
    try {
        if (!known.problem.empty()) {
            check_access(directory);
            return false;
        }
        return stamp(directory) == known.job_directory &&
               (!known.newest_local || stamp(repository / known.newest_local->set) == known.newest_directory);
    } catch (const base::Error&) {
        // One job's disk must not keep the others from being told of.
        return !known.problem.empty();
    }
}

}  // namespace

void read_copies(JobFacts& facts, const std::vector<catalog::Copy>& copies, base::Timestamp now) {
    const auto known = std::exchange(facts.newest_copy, std::nullopt);
    facts.targets.clear();
    facts.owed.clear();
    for (const auto& copy : copies) {
        if (copy.owed) {
            facts.owed.push_back({copy.id.text(), copy.id.job, copy.target, copy.since, copy.next_attempt, copy.bytes,
                                  copy.attempts, copy.message});
            continue;
        }
        if (!copy.host.empty()) continue;
        auto& total = facts.targets[copy.target];
        ++total.sets;
        total.bytes += copy.bytes;
        // As Catalog::newest_copy().
        if (!copy.complete || copy.verified == model::Verification::none) continue;
        auto found = newest_of(copy, now);
        const auto order = [](const NewestSet& set) { return std::tuple(!set.ahead, set.started_at, set.set); };
        if (!facts.newest_copy || order(*facts.newest_copy) < order(found)) facts.newest_copy = std::move(found);
    }
    // The report need not be read again.
    if (known && facts.newest_copy && known->set == facts.newest_copy->set && known->run == facts.newest_copy->run)
        facts.newest_copy->duration = known->duration;
}

void read_duration(JobFacts& facts, catalog::Catalog& catalog) {
    if (!facts.newest_copy || &facts.newest() != &facts.newest_copy) return;
    auto& newest = *facts.newest_copy;
    if (newest.duration.count() > 0 || newest.run.empty()) return;
    if (const auto run = catalog.run(newest.run)) newest.duration = time_between(newest.started_at, run->finished_at);
}

SetIds corrupt_sets(catalog::Catalog& catalog) {
    SetIds corrupt;
    for (const auto& state : catalog.corrupt_sets()) corrupt.insert(state.id);
    return corrupt;
}

void read_disk(JobFacts& facts, const std::string& job, Depth depth, const repository::Repository& repository,
               const SetIds& corrupt, base::Timestamp now) {
    const auto directory = repository.directory() / job;
    facts.newest_local.reset();
    facts.newest_directory = 0;
    facts.problem.clear();
    try {
        // Before it is read: what changes meanwhile is seen by the next look.
        facts.job_directory = stamp(directory);
        const auto is_good = [&corrupt](const auto& set) { return !corrupt.contains(set.manifest.id); };
        if (const auto set = repository.newest(job, now, is_good)) {
            facts.newest_local = newest_of(set->manifest, now);
            facts.newest_directory = stamp(set->directory);
        }
        if (depth == Depth::newest) return;
        PlaceTotal total;
        for (const auto& set : repository.sets(job)) {
            ++total.sets;
            total.bytes += set.manifest.bytes();
        }
        facts.local = total;
    } catch (const base::Error& error) {
        // The other jobs must not suffer for it.
        facts.problem = error.message();
        facts.local.reset();
    }
}

void read_made(JobFacts& facts, const std::string& job, catalog::Catalog& catalog, base::Timestamp now) {
    if (facts.newest_local) return;
    if (const auto run = catalog.newest_made(job, now)) facts.newest_local = newest_of(*run, now);
}

Facts::Facts(std::vector<std::string> jobs) {
    static const auto nothing = std::make_shared<const JobFacts>();
    auto names = std::make_shared<Names>();
    for (const auto& job : jobs) names->numbers.emplace(job, names->numbers.size());
    facts_.assign(jobs.size(), nothing);
    names->list = std::move(jobs);
    names_ = std::move(names);
}

std::shared_ptr<const JobFacts> Facts::find(const std::string& job) const {
    const auto found = names_->numbers.find(job);
    return found == names_->numbers.end() ? nullptr : facts_[found->second];
}

void Facts::put(const std::string& job, JobFacts fresh) {
    auto& place = facts_.at(names_->numbers.at(job));
    if (!(fresh == *place)) place = std::make_shared<const JobFacts>(std::move(fresh));
}

Facts with_catalog(const Facts& facts, const std::vector<std::string>& jobs, catalog::Catalog& catalog,
                   base::Timestamp now) {
    const auto successes = catalog.last_success(now);
    std::unordered_map<std::string, std::vector<catalog::Copy>> copies;
    for (auto& copy : catalog.copies()) copies[copy.id.job].push_back(std::move(copy));
    Facts result = jobs == facts.jobs() ? facts : Facts(jobs);
    for (const auto& job : jobs) {
        const auto known = facts.find(job);
        auto fresh = known ? *known : JobFacts{};
        const auto success = successes.find(job);
        fresh.last_success.reset();
        if (success != successes.end()) fresh.last_success = success->second;
        const auto found = copies.find(job);
        read_copies(fresh, found == copies.end() ? std::vector<catalog::Copy>{} : found->second, now);
        read_duration(fresh, catalog);
        result.put(job, std::move(fresh));
    }
    return result;
}

std::vector<std::string> changed_on_disk(const Facts& facts, const repository::Repository& repository) {
    std::vector<std::string> changed;
    for (std::size_t i = 0; i < facts.jobs().size(); ++i) {
        const auto& job = facts.jobs()[i];
        if (!is_as_known(*facts.of(i), repository.directory() / job, repository.directory())) changed.push_back(job);
    }
    return changed;
}

}  // namespace pgbakd::service
