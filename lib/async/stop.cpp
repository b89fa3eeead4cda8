#include "async/stop.hpp"

#include <utility>

namespace pgbakd::async {

StopToken::Registration::~Registration() {
    if (const auto state = state_.lock()) state->callbacks.erase(id_);
}

StopToken::Registration StopToken::on_stop(std::function<void()> callback) const {
    if (!state_) return {};
    if (state_->reason) {
        callback();
        return {};
    }
    const auto id = state_->next_id++;
    state_->callbacks.emplace(id, std::move(callback));
    return {state_, id};
}

StopSource::StopSource() : state_(std::make_shared<detail::StopState>()) {}

StopSource::StopSource(const StopToken& parent)
    : state_(std::make_shared<detail::StopState>()),
      parent_(parent.on_stop([child = std::weak_ptr(state_), origin = std::weak_ptr(parent.state_)] {
          const auto state = child.lock();
          const auto from = origin.lock();
          if (state && from && from->reason) stop_state(state, *from->reason);
      })) {}

void StopSource::stop(base::Error reason) {
    stop_state(state_, std::move(reason));
}

void StopSource::stop_state(const std::shared_ptr<detail::StopState>& state, base::Error reason) {
    if (state->reason) return;
    state->reason = std::move(reason);
    // A callback may unregister others: each is taken out before it is called.
    while (!state->callbacks.empty()) {
        auto node = state->callbacks.extract(state->callbacks.begin());
        node.mapped()();
    }
}

}  // namespace pgbakd::async
