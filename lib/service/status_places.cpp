// The places of `status`: what is kept where, and by which rules.
#include <array>
#include <boost/json.hpp>

#include "model/json.hpp"
#include "service/status_report.hpp"

namespace pgbakd::service {
namespace {

using Rule = std::pair<std::string_view, std::optional<int> model::RetentionPolicy::*>;
constexpr std::array rules{
    Rule{"last", &model::RetentionPolicy::last},     Rule{"days", &model::RetentionPolicy::days},
    Rule{"weeks", &model::RetentionPolicy::weeks},   Rule{"daily", &model::RetentionPolicy::daily},
    Rule{"weekly", &model::RetentionPolicy::weekly}, Rule{"monthly", &model::RetentionPolicy::monthly},
    Rule{"yearly", &model::RetentionPolicy::yearly}};

// How many jobs are kept by which rules: most often all by the same.
class Rules {
  public:
    void add(const model::RetentionPolicy& policy) {
        Numbers numbers{};
        for (std::size_t i = 0; i < rules.size(); ++i) numbers[i] = policy.*rules[i].second;
        numbers.back() = policy.at_least;
        ++jobs_[numbers];
        ++all_;
    }
    [[nodiscard]] std::uint64_t jobs() const noexcept { return all_; }
    [[nodiscard]] boost::json::array json() const {
        boost::json::array list;
        for (const auto& [numbers, jobs] : jobs_) {
            boost::json::object named;
            for (std::size_t i = 0; i < rules.size(); ++i)
                if (numbers[i]) named[rules[i].first] = *numbers[i];
            named["at_least"] = *numbers.back();
            list.push_back({{"rules", std::move(named)}, {"jobs", jobs}});
        }
        return list;
    }

  private:
    using Numbers = std::array<std::optional<int>, rules.size() + 1>;
    std::map<Numbers, std::uint64_t> jobs_;
    std::uint64_t all_ = 0;
};

struct Where {
    std::string address, bucket;
};
Where where(const model::DirectoryPlace& place) {
    return {place.path.string(), {}};
}
Where where(const model::SftpPlace& place) {
    return {"sftp://" + place.host + "/" + place.path, {}};
}
Where where(const model::RclonePlace& place) {
    return {place.remote, {}};
}
Where where(const model::S3Place& place) {
    return {"s3://" + place.bucket + (place.prefix.empty() ? "" : "/" + place.prefix), place.bucket};
}

boost::json::object place_json(std::string_view name, std::string_view type, const Where& where,
                               const std::optional<PlaceTotal>& total, const Rules& kept_by) {
    const auto number = [&total](std::uint64_t PlaceTotal::*member) {
        return total ? boost::json::value((*total).*member) : boost::json::value(nullptr);
    };
    return {{"place", name},
            {"type", type},
            {"where", model::json_text(where.address)},
            {"bucket", model::json_text_or_null(where.bucket)},
            {"jobs", kept_by.jobs()},
            {"count", number(&PlaceTotal::sets)},
            {"bytes", number(&PlaceTotal::bytes)},
            {"retention", kept_by.json()}};
}

void add(PlaceTotal& sum, const PlaceTotal& one) {
    sum.sets += one.sets;
    sum.bytes += one.bytes;
}

}  // namespace

boost::json::array places_json(const config::Config& config, const Facts& facts) {
    Rules local_rules;
    std::map<std::string, Rules> target_rules;
    for (const auto& job : config.jobs) {
        if (job->keep_local != model::KeepLocal::never) local_rules.add(job->local_retention);
        for (const auto& [target, policy] : job->target_retention) target_rules[target].add(policy);
    }
    std::optional<PlaceTotal> local = PlaceTotal{};
    std::map<std::string, PlaceTotal> totals;
    if (facts.jobs().size() != config.jobs.size()) local.reset();
    for (std::size_t i = 0; i < facts.jobs().size(); ++i) {
        const auto& job = *facts.of(i);
        // One job that is not counted yet, and the total is not known.
        if (!job.local)
            local.reset();
        else if (local)
            add(*local, *job.local);
        for (const auto& [target, total] : job.targets) add(totals[target], total);
    }
    boost::json::array list;
    const Where here{config.repository.directory.string(), {}};
    list.push_back(place_json(local_place, "repository", here, local, local_rules));
    for (const auto& [name, target] : config.targets) {
        const auto place = std::visit([](const auto& each) { return where(each); }, target.place);
        list.push_back(place_json(name, model::type_text(target), place, totals[name], target_rules[name]));
    }
    return list;
}

}  // namespace pgbakd::service
