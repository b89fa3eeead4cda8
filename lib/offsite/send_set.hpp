// A set that lies in the repository, sent to one target: what the target lacks of it, its manifest last.
#pragma once

#include <filesystem>
#include <map>
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
    // The target has taken something of this set from us: what lies there under its name is ours, however broken.
    bool begun = false;
    std::string corrupt;  // what was found of an artifact that reads otherwise than it was written
    // After `unfinished`, `checkpoint`, `begun`, `trying` or `placed` changed; may be empty.
    std::function<void()> on_change;
};

// Sends what is missing, and its pin at last if it is pinned. Returns the least that is known of its artifacts. Errors:
// conflict if another set of that name is there; corrupt, with way.corrupt set if it is the one here that is; the
// target's.
asio::awaitable<Assured> send_set(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                                  model::BackupSet set, Way& way, async::StopToken stop);

// Its artifacts alone.
asio::awaitable<void> send_artifacts(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                                     model::BackupSet set, Way& way, async::StopToken stop);

// The end of a set whose artifacts the target has all got by send_artifact(), and that may be on no disk here: its
// sidecars, then its manifest. Returns and errors as send_set(); not_found if an artifact is not in `way`.
asio::awaitable<Assured> close_set(Means means, model::BackupSet set, Way& way, async::StopToken stop);

// Sends one artifact and notes it in `way`: what send_set() does with each, and a run does while it is written.
asio::awaitable<void> send_artifact(Means means, model::SetId id, std::shared_ptr<Growing> file, Way& way,
                                    async::StopToken stop);

}  // namespace pgbakd::offsite
