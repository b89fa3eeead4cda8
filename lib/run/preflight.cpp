#include "run/preflight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "os/file.hpp"

namespace pgbakd::run {
namespace {

// Whether the source takes every database that its server has at the time.
bool takes_all_databases(const model::Source& source) {
    if (const auto* dump = std::get_if<model::PgDumpSource>(&source)) return dump->all_databases;
    const auto* dump = std::get_if<model::TaosdumpSource>(&source);
    return dump != nullptr && dump->all_databases;
}

// The size of the newest complete set, here or on a target; 0 if there is none.
std::uint64_t newest_size(const repository::Repository& repository, catalog::Catalog& catalog, const std::string& job,
                          base::Timestamp now) {
    const auto newest = repository.newest(job, now);
    const auto copy = catalog.newest_copy(job, now);
    // What a clock ahead has dated counts as the oldest.
    const auto age = [now](base::Timestamp started_at) { return std::pair(started_at <= now, started_at); };
    if (newest && (!copy || age(copy->started_at) <= age(newest->manifest.started_at))) return newest->manifest.bytes();
    return copy ? copy->bytes : 0;
}

}  // namespace

std::uint64_t space_needed(std::uint64_t last_set_bytes, std::uint64_t estimated_bytes) noexcept {
    return last_set_bytes > 0 ? last_set_bytes + last_set_bytes / 5 : estimated_bytes;
}

base::Status check_space(const std::filesystem::path& directory, std::uint64_t available, std::uint64_t needed,
                         std::uint64_t min_free) {
    if (available >= min_free && available - min_free >= needed) return {};
    return base::Error(
        base::ErrorCode::no_space,
        fmt::format("{} has {} free; this run may need {} and {} must stay free", directory.string(),
                    base::format_size(available), base::format_size(needed), base::format_size(min_free)),
        "free space there, shorten the retention (pgbakctl prune), or lower repository.min_free");
}

std::vector<std::string> database_changes(const std::vector<std::string>& before, const std::vector<std::string>& now) {
    std::vector<std::string> changes;
    const auto missing_from = [](const std::vector<std::string>& list, const std::string& name) {
        return std::find(list.begin(), list.end(), name) == list.end();
    };
    for (const auto& name : now)
        if (missing_from(before, name)) changes.push_back(fmt::format("database \"{}\" is new", name));
    for (const auto& name : before)
        if (missing_from(now, name)) changes.push_back(fmt::format("database \"{}\" is gone from the server", name));
    return changes;
}

asio::awaitable<Ready> preflight(Services& services, source::Source& source, const model::JobSpec& job,
                                 async::StopToken stop) {
    Ready ready;
    ready.prepared = co_await source.prepare(stop);
    auto& prepared = ready.prepared;
    const auto* repository = &services.repository;
    const auto find_newest = [repository, catalog = &services.catalog, name = job.name, now = services.clock.now()] {
        return newest_size(*repository, *catalog, name, now);
    };
    ready.last_set_bytes = co_await async::run_blocking(services.pool, find_newest);
    if (job.keep_local != model::KeepLocal::never) {
        const auto directory = [repository] { return os::free_space(repository->directory()); };
        const auto space = co_await async::run_blocking(services.pool, directory);
        const auto needed = space_needed(ready.last_set_bytes, prepared.estimated_bytes);
        check_space(repository->directory(), space.available, needed, services.min_free).value();
    }
    if (takes_all_databases(job.source)) {
        auto* catalog = &services.catalog;
        const auto known_databases = [catalog, name = job.name] { return catalog->known_databases(name); };
        const auto before = co_await async::run_blocking(services.pool, known_databases);
        if (before)
            for (auto& change : database_changes(*before, prepared.origin.databases))
                prepared.notes.push_back(std::move(change));
        const auto put_known_databases = [catalog, name = job.name, databases = prepared.origin.databases] {
            catalog->put_known_databases(name, databases);
        };
        co_await async::run_blocking(services.pool, put_known_databases);
    }
    const bool anything =
        std::any_of(prepared.parts.begin(), prepared.parts.end(), [](const auto& part) { return !part.is_accessory; });
    if (!anything && !prepared.refused.empty()) throw base::Error(prepared.refused.front().error);
    if (!anything)
        throw base::Error(base::ErrorCode::not_found, "the server has no database to dump",
                          std::holds_alternative<model::TaosdumpSource>(job.source)
                              ? "look at `show databases` in taos, as this user"
                              : "look at exclude, and at `psql -l` on the server");
    co_return ready;
}

}  // namespace pgbakd::run
