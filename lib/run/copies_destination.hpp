// What Copies knows of one target of its run.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "offsite/send_set.hpp"
#include "run/copies.hpp"

namespace pgbakd::run {

struct Copies::Destination {
    Destination(const asio::any_io_executor& executor, std::string the_name)
        : name(std::move(the_name)), changed(executor) {}

    std::string name;
    offsite::TargetPtr target;                       // null: it could not be opened or reached
    std::unique_ptr<offsite::Targets::Claim> claim;  // null: somebody else sends a set of that name there
    offsite::Way way;
    std::deque<std::shared_ptr<offsite::Growing>> waiting;
    std::set<std::string> missing;               // artifacts that it did not get, and that are on no disk
    std::set<std::string> coming;                // artifacts that it is to get, and that are on no disk
    std::unique_ptr<async::StopSource> sending;  // what goes on now
    std::shared_ptr<offsite::Growing> current;   // that it is about
    async::Event changed;
    std::optional<base::Error> failure;  // of the last attempt
    int attempts = 0;                    // that failed
    bool stalled = false;                // the last of them, while the dump was streamed
    std::optional<offsite::Assured> assured;
    base::SteadyTime began{};
    bool recording = false;
    bool outdated = false;  // what is being recorded
};

}  // namespace pgbakd::run
