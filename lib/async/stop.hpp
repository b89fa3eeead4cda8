// Asking work to stop, with the reason. A source stops its tokens; a source made from a parent's token stops with it.
// Reactor thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/error.hpp"

namespace pgbakd::async {

namespace detail {
struct StopState {
    std::optional<base::Error> reason;
    std::uint64_t next_id = 0;
    std::map<std::uint64_t, std::function<void()>> callbacks;
};
}  // namespace detail

class StopToken {
  public:
    // A token that is never stopped.
    StopToken() = default;

    [[nodiscard]] bool stopped() const noexcept { return state_ && state_->reason; }
    // Only when stopped.
    [[nodiscard]] const base::Error& reason() const { return *state_->reason; }
    // Throws the reason when stopped: the first thing a wait does, and the first after it was woken.
    void check() const {
        if (stopped()) throw base::Error(reason());
    }

    // Keeps a callback registered while it lives.
    class Registration {
      public:
        Registration() = default;
        Registration(std::weak_ptr<detail::StopState> state, std::uint64_t id) : state_(std::move(state)), id_(id) {}
        Registration(Registration&& other) noexcept : state_(std::move(other.state_)), id_(other.id_) {
            other.state_.reset();
        }
        Registration& operator=(Registration&&) = delete;
        ~Registration();

      private:
        std::weak_ptr<detail::StopState> state_;
        std::uint64_t id_ = 0;
    };
    // Calls `callback` once when the token is stopped; at once if it is already.
    [[nodiscard]] Registration on_stop(std::function<void()> callback) const;

  private:
    friend class StopSource;
    explicit StopToken(std::shared_ptr<detail::StopState> state) : state_(std::move(state)) {}
    std::shared_ptr<detail::StopState> state_;
};

class StopSource {
  public:
    StopSource();
    explicit StopSource(const StopToken& parent);
    StopSource(StopSource&&) = delete;
    StopSource& operator=(StopSource&&) = delete;
    ~StopSource() = default;

    [[nodiscard]] StopToken token() const { return StopToken(state_); }
    // The first reason wins; later calls do nothing.
    void stop(base::Error reason);
    [[nodiscard]] bool stopped() const noexcept { return state_->reason.has_value(); }

  private:
    static void stop_state(const std::shared_ptr<detail::StopState>& state, base::Error reason);
    std::shared_ptr<detail::StopState> state_;
    StopToken::Registration parent_;
};

}  // namespace pgbakd::async
