#include "offsite/send_set.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/each.hpp"
#include "offsite/growing_file.hpp"
#include "offsite/keys.hpp"
#include "offsite/remote_sets.hpp"
#include "offsite/sizes_there.hpp"
#include "os/file.hpp"
#include "repository/names.hpp"
#include "target/whole.hpp"

namespace pgbakd::offsite {
namespace {

constexpr std::size_t largest_manifest = std::size_t{64} << 20U;
constexpr std::size_t largest_sidecar = std::size_t{64} << 10U;
// Of an artifact that is sent beside others: what that takes of memory stays below the parts of a long one, and no
// service splits it, so that there is nothing to take up.
constexpr std::uint64_t most_short = std::uint64_t{1} << 20U;

asio::awaitable<std::string> read_text(async::Pool& pool, const std::filesystem::path& path, std::size_t limit) {
    const auto read = [path, limit] { return os::read_file(path, limit); };
    return async::run_blocking(pool, read);
}

enum class Found { nothing, half, all };

// What is there of the manifest: all of it if the copy is complete; half, by a target that shows halves, only of ours.
asio::awaitable<Found> find_manifest(target::Target& target, model::SetId id, std::string manifest, bool ours,
                                     async::StopToken stop) {
    const auto key = key_of(id, model::manifest_file);
    const auto found = co_await target.stat(key, target::Detail::plain, stop);
    if (!found) co_return Found::nothing;
    const auto there = co_await target::get_text(target, key, largest_manifest, stop);
    if (there == manifest) co_return Found::all;
    if (ours && manifest.starts_with(there)) co_return Found::half;
    const auto facts = co_await target.facts(stop);
    throw taken(facts, id);
}

asio::awaitable<std::shared_ptr<Growing>> whole_file(asio::any_io_executor executor, async::Pool& pool,
                                                     std::filesystem::path path, std::string sha256) {
    auto file = std::make_shared<GrowingFile>(executor, path);
    const auto status = [path] { return os::file_status(path); };
    const auto found = co_await async::run_blocking(pool, status);
    if (!found || !found->is_regular)
        throw base::Error(base::ErrorCode::not_found, fmt::format("{} is not there", path.native()),
                          "pgbakctl verify tells what else of the set is missing");
    file->complete(found->size, std::move(sha256));
    co_return file;
}

// What makes a set of the artifacts that are there.
struct Ending {
    std::string manifest;
    std::vector<std::string> sidecars;  // in the order of the artifacts
    Found found = Found::nothing;       // of the manifest
};

// How many of `count` short objects are put at a time.
asio::awaitable<std::size_t> at_a_time(target::Target& target, std::size_t count, async::StopToken stop) {
    if (count < 2) co_return 1;
    const auto facts = co_await target.facts(stop);
    co_return facts.at_once;
}

asio::awaitable<void> send_sidecars(Means means, const model::BackupSet& set, const Ending& ending,
                                    async::StopToken stop) {
    const std::function<asio::awaitable<void>(std::size_t)> send = [&](std::size_t i) {
        const auto name = set.artifacts[i].file + std::string(repository::sidecar_extension);
        target::PutOptions options;
        options.existing = target::Existing::replace;  // of a file that says what the manifest says too
        options.ask_after = false;
        return send_text(means.target, key_of(set.id, name), ending.sidecars.at(i), options, stop);
    };
    const auto at_once = co_await at_a_time(means.target, set.artifacts.size(), stop);
    co_await async::for_each(set.artifacts.size(), at_once, send);
}

// What every object of the set has to be like, but for the manifest: name and bytes.
std::vector<std::pair<std::string, std::uint64_t>> sizes_of(const model::BackupSet& set, const Ending& ending) {
    std::vector<std::pair<std::string, std::uint64_t>> sizes;
    for (std::size_t i = 0; i < set.artifacts.size(); ++i) {
        const auto& artifact = set.artifacts[i];
        sizes.emplace_back(artifact.file, artifact.bytes);
        sizes.emplace_back(artifact.file + std::string(repository::sidecar_extension), ending.sidecars.at(i).size());
    }
    return sizes;
}

// What the target holds of what was sent, in one listing instead of a question behind each object. And between the
// first artifact and the manifest lie hours: what somebody has removed meanwhile (another host's sweep, a lifecycle
// rule, a hand) must not make half a set. What is to be sent again is no longer in `way`.
asio::awaitable<void> check_there(Means means, const model::BackupSet& set, const Ending& ending, Way& way,
                                  async::StopToken stop) {
    const auto there = co_await sizes_there(means.target, set.id, stop);
    for (const auto& [name, size] : sizes_of(set, ending)) {
        const auto key = key_of(set.id, name);
        const auto found = co_await size_there(means.target, there, key, size, stop);
        if (found == size) continue;
        way.sent.erase(name);
        const auto now = found == not_there ? std::string("gone") : fmt::format("{} bytes long", found);
        throw base::Error(base::ErrorCode::corrupt, fmt::format("{} was sent, and is {} now", name, now),
                          "does something else delete or change objects there?", base::Persistence::passing);
    }
}

// The least that is known of its artifacts.
Assured least(const Way& way) {
    const bool all_checked = std::all_of(way.sent.begin(), way.sent.end(),
                                         [](const auto& sent) { return sent.second == Assured::checksum; });
    return all_checked ? Assured::checksum : Assured::read_back;
}

asio::awaitable<void> send_ending(Means means, const model::BackupSet& set, const Ending& ending, Way& way,
                                  async::StopToken stop) {
    co_await send_sidecars(means, set, ending, stop);
    co_await check_there(means, set, ending, way, stop);
    std::exception_ptr failure;
    try {
        target::PutOptions options;
        if (ending.found == Found::half) options.existing = target::Existing::replace;
        co_await send_text(means.target, key_of(set.id, model::manifest_file), ending.manifest, options, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && base::to_error(failure).code() != base::ErrorCode::conflict) std::rethrow_exception(failure);
    if (failure) {
        const auto facts = co_await means.target.facts(stop);
        throw taken(facts, set.id);
    }
}

asio::awaitable<std::shared_ptr<Growing>> stored(Means means, asio::any_io_executor executor,
                                                 std::filesystem::path directory, model::Artifact artifact,
                                                 model::SetId id, Way& way) {
    const auto path = directory / artifact.file;
    const auto file = co_await whole_file(executor, means.pool, path, artifact.sha256);
    if (file->length() != artifact.bytes) {
        const auto what =
            fmt::format("{} has {} bytes instead of {}", artifact.file, file->length().value_or(0), artifact.bytes);
        const auto wrong = spoiled(way, id, what);
        throw base::Error(wrong);
    }
    co_return file;
}

asio::awaitable<void> send_stored(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                                  model::Artifact artifact, model::SetId id, Way& way, async::StopToken stop) {
    const auto file = co_await stored(means, executor, directory, artifact, id, way);
    co_await send_artifact(means, id, file, way, stop);
}

// A manifest tells what was sent, and not what the place has kept of it: a server that fell may have lost what it had
// taken just before. What is not there as it should be is sent again, in its place: by its manifest the set is ours.
asio::awaitable<void> mend(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                           model::BackupSet set, const Ending& ending, Way& way, async::StopToken stop) {
    const auto there = co_await sizes_there(means.target, set.id, stop);
    const bool condemned = there.contains(key_of(set.id, corrupt_file));  // by a check of what is there
    if (condemned) way.sent.clear();
    for (const auto& artifact : set.artifacts) {
        const auto key = key_of(set.id, artifact.file);
        const auto size = co_await size_there(means.target, there, key, artifact.bytes, stop);
        if (size == artifact.bytes && way.sent.contains(artifact.file)) continue;
        const auto file = co_await stored(means, executor, directory, artifact, set.id, way);
        bool alike = size == artifact.bytes && !condemned;
        if (alike) alike = co_await reads_alike(means, key, file, stop);
        if (alike)
            way.sent[artifact.file] = Assured::read_back;
        else
            co_await replace_artifact(means, set.id, file, way, stop);
    }
    bool sidecars = true;
    for (const auto& [name, size] : sizes_of(set, ending)) {
        const auto found = there.find(key_of(set.id, name));
        const bool listed = found != there.end() && found->second == size;
        sidecars = sidecars && (listed || !name.ends_with(repository::sidecar_extension));
    }
    if (!sidecars) co_await send_sidecars(means, set, ending, stop);
    co_await check_there(means, set, ending, way, stop);
    if (condemned) co_await remove_mark(means.target, set.id, corrupt_file, stop);
}

// Who pinned the set while this copy was owed meant this place too.
asio::awaitable<void> send_pin(Means means, std::filesystem::path directory, model::SetId id, async::StopToken stop) {
    const auto look = [mark = directory / pin_file] { return os::file_status(mark).has_value(); };
    const bool pinned = co_await async::run_blocking(means.pool, look);
    if (!pinned) co_return;
    target::PutOptions options;
    options.existing = target::Existing::replace;
    const std::string text = "pinned\n";
    co_await send_text(means.target, key_of(id, pin_file), text, options, stop);
}

}  // namespace

// What is short goes several at a time, behind a first one: when that has gone through, whatever lies there is ours.
asio::awaitable<void> send_artifacts(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                                     model::BackupSet set, Way& way, async::StopToken stop) {
    std::vector<model::Artifact> beside;
    for (const auto& artifact : set.artifacts) {
        if (way.sent.contains(artifact.file)) continue;
        if (artifact.bytes <= most_short && !way.sent.empty())
            beside.push_back(artifact);
        else
            co_await send_stored(means, executor, directory, artifact, set.id, way, stop);
    }
    const std::function<asio::awaitable<void>(std::size_t)> send = [&](std::size_t i) {
        return send_stored(means, executor, directory, beside[i], set.id, way, stop);
    };
    const auto at_once = co_await at_a_time(means.target, beside.size(), stop);
    co_await async::for_each(beside.size(), at_once, send);
}

asio::awaitable<Assured> send_set(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                                  model::BackupSet set, Way& way, async::StopToken stop) {
    const auto manifest = co_await read_text(means.pool, directory / model::manifest_file, largest_manifest);
    const auto found = co_await find_manifest(means.target, set.id, manifest, way.begun, stop);
    if (found != Found::all) co_await send_artifacts(means, executor, directory, set, way, stop);
    const auto read_sidecars = [directory, artifacts = set.artifacts] {
        std::vector<std::string> texts;
        for (const auto& artifact : artifacts) {
            const auto name = artifact.file + std::string(repository::sidecar_extension);
            texts.push_back(os::read_file(directory / name, largest_sidecar));
        }
        return texts;
    };
    auto sidecars = co_await async::run_blocking(means.pool, read_sidecars);
    const Ending ending{manifest, std::move(sidecars), found};
    if (found == Found::all)
        co_await mend(means, executor, directory, set, ending, way, stop);
    else
        co_await send_ending(means, set, ending, way, stop);
    co_await send_pin(means, directory, set.id, stop);
    co_return least(way);
}

namespace {

// Of a set that is kept nowhere else there is nothing to mend it with: then it is none, and is not taken for one.
asio::awaitable<void> check_closed(Means means, const model::BackupSet& set, const Ending& ending, Way& way,
                                   async::StopToken stop) {
    std::exception_ptr failure, left;
    try {
        co_await check_there(means, set, ending, way, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    bool lost = false;
    for (const auto& artifact : set.artifacts) lost = lost || !way.sent.contains(artifact.file);
    try {
        if (lost) (void)co_await remove_manifest(means.target, set.id, stop);
    } catch (...) {
        left = std::current_exception();  // what is amiss is told
    }
    std::rethrow_exception(failure);
}

}  // namespace

asio::awaitable<Assured> close_set(Means means, model::BackupSet set, Way& way, async::StopToken stop) {
    Ending ending{model::to_manifest(set), {}, Found::nothing};
    for (const auto& artifact : set.artifacts) {
        if (!way.sent.contains(artifact.file))
            throw base::Error(base::ErrorCode::not_found,
                              fmt::format("the target did not get {}, and it is kept nowhere else", artifact.file));
        ending.sidecars.push_back(repository::sidecar_text(artifact.sha256, artifact.file));
    }
    ending.found = co_await find_manifest(means.target, set.id, ending.manifest, way.begun, stop);
    if (ending.found == Found::all)
        co_await check_closed(means, set, ending, way, stop);
    else
        co_await send_ending(means, set, ending, way, stop);
    co_return least(way);
}

}  // namespace pgbakd::offsite
