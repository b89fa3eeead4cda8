// One artifact of a set on its way to a target, and what an earlier attempt at it has left there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "model/backup_set.hpp"
#include "offsite/send_file.hpp"

namespace pgbakd::offsite {

// How far a copy has come. Outlives the attempts at it.
struct Way {
    std::map<std::string, Assured> sent;  // files that the target has, and has right
    std::string unfinished;               // the file whose upload was under way, and where it can be taken up
    std::string checkpoint;
    std::set<std::string> trying;  // files that may have come there, or half of them, without our being told
    std::set<std::string> placed;  // files that we have put there ourselves, whatever they were then
    [[nodiscard]] std::set<std::string> tried() const {
        auto names = trying;
        names.insert(placed.begin(), placed.end());
        return names;
    }
    // Of those in `trying`, what is kept nowhere here: what was sent, by which it is known again there.
    std::map<std::string, std::shared_ptr<Growing>> unsure;
    // The target has taken something of this set from us: what lies there under its name is ours, however broken.
    bool begun = false;
    std::string corrupt;  // what was found of an artifact that reads otherwise than it was written
    // After `unfinished`, `checkpoint`, `begun`, `trying` or `placed` changed; may be empty.
    std::function<void()> on_change;
};

// Sends one artifact and notes it in `way`: what send_set() does with each, and a run does while it is written. What an
// earlier attempt on this way has put there is replaced, or taken away before; nothing else is. Errors: as send_set().
asio::awaitable<void> send_artifact(Means means, model::SetId id, std::shared_ptr<Growing> file, Way& way,
                                    async::StopToken stop);
// The same in the place of what is there, which is known to be of this set.
asio::awaitable<void> replace_artifact(Means means, model::SetId id, std::shared_ptr<Growing> file, Way& way,
                                       async::StopToken stop);

// Whether the object holds what the file does, as far as a Reading compares it: not, if it is not there. Throws where
// that cannot be told.
asio::awaitable<bool> reads_alike(Means means, std::string key, std::shared_ptr<Growing> file, async::StopToken stop);

// --- what send_set() says in the same words ---

// Another set is there under that name.
[[nodiscard]] base::Error taken(const target::Facts& facts, const model::SetId& id);
// The local set is not what the manifest says: no attempt will change that.
[[nodiscard]] base::Error spoiled(Way& way, const model::SetId& id, std::string what);

}  // namespace pgbakd::offsite
