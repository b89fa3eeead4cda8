// One file of a set, sent to one target as it grows, or once it is whole.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "async/pool.hpp"
#include "offsite/growing.hpp"
#include "target/target.hpp"

namespace pgbakd::offsite {

// What sending needs of its surroundings.
struct Means {
    target::Target& target;
    async::Pool& pool;
    std::function<std::uint64_t()> random;
};

struct SendOptions {
    // No aggregate: see target::PutOptions.
    SendOptions() {}  // NOLINT(modernize-use-equals-default)

    target::Existing existing = target::Existing::refuse;
    std::string checkpoint;  // of an earlier attempt; empty: none
    bool ask_after = true;   // see target::PutOptions
    // The target has taken the upload on.
    std::function<void()> on_begin;
    // From now on the object may appear under its key, also if the end of its upload is not told.
    std::function<void()> on_finish;
    // It has: this call has put it there, whatever came of it there.
    std::function<void()> on_placed;
    // What lies under the key is the beginning of this file, and not all of it: half of an earlier attempt.
    std::function<void()> on_half;
    // Told whenever a later attempt could go on further ahead.
    std::function<void(const std::string&)> on_checkpoint;
};

// What is known of the bytes on a target: it compared a checksum, or parts were read back and compared here.
enum class Assured { checksum, read_back };
[[nodiscard]] std::string_view assured_text(Assured assured) noexcept;  // "checksum", "read back"

// Returns when the target has all of `file` under `key`, and what it has was found right. Where that fails, what
// arrived stays there for a later attempt if the file is whole or may become so; what a stop or an abandoned file ends
// is removed again. What is read is hashed, what arrived of an earlier attempt too: where that is not what the file
// must hash to, the object never appears, and the file is spoiled. Errors: conflict if the object is there already and
// is another one (the same one is success); corrupt if the target holds something else than was sent, or the file is
// spoiled; the target's.
asio::awaitable<Assured> send_file(Means means, std::shared_ptr<Growing> file, std::string key, SendOptions options,
                                   async::StopToken stop);

// A small object; the same text that is there already is success. Error: conflict, if it is to be refused.
asio::awaitable<void> send_text(target::Target& target, std::string key, std::string text, target::PutOptions options,
                                async::StopToken stop);

}  // namespace pgbakd::offsite
