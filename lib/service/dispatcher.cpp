#include "service/dispatcher.hpp"

#include <fmt/format.h>

#include <array>

#include "async/timer.hpp"
#include "base/text.hpp"
#include "run/conclusion.hpp"
#include "run/execute.hpp"
#include "service/skip_told.hpp"
#include "systemd/message_ids.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::seconds recording_pause{10};

// A job whose run is being recorded: no second one may be asked for meanwhile.
class Starting {
  public:
    Starting(std::multiset<std::string>& jobs, const std::string& job) : jobs_(jobs), at_(jobs.insert(job)) {}
    Starting(const Starting&) = delete;
    Starting& operator=(const Starting&) = delete;
    ~Starting() { jobs_.erase(at_); }

  private:
    std::multiset<std::string>& jobs_;
    std::multiset<std::string>::iterator at_;
};

// For as long as somebody carries out; told when nobody does any more.
class CarryingOut {
  public:
    CarryingOut(bool& goes_on, async::Event& changed) : goes_on_(goes_on), changed_(changed) { goes_on_ = true; }
    CarryingOut(const CarryingOut&) = delete;
    CarryingOut& operator=(const CarryingOut&) = delete;
    ~CarryingOut() {
        goes_on_ = false;
        changed_.notify();
    }

  private:
    bool& goes_on_;
    async::Event& changed_;
};

base::Error unknown_job(const config::Config& config, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& job : config.jobs) names.push_back(job->name);
    const auto near = base::closest(name, names);
    return {base::ErrorCode::not_found, fmt::format("there is no job \"{}\"", base::printable(name)),
            near ? fmt::format("did you mean \"{}\"?", *near) : fmt::format("jobs: {}", base::join(names, ", "))};
}

// Whether the catalog may be writable again in a while: a fire must not be lost because the disk was full at two.
bool may_pass(const base::Error& error) {
    return error.code() == base::ErrorCode::no_space || error.code() == base::ErrorCode::io_failed ||
           error.code() == base::ErrorCode::timed_out;
}

// Takes the anchors out of the queue that no other action of the same job stands before.
std::vector<Queued> take_leading_anchors(std::deque<Queued>& actions) {
    std::set<std::string> others;
    std::vector<Queued> anchors;
    std::deque<Queued> rest;
    for (auto& queued : actions) {
        const auto* anchor = std::get_if<scheduler::Anchor>(&queued.action);
        if (anchor != nullptr && !others.contains(anchor->state.job)) {
            anchors.push_back(std::move(queued));
            continue;
        }
        if (const auto* start = std::get_if<scheduler::Start>(&queued.action)) others.insert(start->job);
        if (const auto* skip = std::get_if<scheduler::Skip>(&queued.action)) others.insert(skip->job);
        if (const auto* forget = std::get_if<scheduler::Forget>(&queued.action)) others.insert(forget->job);
        rest.push_back(std::move(queued));
    }
    actions = std::move(rest);
    return anchors;
}

}  // namespace

asio::awaitable<void> Dispatcher::act_first(std::vector<scheduler::Action> actions) {
    act(std::move(actions));
    if (!carries_out_) {
        co_await record_anchors();
        co_return;
    }
    // Two that take from the queue would lose what they take from each other.
    while (carries_out_ && !stuck_ && awaited_ > 0) co_await carried_out_.wait();
}

asio::awaitable<void> Dispatcher::settle() {
    co_await record_anchors();
}

asio::awaitable<std::exception_ptr> Dispatcher::record_anchors() {
    if (!anchors_added_) co_return nullptr;
    anchors_added_ = false;
    const auto anchors = take_leading_anchors(actions_);
    std::vector<catalog::JobState> states;
    states.reserve(anchors.size());
    for (const auto& queued : anchors) states.push_back(std::get<scheduler::Anchor>(queued.action).state);
    auto* catalog = core_.catalog.get();
    const auto put = [catalog, states] { catalog->put_job_states(states); };
    std::exception_ptr failure;
    try {
        if (!states.empty()) co_await async::run_blocking(core_.pool, put);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        actions_.insert(actions_.begin(), anchors.begin(), anchors.end());
        anchors_added_ = true;
    } else {
        for (const auto& queued : anchors)
            if (queued.awaited) --awaited_;
    }
    carried_out_.notify();
    co_return failure;
}

void Dispatcher::act(std::vector<scheduler::Action> actions) {
    std::set<std::string> starts;
    for (const auto& queued : actions_)
        if (const auto* start = std::get_if<scheduler::Start>(&queued.action)) starts.insert(start->job);
    for (auto& action : actions) {
        bool awaited = false;
        if (const auto* start = std::get_if<scheduler::Start>(&action)) starts.insert(start->job);
        if (const auto* anchor = std::get_if<scheduler::Anchor>(&action)) {
            anchors_added_ = true;
            awaited = !starts.contains(anchor->state.job);
            if (awaited) ++awaited_;
        }
        actions_.push_back({std::move(action), awaited});
    }
    added_.notify();
}

asio::awaitable<void> Dispatcher::carry_out(async::StopToken stop) {
    const CarryingOut carrying_out(carries_out_, carried_out_);
    for (;;) {
        while (!actions_.empty() && !core_.stopping) {
            // Where schedules begin comes first, in one transaction: whoever loaded them waits for that.
            auto failure = co_await record_anchors();
            std::shared_ptr<const scheduler::Action> action;
            if (!failure && !actions_.empty()) action = std::make_shared<scheduler::Action>(actions_.front().action);
            try {
                if (action) co_await carry_out_one(action);
            } catch (...) {
                failure = std::current_exception();
            }
            if (failure) {
                const auto error = base::to_error(failure).during("recording a schedule");
                if (!stuck_) core_.log.problem(Priority::error, error);
                stuck_ = may_pass(error);
                carried_out_.notify();
                if (stuck_) {
                    co_await async::sleep_for(recording_pause, stop);
                    continue;
                }
                if (action)
                    if (const auto* start = std::get_if<scheduler::Start>(action.get())) finished(start->job);
            } else if (stuck_) {
                stuck_ = false;
                core_.log.write(Priority::info, "schedules can be recorded again");
            }
            if (!actions_.empty()) {
                if (actions_.front().awaited) --awaited_;
                actions_.pop_front();
            }
            carried_out_.notify();
        }
        co_await added_.wait(stop);
    }
}

asio::awaitable<void> Dispatcher::carry_out_one(std::shared_ptr<const scheduler::Action> action) {
    auto* catalog = core_.catalog.get();
    auto& log = core_.log;
    if (const auto* start = std::get_if<scheduler::Start>(action.get())) {
        co_await start_scheduled(*start);
    } else if (const auto* skip = std::get_if<scheduler::Skip>(action.get())) {
        co_await record_skip(*skip);
    } else if (const auto* anchor = std::get_if<scheduler::Anchor>(action.get())) {
        const auto put_job_state = [catalog, state = anchor->state] { catalog->put_job_state(state); };
        co_await async::run_blocking(core_.pool, put_job_state);
    } else if (const auto* forget = std::get_if<scheduler::Forget>(action.get())) {
        const auto forget_job = [catalog, job = forget->job] { catalog->forget_job(job); };
        co_await async::run_blocking(core_.pool, forget_job);
    } else if (const auto* missed = std::get_if<scheduler::Missed>(action.get())) {
        log.write(Priority::warning,
                  fmt::format("{}: missed {}{} {}, the latest at {}", missed->job, missed->more ? "more than " : "",
                              missed->count, missed->count == 1 ? "fire" : "fires",
                              core_.people_time(missed->job, missed->latest)),
                  systemd::fire_missed, {{"PGBAKD_JOB", missed->job}});
        if (tell_missed_) tell_missed_(*missed);
    } else if (const auto* moved = std::get_if<scheduler::Moved>(action.get())) {
        log.write(Priority::info, moved->to ? fmt::format("{}: new time zone rules moved the next fire to {}",
                                                          moved->job, core_.people_time(moved->job, *moved->to))
                                            : moved->job + ": new time zone rules left no further fire");
    } else if (const auto* warning = std::get_if<scheduler::Warning>(action.get())) {
        log.problem(Priority::warning, {base::ErrorCode::internal, warning->message, warning->hint});
    }
}

asio::awaitable<void> Dispatcher::start_scheduled(scheduler::Start start) {
    const auto job = core_.config->job(start.job);
    if (!job) {
        finished(start.job);
        co_return;
    }
    const Starting starting(starting_, start.job);
    const auto trigger = !start.milestone.empty() ? model::Trigger::milestone
                         : start.catch_up         ? model::Trigger::catch_up
                                                  : model::Trigger::schedule;
    auto request = make_request(job, trigger, start.repeated ? std::nullopt : std::optional(start.slot));
    request.milestone = start.milestone;
    auto report = run::begin_report(request, core_.clock.now());
    auto* catalog = core_.catalog.get();
    // A repeated slot may have run before: it is a run without one.
    const auto take_slot = [catalog, start, report] {
        if (start.repeated) {
            catalog->begin_run(report);
            return true;
        }
        if (catalog->take_slot(start.state, start.slot, report)) return true;
        // The next start must not find it again.
        catalog->put_job_state(start.state);
        return false;
    };
    const bool taken = co_await async::run_blocking(core_.pool, take_slot);
    if (taken) {
        core_.runner->add(std::move(request), std::move(report));
        co_return;
    }
    core_.log.write(Priority::warning, fmt::format("{}: the fire of {} was settled before", start.job,
                                                   core_.people_time(start.job, start.slot)));
    finished(start.job);
}

// Settled and told as skipped in one step, as a slot is taken: a kill in between would make a fire vanish.
asio::awaitable<void> Dispatcher::record_skip(scheduler::Skip skip) {
    auto* catalog = core_.catalog.get();
    const auto told = tell_skip(skip, core_.people_time(skip.job, skip.slot));
    const auto job = core_.config->job(skip.job);
    std::optional<model::RunReport> report;
    if (job) {
        const auto trigger = skip.milestone.empty() ? model::Trigger::schedule : model::Trigger::milestone;
        report = run::begin_report(make_request(job, trigger, skip.slot), core_.clock.now());
        report->outcome = model::Outcome::skipped;
        report->finished_at = report->started_at;
        report->error = run::describe(told.error);
    }
    const auto record = [catalog, state = skip.state, slot = skip.slot, report] {
        if (report) return catalog->skip_slot(state, slot, *report);
        catalog->put_job_state(state);
        return true;
    };
    // What was told before, when a kill came before what stood in its way was settled, is not told again.
    const bool settled_now = co_await async::run_blocking(core_.pool, record);
    if (!settled_now) co_return;
    if (tell_skipped_) tell_skipped_(skip.job);
    const std::vector<Field> fields{{"PGBAKD_JOB", skip.job}};
    if (skip.milestone.empty()) {
        core_.log.write(Priority::warning, told.line, systemd::fire_missed, fields);
    } else {
        const base::Error line(told.error.code(), told.line, told.error.hint());
        core_.log.problem(Priority::warning, line, systemd::fire_missed, fields);
    }
    // Its file is left to write; the catalog has it.
    if (report) co_await run::record_skipped(*core_.services, *report, job->zone, told.error);
}

asio::awaitable<std::string> Dispatcher::start_by_hand(std::string name, std::optional<std::string> milestone) {
    if (milestone) model::check_name("milestone", *milestone).value();
    const auto trigger = milestone ? model::Trigger::milestone : model::Trigger::manual;
    return start_now(std::move(name), trigger, milestone.value_or(""));
}

asio::awaitable<std::string> Dispatcher::start_by_change(std::string name) {
    return start_now(std::move(name), model::Trigger::change, {});
}

asio::awaitable<std::string> Dispatcher::start_now(std::string name, model::Trigger trigger, std::string milestone) {
    const auto job = core_.config->job(name);
    if (!job) throw base::Error(unknown_job(*core_.config, name));
    if (core_.stopping) throw base::Error(base::ErrorCode::interrupted, "the daemon is stopping");
    if (core_.runner->is_running(name) || starting_.contains(name))
        throw base::Error(base::ErrorCode::conflict, fmt::format("a run of {} goes on already", name),
                          "wait for it (pgbakctl status), or end it: pgbakctl cancel RUN");
    const Starting starting(starting_, name);
    // Told before the disk is: a fire that comes meanwhile already sees a run of this job.
    core_.planner.on_started(name);
    auto request = make_request(job, trigger, std::nullopt);
    request.milestone = std::move(milestone);
    auto report = run::begin_report(request, core_.clock.now());
    auto* catalog = core_.catalog.get();
    const auto begin_run = [catalog, report] { catalog->begin_run(report); };
    std::exception_ptr failure;
    try {
        co_await async::run_blocking(core_.pool, begin_run);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        finished(name);
        std::rethrow_exception(failure);
    }
    const auto id = request.run.text();
    core_.runner->add(std::move(request), std::move(report));
    co_return id;
}

void Dispatcher::finished(const std::string& job) {
    act(core_.planner.on_finished(job, core_.now()));
    core_.driver->rearm();
}

run::Request Dispatcher::make_request(std::shared_ptr<const model::JobSpec> job, model::Trigger trigger,
                                      std::optional<base::Instant> slot) {
    std::array<std::byte, 10> random{};
    for (auto& byte : random) byte = static_cast<std::byte>(core_.services->random() & 0xffU);
    const auto& name = model::server_of(job->source);
    const auto server = name.empty() ? std::nullopt : std::optional(core_.config->servers.at(name));
    return {std::move(job), server, base::RunId::make(core_.clock.now(), random), trigger, slot};
}

}  // namespace pgbakd::service
