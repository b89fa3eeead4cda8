#include "service/status_text.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "model/json.hpp"
#include "service/status_report.hpp"

namespace pgbakd::service {

std::shared_ptr<const StatusText::Made> StatusText::make(const Key& key, const Fires& fires, const Made* before) {
    std::unordered_map<std::string_view, std::vector<const model::Finding*>> findings;
    for (const auto& finding : key.concerns->findings)
        if (!finding.key.job.empty()) findings[finding.key.job].push_back(&finding);
    const bool same_findings = before != nullptr && before->concerns == key.concerns;
    static const auto nothing = std::make_shared<const JobFacts>();
    const auto& jobs = key.config->jobs;
    auto made = std::make_shared<Made>();
    made->concerns = key.concerns;
    made->entries.reserve(jobs.size());
    std::vector<OwedCopy> owed;
    std::string text = R"("jobs":[)";
    if (before != nullptr) text.reserve(before->text->size() + before->text->size() / 10);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const auto& name = jobs[i]->name;
        const bool in_order = i < key.facts->jobs().size() && key.facts->jobs()[i] == name;
        const auto found = in_order ? key.facts->of(i) : key.facts->find(name);
        const auto fire = fires.find(name);
        Entry entry{jobs[i], found ? found : nothing, std::nullopt, {}};
        if (fire != fires.end()) entry.next = fire->second;
        const auto* old = before != nullptr && i < before->entries.size() ? &before->entries[i] : nullptr;
        if (same_findings && old != nullptr && old->job == entry.job && old->facts == entry.facts &&
            old->next == entry.next)
            entry.text = old->text;
        else
            entry.text =
                std::make_shared<const std::string>(job_text(*entry.job, *entry.facts, entry.next, findings[name]));
        if (i > 0) text += ',';
        text += *entry.text;
        owed.insert(owed.end(), entry.facts->owed.begin(), entry.facts->owed.end());
        made->entries.push_back(std::move(entry));
    }
    const auto owed_total = owed.size();
    boost::json::array all_findings;
    for (const auto& finding : key.concerns->findings) all_findings.push_back(finding_json(finding));
    fmt::format_to(std::back_inserter(text),
                   R"(],"findings":{},"owed":{},"owed_total":{},"places":{}}})"
                   "\n",
                   model::compact(all_findings), model::compact(owed_json(std::move(owed))), owed_total,
                   model::compact(places_json(*key.config, *key.facts)));
    made->text = std::make_shared<const std::string>(std::move(text));
    return made;
}

StatusText::Key StatusText::key(FactsPtr facts, ConcernsPtr concerns) const {
    return {std::move(facts), std::move(concerns), core_.config, core_.planner.next_wake()};
}

asio::awaitable<Text> StatusText::text(FactsPtr facts, ConcernsPtr concerns, async::StopToken stop) {
    for (;;) {
        auto wanted = key(facts, concerns);
        const auto now = core_.clock.steady();
        if (made_last_ && wanted == key_) {
            right_at_ = now;
            co_return made_last_->text;
        }
        const bool many = wanted.config == key_.config && wanted.config->jobs.size() > Overview::few_jobs;
        if (made_last_ && many && now - right_at_ < 3 * Overview::moment) {
            asked_ = std::move(wanted);
            if (now - made_at_ >= Overview::moment) wanted_.notify();
            co_return made_last_->text;
        }
        if (making_) {
            co_await made_.wait(stop);
            continue;
        }
        co_await remake(std::move(wanted));
        co_return made_last_->text;
    }
}

asio::awaitable<void> StatusText::keep(async::StopToken stop) {
    for (;;) {
        co_await wanted_.wait(stop);
        if (making_ || asked_.config != core_.config) continue;
        auto wanted = asked_;
        try {
            co_await remake(std::move(wanted));
        } catch (const std::exception&) {
            stop.check();  // there was no memory for it: the next who asks makes another attempt
        }
    }
}

asio::awaitable<void> StatusText::remake(Key wanted) {
    making_ = true;
    if (!fires_ || wanted.config != key_.config || wanted.wake != key_.wake) {
        auto next = std::make_shared<Fires>();
        for (auto& fire : core_.planner.upcoming(wanted.config->jobs.size()))
            next->emplace(std::move(fire.job), fire.at);
        fires_ = std::move(next);
    }
    const auto fires = fires_;
    const auto before = made_last_;
    const auto work = [wanted, fires, before] { return make(wanted, *fires, before.get()); };
    std::exception_ptr failure;
    try {
        made_last_ = co_await async::run_blocking(core_.pool, work);
        key_ = wanted;
        made_at_ = right_at_ = core_.clock.steady();
    } catch (...) {
        failure = std::current_exception();
    }
    making_ = false;
    made_.notify();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace pgbakd::service
