#include "offsite/send_set.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/each.hpp"
#include "offsite/growing_file.hpp"
#include "offsite/keys.hpp"
#include "offsite/remote_sets.hpp"
#include "os/file.hpp"
#include "repository/names.hpp"
#include "target/listing.hpp"
#include "target/whole.hpp"

namespace pgbakd::offsite {
namespace {

constexpr std::size_t largest_manifest = std::size_t{64} << 20U;
constexpr std::size_t largest_sidecar = std::size_t{64} << 10U;
// Of an artifact that is sent beside others: what that takes of memory stays below the parts of a long one, and no
// service splits it, so that there is nothing to take up.
constexpr std::uint64_t most_short = std::uint64_t{1} << 20U;

base::Error taken(const target::Facts& facts, const model::SetId& id) {
    return {base::ErrorCode::conflict, fmt::format("another set named {} is in {} already", id.text(), facts.place),
            "two hosts with a job of the same name need a prefix or a path each; nothing was overwritten"};
}

base::Error half_taken(const target::Facts& facts, const model::SetId& id) {
    return {
        base::ErrorCode::conflict,
        fmt::format("half a set named {} that this copy did not begin is in {}", id.text(), facts.place),
        "what a run that was killed has left there goes by itself a day later; two hosts with a job of the same name "
        "need a prefix or a path each; nothing was overwritten"};
}

// Something is there under its name that is not ours; with a manifest or without one, as far as that can be told.
asio::awaitable<base::Error> taken_there(target::Target& target, model::SetId id, async::StopToken stop) {
    const auto facts = co_await target.facts(stop);
    bool half = false;
    try {
        const auto manifest = co_await target.stat(key_of(id, model::manifest_file), target::Detail::plain, stop);
        half = !manifest.has_value();
    } catch (const base::Error&) {
        stop.check();
    }
    if (!half) co_return taken(facts, id);
    co_return half_taken(facts, id);
}

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

// The local set is not what the manifest says: no attempt will change that.
base::Error spoiled(Way& way, const model::SetId& id, std::string what) {
    way.unfinished.clear();
    way.checkpoint.clear();
    way.corrupt = std::move(what);
    return {base::ErrorCode::corrupt, way.corrupt, fmt::format("pgbakctl verify {}", id.text())};
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

asio::awaitable<bool> has_manifest(target::Target& target, model::SetId id, async::StopToken stop) {
    const auto found = co_await target.stat(key_of(id, model::manifest_file), target::Detail::plain, stop);
    co_return found.has_value();
}

void tell_begun(Way& way, bool begun) {
    if (std::exchange(way.begun, begun) != begun && way.on_change) way.on_change();
}

void note(Way& way, std::set<std::string>& names, const std::string& name) {
    if (names.insert(name).second && way.on_change) way.on_change();
}

void forget(Way& way, std::set<std::string>& names, const std::string& name) {
    if (names.erase(name) > 0 && way.on_change) way.on_change();
}

// What we have put there is not what was sent: it would stand in the way of the next attempt. Not once there is a
// manifest: then it is somebody's set. What cannot be removed the next attempt replaces.
asio::awaitable<void> take_back(target::Target& target, model::SetId id, std::string name, Way& way,
                                async::StopToken stop) {
    std::exception_ptr left;  // what is wrong with the file is told
    try {
        const bool is_set = co_await has_manifest(target, id, stop);
        if (is_set) co_return;
        std::vector<std::string> keys;
        keys.push_back(key_of(id, name));
        const auto refused = co_await target.remove(std::move(keys), stop);
        if (!refused.empty()) co_return;
        forget(way, way.trying, name);
        forget(way, way.placed, name);
    } catch (...) {
        left = std::current_exception();
    }
}

}  // namespace

asio::awaitable<void> send_artifact(Means means, model::SetId id, std::shared_ptr<Growing> file, Way& way,
                                    async::StopToken stop) {
    const auto name = file->name();
    const auto key = key_of(id, name);
    SendOptions options;
    options.ask_after = false;  // check_there() does, of all at once
    if (way.unfinished == name) options.checkpoint = way.checkpoint;
    options.on_checkpoint = [&way, name](const std::string& checkpoint) {
        way.unfinished = name;
        way.checkpoint = checkpoint;
        if (way.on_change) way.on_change();
    };
    const bool ours = way.begun;
    bool earlier = way.trying.contains(name) || way.placed.contains(name);  // an attempt may have left what is there
    const bool tried = earlier;
    options.on_begin = [&way] { tell_begun(way, true); };
    bool put = false;  // by this very call
    options.on_finish = [&way, name] { note(way, way.trying, name); };
    options.on_placed = [&way, &put, name] {
        put = true;
        note(way, way.placed, name);
    };
    options.on_half = [&earlier] { earlier = true; };
    way.sent.erase(name);  // it was written anew
    std::exception_ptr failure;
    Assured assured{};
    try {
        assured = co_await send_file(means, file, key, options, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        const auto error = base::to_error(failure);
        if (file->is_spoiled()) {
            const auto wrong = spoiled(way, id, error.message());
            throw base::Error(wrong);
        }
        if (put && error.code() == base::ErrorCode::corrupt) co_await take_back(means.target, id, name, way, stop);
        const bool refused = error.code() == base::ErrorCode::conflict;
        if (!refused) std::rethrow_exception(failure);
        bool replaceable = earlier && file->is_kept();
        // With a manifest it is a set, and not ours: we had none of it whole.
        if (replaceable) replaceable = !co_await has_manifest(means.target, id, stop);
        if (!replaceable) {
            if (!tried) forget(way, way.trying, name);
            if (!ours) tell_begun(way, false);
            const auto wrong = co_await taken_there(means.target, id, stop);
            throw base::Error(wrong);
        }
        // Half of an earlier attempt of ours, by a target that shows halves; or what a dump was that was made anew.
        SendOptions again;
        again.existing = target::Existing::replace;
        again.ask_after = false;
        again.on_finish = options.on_finish;
        again.on_placed = options.on_placed;
        put = false;
        failure = nullptr;
        try {
            assured = co_await send_file(means, file, key, again, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure && file->is_spoiled()) {
            const auto again_failed = base::to_error(failure);
            const auto wrong = spoiled(way, id, again_failed.message());
            throw base::Error(wrong);
        }
        if (failure) {
            const bool wrong = base::to_error(failure).code() == base::ErrorCode::corrupt;
            if (put && wrong) co_await take_back(means.target, id, name, way, stop);
            std::rethrow_exception(failure);
        }
    }
    way.sent[name] = assured;
    forget(way, way.trying, name);
    if (way.unfinished != name) co_return;  // that of another file is still of use
    way.unfinished.clear();
    way.checkpoint.clear();
}

namespace {

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
    std::map<std::string, std::uint64_t> there;
    target::Listing listing(means.target, prefix_of(set.id), most_in_a_set);
    while (co_await listing.next(stop))
        for (const auto& entry : listing.entries()) there[entry.key] = entry.size;
    for (const auto& [name, size] : sizes_of(set, ending)) {
        const auto key = key_of(set.id, name);
        const auto listed = there.find(key);
        if (listed != there.end() && listed->second == size) continue;
        // Some listings are behind.
        const auto found = co_await means.target.stat(key, target::Detail::plain, stop);
        if (found && found->size == size) continue;
        way.sent.erase(name);
        throw base::Error(
            base::ErrorCode::corrupt,
            fmt::format("{} was sent, and is {} now", name, found ? fmt::format("{} bytes long", found->size) : "gone"),
            "does something else delete or change objects there?", base::Persistence::passing);
    }
}

asio::awaitable<Assured> send_ending(Means means, const model::BackupSet& set, const Ending& ending, Way& way,
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
    const bool all_checked = std::all_of(way.sent.begin(), way.sent.end(),
                                         [](const auto& sent) { return sent.second == Assured::checksum; });
    co_return all_checked ? Assured::checksum : Assured::read_back;
}

asio::awaitable<void> send_stored(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                                  model::Artifact artifact, model::SetId id, Way& way, async::StopToken stop) {
    const auto path = directory / artifact.file;
    const auto file = co_await whole_file(executor, means.pool, path, artifact.sha256);
    if (file->length() != artifact.bytes) {
        const auto what =
            fmt::format("{} has {} bytes instead of {}", artifact.file, file->length().value_or(0), artifact.bytes);
        const auto wrong = spoiled(way, id, what);
        throw base::Error(wrong);
    }
    co_await send_artifact(means, id, file, way, stop);
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
    if (found == Found::all) {
        co_await send_pin(means, directory, set.id, stop);
        co_return Assured::read_back;
    }
    co_await send_artifacts(means, executor, directory, set, way, stop);
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
    const auto assured = co_await send_ending(means, set, ending, way, stop);
    co_await send_pin(means, directory, set.id, stop);
    co_return assured;
}

asio::awaitable<Assured> close_set(Means means, model::BackupSet set, Way& way, async::StopToken stop) {
    Ending ending{model::to_manifest(set), {}, Found::nothing};
    for (const auto& artifact : set.artifacts) {
        if (!way.sent.contains(artifact.file))
            throw base::Error(base::ErrorCode::not_found,
                              fmt::format("the target did not get {}, and it is kept nowhere else", artifact.file));
        ending.sidecars.push_back(repository::sidecar_text(artifact.sha256, artifact.file));
    }
    ending.found = co_await find_manifest(means.target, set.id, ending.manifest, way.begun, stop);
    if (ending.found == Found::all) co_return Assured::read_back;
    co_return co_await send_ending(means, set, ending, way, stop);
}

}  // namespace pgbakd::offsite
