// Runs jobs with `schedule: on change` when their files have: by inotify, settled; once at the start if they changed
// while nobody looked.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "async/event.hpp"
#include "async/stop.hpp"
#include "async/task_group.hpp"
#include "service/core.hpp"
#include "service/dispatcher.hpp"

namespace pgbakd::service {

class ChangeWatch {
  public:
    ChangeWatch(Core& core, Dispatcher& dispatcher)
        : core_(core),
          dispatcher_(dispatcher),
          changed_(core.io.get_executor()),
          looked_(core.io.get_executor()),
          tasks_(core.io.get_executor()) {}

    // Until stopped.
    asio::awaitable<void> watch(async::StopToken stop);
    void configuration_changed() { changed_.notify(); }

  private:
    // What is watched for one job; another one where a reload changed any of it.
    struct Watched {
        std::string job;
        model::FilesSource source;
        std::chrono::milliseconds settle{0};
        friend bool operator==(const Watched&, const Watched&) = default;
    };
    struct Task {
        Watched watched;
        std::unique_ptr<async::StopSource> stop;
    };
    struct Seen;

    void follow_configuration(const async::StopToken& stop);
    asio::awaitable<void> watch_job(Watched watched, async::StopToken stop);
    // A look has a thread of its own, and many jobs may want one at once.
    class Looking;
    asio::awaitable<std::shared_ptr<Seen>> look(Watched watched, async::StopToken stop);
    asio::awaitable<bool> is_saved(std::string job, std::string stamp);
    // Starts a run, and waits for it. Whether the files are saved as they were when they were looked at.
    asio::awaitable<bool> save(std::string job, std::string stamp, async::StopToken stop);
    // Until something has and has settled, at most so long.
    asio::awaitable<void> wait_for_change(std::shared_ptr<Seen> seen, std::chrono::milliseconds settle,
                                          std::chrono::milliseconds at_most, async::StopToken stop);

    Core& core_;
    Dispatcher& dispatcher_;
    async::Event changed_;
    async::Event looked_;  // one look less is under way
    int looking_ = 0;
    async::TaskGroup tasks_;
    std::map<std::string, Task> watching_;  // by job
};

}  // namespace pgbakd::service
