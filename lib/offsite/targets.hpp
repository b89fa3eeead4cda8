// The targets of a configuration, opened when they are first needed.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "async/pool.hpp"
#include "base/clock.hpp"
#include "model/target.hpp"
#include "target/meter.hpp"
#include "target/rate.hpp"
#include "target/target.hpp"

namespace pgbakd::offsite {

struct Surroundings {
    asio::any_io_executor executor;
    async::Pool& pool;
    const base::Clock& clock;
    std::function<std::uint64_t()> random;
    std::function<base::Secret(const model::SecretReference&)> secret;  // resolves one; may block
    std::string search_path;                                            // PATH, for rclone
    std::filesystem::path runtime_directory;  // for files that live as long as a target is open
    // Told that the target of that name has stalled for so long that it is tried again: once, until something succeeds
    // there. May be empty.
    std::function<void(const std::string& name, const base::Error& why)> on_stall{};
};

using TargetPtr = std::shared_ptr<target::Target>;

// Opens one: reads its secrets, finds its program; speaks to nobody. Retries, the rate limit and the meter are in it.
// Blocks for files. Errors: invalid_configuration, not_found for a secret, client_missing.
[[nodiscard]] TargetPtr open_target(const model::TargetSpec& spec, const Surroundings& around,
                                    std::shared_ptr<target::RateLimiter> limiter, std::shared_ptr<target::Meter> meter);

// Targets are closed by threads of their own, which need what the end of the process takes away (libcurl, OpenSSL):
// waits for them. False: one is still not closed after that time, for its mount's server is away.
bool wait_for_closed_targets(std::chrono::milliseconds patience);

// Reactor thread only.
class Targets {
  public:
    explicit Targets(Surroundings around);
    Targets(const Targets&) = delete;
    Targets& operator=(const Targets&) = delete;
    // Waits a little for those that nobody uses any more to be closed.
    ~Targets();

    // After a (re)load: targets are opened anew, with secrets read again; uploads under way go on with what they have.
    void configure(std::map<std::string, model::TargetSpec> specs, std::uint64_t upload_rate);
    [[nodiscard]] bool has(const std::string& name) const { return specs_.contains(name); }
    // Errors: those of open_target(); it is tried anew each time. Whoever tells of one names the target.
    [[nodiscard]] asio::awaitable<TargetPtr> open(std::string name);
    [[nodiscard]] const std::map<std::string, std::shared_ptr<target::Meter>>& meters() const noexcept {
        return meters_;
    }
    // Whether nobody has told of that on that target since the configuration was loaded; from then on somebody has.
    [[nodiscard]] bool first_to_tell(const std::string& target, const std::string& what) {
        return told_.emplace(target, what).second;
    }
    [[nodiscard]] const Surroundings& around() const noexcept { return around_; }

    // One copy is sent by one coroutine at a time. Held until it is destroyed; empty if somebody has it.
    class Claim;
    [[nodiscard]] bool is_claimed(const std::string& target, const std::string& set) const {
        return claimed_.contains({target, set});
    }
    [[nodiscard]] std::unique_ptr<Claim> claim(const std::string& target, const std::string& set);

  private:
    Surroundings around_;
    std::map<std::string, model::TargetSpec> specs_;
    std::map<std::string, TargetPtr> open_;
    std::map<std::string, std::shared_ptr<target::Meter>> meters_;
    std::shared_ptr<target::RateLimiter> limiter_;
    std::set<std::pair<std::string, std::string>> claimed_;
    std::set<std::pair<std::string, std::string>> told_;
    std::uint64_t generation_ = 0;
};

class Targets::Claim {
  public:
    Claim(Targets& targets, std::pair<std::string, std::string> what) : targets_(targets), what_(std::move(what)) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() { targets_.claimed_.erase(what_); }

  private:
    Targets& targets_;
    std::pair<std::string, std::string> what_;
};

}  // namespace pgbakd::offsite
