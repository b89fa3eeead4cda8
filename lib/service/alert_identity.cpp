#include "service/alert_identity.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>

#include "host/identity.hpp"

namespace pgbakd::service {

std::string new_alert_id(const Core& core) {
    std::array<std::byte, 10> random{};
    const std::array<std::uint64_t, 2> numbers{host::random_number(), host::random_number()};
    const auto bytes = std::as_bytes(std::span(numbers));
    std::copy_n(bytes.begin(), random.size(), random.begin());
    return base::RunId::make(core.clock.now(), random).text();
}

health::Teller teller_of(const Core& core) {
    return {core.services->hostname, core.clock.now(), [&core] { return new_alert_id(core); }};
}

model::Alert test_alert(const Core& core) {
    model::Alert alert;
    alert.id = new_alert_id(core);
    alert.kind = model::AlertKind::test;
    alert.severity = model::Severity::info;
    alert.at = core.clock.now();
    alert.host = core.services->hostname;
    alert.title = "a test of this channel";
    alert.message = "somebody asked pgbakd whether its alerts arrive: they do";
    return alert;
}

}  // namespace pgbakd::service
