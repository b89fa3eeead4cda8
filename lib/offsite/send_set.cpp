#include "offsite/send_set.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "offsite/keys.hpp"
#include "os/file.hpp"
#include "repository/names.hpp"
#include "target/whole.hpp"

namespace pgbakd::offsite {
namespace {

constexpr std::size_t largest_manifest = std::size_t{64} << 20U;
constexpr std::size_t largest_sidecar = std::size_t{64} << 10U;

base::Error taken(const target::Facts& facts, const model::SetId& id) {
    return {base::ErrorCode::conflict, fmt::format("another set named {} is in {} already", id.text(), facts.place),
            "two hosts with a job of the same name need a prefix or a path each; nothing was overwritten"};
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

asio::awaitable<std::shared_ptr<GrowingFile>> whole_file(asio::any_io_executor executor, async::Pool& pool,
                                                         std::filesystem::path path) {
    auto file = std::make_shared<GrowingFile>(executor, path);
    const auto status = [path] { return os::file_status(path); };
    const auto found = co_await async::run_blocking(pool, status);
    if (!found || !found->is_regular)
        throw base::Error(base::ErrorCode::not_found, fmt::format("{} is not there", path.native()),
                          "pgbakctl verify tells what else of the set is missing");
    file->complete(found->size);
    co_return file;
}

void tell_begun(Way& way, bool begun) {
    if (std::exchange(way.begun, begun) != begun && way.on_change) way.on_change();
}

}  // namespace

asio::awaitable<void> send_artifact(Means means, model::SetId id, std::shared_ptr<GrowingFile> file, Way& way,
                                    async::StopToken stop) {
    const auto name = file->path().filename().native();
    const auto key = key_of(id, name);
    SendOptions options;
    if (way.unfinished == name) options.checkpoint = way.checkpoint;
    options.on_checkpoint = [&way, name](const std::string& checkpoint) {
        way.unfinished = name;
        way.checkpoint = checkpoint;
        if (way.on_change) way.on_change();
    };
    const bool ours = way.begun;
    options.on_begin = [&way, name] {
        way.trying = name;
        tell_begun(way, true);
    };
    way.sent.erase(name);  // it was written anew
    std::exception_ptr failure;
    Assured assured{};
    try {
        assured = co_await send_file(means, file, key, options, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        const bool refused = base::to_error(failure).code() == base::ErrorCode::conflict;
        if (!refused) std::rethrow_exception(failure);
        if (!ours) {
            way.trying.clear();
            tell_begun(way, false);
            const auto facts = co_await means.target.facts(stop);
            throw taken(facts, id);
        }
        // Half of an earlier attempt of ours, by a target that shows halves.
        SendOptions again;
        again.existing = target::Existing::replace;
        assured = co_await send_file(means, file, key, again, stop);
    }
    way.sent[name] = assured;
    way.trying.clear();
    if (way.unfinished != name) co_return;  // that of another file is still of use
    way.unfinished.clear();
    way.checkpoint.clear();
}

asio::awaitable<Assured> send_set(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                                  model::BackupSet set, Way& way, async::StopToken stop) {
    const auto manifest = co_await read_text(means.pool, directory / model::manifest_file, largest_manifest);
    const auto found = co_await find_manifest(means.target, set.id, manifest, way.begun, stop);
    if (found == Found::all) co_return Assured::read_back;
    for (const auto& artifact : set.artifacts) {
        if (way.sent.contains(artifact.file)) continue;
        const auto file = co_await whole_file(executor, means.pool, directory / artifact.file);
        co_await send_artifact(means, set.id, file, way, stop);
    }
    const auto existing = target::Existing::replace;  // of a file that says what the manifest says too
    for (const auto& artifact : set.artifacts) {
        const auto name = artifact.file + std::string(repository::sidecar_extension);
        const auto text = co_await read_text(means.pool, directory / name, largest_sidecar);
        co_await send_text(means.target, key_of(set.id, name), text, existing, stop);
    }
    std::exception_ptr failure;
    try {
        const auto half = found == Found::half ? target::Existing::replace : target::Existing::refuse;
        co_await send_text(means.target, key_of(set.id, model::manifest_file), manifest, half, stop);
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

}  // namespace pgbakd::offsite
