// Who tells an alert, and when: what all of them need of the daemon.
#pragma once

#include <string>

#include "health/alerts.hpp"
#include "service/core.hpp"

namespace pgbakd::service {

[[nodiscard]] std::string new_alert_id(const Core& core);
// In the name of this host, now.
[[nodiscard]] health::Teller teller_of(const Core& core);
// What `test-alert` sends.
[[nodiscard]] model::Alert test_alert(const Core& core);

}  // namespace pgbakd::service
