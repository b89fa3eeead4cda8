// Takes a changed configuration over, or refuses it as a whole; and the same configuration under new time zone rules.
#pragma once

#include "async/event.hpp"
#include "service/alert_sender.hpp"
#include "service/change_watch.hpp"
#include "service/control_routes.hpp"
#include "service/copy_sender.hpp"
#include "service/core.hpp"
#include "service/dispatcher.hpp"
#include "service/health_watch.hpp"
#include "service/network_server.hpp"

namespace pgbakd::service {

class Reloader {
  public:
    Reloader(Core& core, Dispatcher& dispatcher, CopySender& sender, NetworkServer& network, AlertSender& alerts,
             HealthWatch& health, ChangeWatch& changes)
        : core_(core),
          dispatcher_(dispatcher),
          sender_(sender),
          network_(network),
          alerts_(alerts),
          health_(health),
          changes_(changes),
          ended_(core.io.get_executor()) {}

    // Reads the files again. When this returns, where new and edited schedules begin is on the disk. Anything wrong:
    // the old configuration stays in force, and the verdict and the log say why. While another one goes on, which may
    // have read the files before they were changed again, it waits for its turn. Error: interrupted (the daemon stops).
    asio::awaitable<ReloadVerdict> reload();

    // The time zone files may have changed (behaviour of an updated tzdata): each zone that a job goes by is read
    // again, and fires that moved are logged. A file that cannot be used leaves the old rules in force, with a warning.
    // False, and nothing done, while a reload goes on: it may have read a zone before the change, so ask again.
    asio::awaitable<bool> read_zones_again();

  private:
    asio::awaitable<ReloadVerdict> load_again();
    asio::awaitable<void> apply(ConfigPtr config, base::Secret token);
    asio::awaitable<void> know_targets();

    Core& core_;
    Dispatcher& dispatcher_;
    CopySender& sender_;
    NetworkServer& network_;
    AlertSender& alerts_;
    HealthWatch& health_;
    ChangeWatch& changes_;
    bool reloading_ = false;
    async::Event ended_;
};

}  // namespace pgbakd::service
