#include "offsite/confirm.hpp"

#include "offsite/keys.hpp"
#include "offsite/sizes_there.hpp"
#include "os/file.hpp"
#include "target/whole.hpp"

namespace pgbakd::offsite {
namespace {

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

asio::awaitable<std::string> lacking_of(target::Target& target, const Sizes& there, const model::BackupSet& manifest,
                                        async::StopToken stop) {
    for (const auto& artifact : manifest.artifacts) {
        const auto key = key_of(manifest.id, artifact.file);
        const auto size = co_await size_there(target, there, key, artifact.bytes, stop);
        if (size == not_there) co_return artifact.file + " is not there";
        if (size != artifact.bytes) co_return artifact.file + " has another size there";
    }
    co_return std::string();
}

}  // namespace

asio::awaitable<std::string> what_is_lacking_there(target::Target& target, model::BackupSet manifest,
                                                   async::StopToken stop) {
    const auto there = co_await sizes_there(target, manifest.id, stop);
    co_return co_await lacking_of(target, there, manifest, stop);
}

asio::awaitable<std::string> what_is_wrong_there(target::Target& target, async::Pool& pool, repository::StoredSet set,
                                                 async::StopToken stop) {
    const auto& id = set.manifest.id;
    const auto there = co_await sizes_there(target, id, stop);
    const auto manifest_key = key_of(id, model::manifest_file);
    if (!there.contains(manifest_key)) co_return "its manifest is not there";
    if (there.contains(key_of(id, corrupt_file))) co_return "a check found it corrupt there";
    const auto lacking = co_await lacking_of(target, there, set.manifest, stop);
    if (!lacking.empty()) co_return lacking;
    const auto read = [path = set.directory / model::manifest_file] { return os::read_file(path, largest_manifest); };
    const auto manifest = co_await async::run_blocking(pool, read);
    const bool same = co_await is_same_text(target, manifest_key, manifest, stop);
    if (!same) co_return "its manifest is another one there";
    co_return std::string();
}

}  // namespace pgbakd::offsite
