// Lenient looks into the daemon's answers: a newer or an older daemon may leave keys out, and a tool that only prints
// them should not mind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {

// Empty where there is no text. As it was sent: printable() it.
[[nodiscard]] std::string text_at(const boost::json::object& object, std::string_view key);
[[nodiscard]] std::uint64_t count_at(const boost::json::object& object, std::string_view key);  // 0 for none
[[nodiscard]] double number_at(const boost::json::object& object, std::string_view key);        // 0 for none
[[nodiscard]] bool is_true_at(const boost::json::object& object, std::string_view key);
[[nodiscard]] std::optional<base::Instant> time_at(const boost::json::object& object, std::string_view key);
// The object or list of that key; an empty one where there is none.
[[nodiscard]] const boost::json::object& object_at(const boost::json::object& object, std::string_view key);
[[nodiscard]] const boost::json::array& list_at(const boost::json::object& object, std::string_view key);
[[nodiscard]] const boost::json::object& as_object(const boost::json::value& value);

}  // namespace pgbakd::admin
