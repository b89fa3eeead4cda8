#include "offsite/remote_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "offsite/keys.hpp"
#include "repository/corruption.hpp"
#include "repository/names.hpp"
#include "target/listing.hpp"
#include "target/probe.hpp"
#include "target/whole.hpp"

namespace pgbakd::offsite {
namespace {

// As many as bound the memory that a place can make us take: those of fifty jobs, each hour for a year.
constexpr std::size_t most_sets = 500'000;
constexpr std::chrono::hours stale_after{24};
constexpr std::size_t largest_manifest = std::size_t{64} << 20U;

base::Timestamp time_of(const target::Entry& entry, const model::SetId& id) {
    if (entry.modified != base::Timestamp{}) return entry.modified;
    return base::Timestamp(repository::time_in_name(id.set));
}

bool is_artifact(std::string_view file) {
    return file != model::manifest_file && file != pin_file && file != corrupt_file &&
           !file.ends_with(repository::sidecar_extension);
}

}  // namespace

asio::awaitable<std::vector<RemoteSet>> remote_sets(target::Target& target, std::optional<std::string> job,
                                                    async::StopToken stop) {
    std::map<model::SetId, RemoteSet> found;
    const auto prefix = job ? prefix_of(*job) : std::string();
    target::Listing listing(target, prefix);
    while (co_await listing.next(stop)) {
        for (const auto& entry : listing.entries()) {
            const auto name = parse_key(entry.key);
            if (!name) continue;
            auto& set = found[name->id];
            set.id = name->id;
            set.exists = set.exists || name->file == model::manifest_file;
            set.pinned = set.pinned || name->file == pin_file;
            set.corrupt = set.corrupt || name->file == corrupt_file;
            set.bytes += entry.size;
            if (is_artifact(name->file)) set.artifact_bytes += entry.size;
            set.newest = std::max(set.newest, time_of(entry, name->id));
        }
        if (found.size() > most_sets) {
            const auto what = fmt::format("there are more than {} sets", most_sets);
            throw base::Error(base::ErrorCode::server_error, what);
        }
    }
    std::vector<RemoteSet> sets;
    sets.reserve(found.size());
    for (auto& [id, set] : found) sets.push_back(std::move(set));
    co_return sets;
}

namespace {

std::vector<model::SetId> halves_before(const std::vector<RemoteSet>& sets, base::Timestamp now) {
    std::vector<model::SetId> halves;
    for (const auto& set : sets)
        if (!set.exists && set.newest + stale_after < now) halves.push_back(set.id);
    return halves;
}

}  // namespace

std::vector<model::SetId> stale_halves(const std::vector<RemoteSet>& sets, base::Timestamp now) {
    base::Timestamp newest{};
    for (const auto& set : sets) newest = std::max(newest, set.newest);
    return halves_before(sets, std::min(now, newest));
}

asio::awaitable<std::vector<model::SetId>> find_stale_halves(target::Target& target, std::vector<RemoteSet> sets,
                                                             base::Timestamp now, async::StopToken stop) {
    auto halves = stale_halves(sets, now);
    if (halves.size() == halves_before(sets, now).size()) co_return halves;
    const auto there = co_await target::place_time(target, stop);
    co_return halves_before(sets, std::min(now, there));
}

asio::awaitable<model::BackupSet> remote_manifest(target::Target& target, model::SetId id, async::StopToken stop) {
    const auto text = co_await target::get_text(target, key_of(id, model::manifest_file), largest_manifest, stop);
    auto set = model::parse_manifest(text).value();
    if (set.id != id)
        throw base::Error(base::ErrorCode::corrupt,
                          fmt::format("the manifest of {} is that of {}", id.text(), set.id.text()));
    co_return set;
}

asio::awaitable<void> put_mark(target::Target& target, model::SetId id, std::string_view mark, std::string text,
                               async::StopToken stop) {
    const auto there = co_await target.stat(key_of(id, model::manifest_file), target::Detail::plain, stop);
    if (!there) {
        const auto facts = co_await target.facts(stop);
        throw base::Error(base::ErrorCode::not_found, fmt::format("there is no set {} in {}", id.text(), facts.place));
    }
    target::PutOptions options;
    options.existing = target::Existing::replace;
    co_await target::put_text(target, key_of(id, mark), std::move(text), options, stop);
}

asio::awaitable<void> remove_mark(target::Target& target, model::SetId id, std::string_view mark,
                                  async::StopToken stop) {
    const std::vector<std::string> keys{key_of(id, mark)};
    const auto refused = co_await target.remove(keys, stop);
    if (!refused.empty()) throw base::Error(refused.front().error);
}

asio::awaitable<std::optional<repository::Corruption>> remote_corruption(target::Target& target, model::SetId id,
                                                                         async::StopToken stop) {
    const auto key = key_of(id, corrupt_file);
    const auto there = co_await target.stat(key, target::Detail::plain, stop);
    if (!there) co_return std::nullopt;
    if (there->size > repository::largest_corruption) co_return repository::parse_corruption({});
    const auto text = co_await target::get_text(target, key, repository::largest_corruption, stop);
    co_return repository::parse_corruption(text);
}

asio::awaitable<std::optional<target::Refusal>> remove_manifest(target::Target& target, model::SetId id,
                                                                async::StopToken stop) {
    const std::vector<std::string> manifest{key_of(id, model::manifest_file)};
    auto kept = co_await target.remove(manifest, stop);
    co_return kept.empty() ? std::nullopt : std::optional(std::move(kept.front()));
}

asio::awaitable<std::optional<target::Refusal>> remove_remains(target::Target& target, model::SetId id,
                                                               async::StopToken stop) {
    std::vector<std::string> keys;
    target::Listing listing(target, prefix_of(id), most_in_a_set);
    while (co_await listing.next(stop))
        for (const auto& entry : listing.entries()) keys.push_back(entry.key);
    auto kept = co_await target.remove(keys, stop);
    co_return kept.empty() ? std::nullopt : std::optional(std::move(kept.front()));
}

asio::awaitable<bool> remove_half(target::Target& target, model::SetId id, async::StopToken stop) {
    const auto manifest = key_of(id, model::manifest_file);
    const auto there = co_await target.stat(manifest, target::Detail::plain, stop);
    if (there) co_return false;
    const auto refused = co_await remove_remains(target, id, stop);
    co_return !refused;
}

}  // namespace pgbakd::offsite
