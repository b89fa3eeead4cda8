#include "offsite/confirm.hpp"

#include <algorithm>
#include <map>

#include "offsite/keys.hpp"
#include "os/file.hpp"
#include "target/whole.hpp"

namespace pgbakd::offsite {
namespace {

constexpr std::size_t page_size = 1000;
constexpr std::size_t largest_manifest = std::size_t{64} << 20U;

// Some bytes longer is another one already.
asio::awaitable<bool> is_same_text(target::Target& target, std::string key, std::string text, async::StopToken stop) {
    std::exception_ptr failure;
    std::string there;
    try {
        there = co_await target::get_text(target, key, text.size(), stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return there == text;
    if (base::to_error(failure).code() == base::ErrorCode::corrupt) co_return false;
    std::rethrow_exception(failure);
}

}  // namespace

asio::awaitable<std::string> what_is_wrong_there(target::Target& target, async::Pool& pool, repository::StoredSet set,
                                                 async::StopToken stop) {
    const auto& id = set.manifest.id;
    std::map<std::string, std::uint64_t> there;
    std::string cursor;
    // No set has more pages than this: artifacts and their sidecars, the manifest, the marks.
    auto pages = set.manifest.artifacts.size() * 2 / page_size + 2;
    do {
        const auto page = co_await target.list(prefix_of(id), cursor, page_size, stop);
        for (const auto& entry : page.entries) there[entry.key] = entry.size;
        cursor = page.next;
    } while (!cursor.empty() && --pages > 0);
    const auto manifest_key = key_of(id, model::manifest_file);
    if (!there.contains(manifest_key)) co_return "its manifest is not there";
    if (there.contains(key_of(id, corrupt_file))) co_return "a check found it corrupt there";
    for (const auto& artifact : set.manifest.artifacts) {
        const auto found = there.find(key_of(id, artifact.file));
        if (found == there.end()) co_return artifact.file + " is not there";
        if (found->second != artifact.bytes) co_return artifact.file + " has another size there";
    }
    const auto read = [path = set.directory / model::manifest_file] { return os::read_file(path, largest_manifest); };
    const auto manifest = co_await async::run_blocking(pool, read);
    const bool same = co_await is_same_text(target, manifest_key, manifest, stop);
    if (!same) co_return "its manifest is another one there";
    co_return std::string();
}

}  // namespace pgbakd::offsite
