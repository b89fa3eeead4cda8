#include "offsite/targets.hpp"

#include <fmt/format.h>

namespace pgbakd::offsite {
namespace {

constexpr std::chrono::seconds closing_patience{5};

}  // namespace

Targets::Targets(Surroundings around)
    : around_(std::move(around)), limiter_(std::make_shared<target::RateLimiter>(around_.clock, 0)) {}

Targets::~Targets() {
    open_.clear();
    wait_for_closed_targets(closing_patience);
}

void Targets::configure(std::map<std::string, model::TargetSpec> specs, std::uint64_t upload_rate) {
    ++generation_;
    specs_ = std::move(specs);
    open_.clear();
    told_.clear();
    std::erase_if(meters_, [this](const auto& entry) { return !specs_.contains(entry.first); });
    limiter_->set_rate(upload_rate);
}

asio::awaitable<TargetPtr> Targets::open(std::string name) {
    if (const auto found = open_.find(name); found != open_.end()) co_return found->second;
    const auto spec = specs_.find(name);
    if (spec == specs_.end())
        throw base::Error(base::ErrorCode::not_found, fmt::format("there is no target \"{}\"", name),
                          "the configuration has none of that name");
    auto& meter = meters_[name];
    if (!meter) meter = std::make_shared<target::Meter>();
    const auto generation = generation_;
    const auto open_it = [copy = spec->second, around = around_, limiter = limiter_, meter = meter] {
        return open_target(copy, around, limiter, meter);
    };
    std::exception_ptr failure;
    TargetPtr target;
    try {
        target = co_await async::run_blocking(around_.pool, open_it);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(failure);
    if (generation == generation_) open_[name] = target;
    co_return target;
}

std::unique_ptr<Targets::Claim> Targets::claim(const std::string& target, const std::string& set) {
    auto what = std::pair(target, set);
    if (!claimed_.insert(what).second) return nullptr;
    return std::make_unique<Claim>(*this, std::move(what));
}

}  // namespace pgbakd::offsite
