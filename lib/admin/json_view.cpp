#include "admin/json_view.hpp"

#include <cmath>

#include "model/json.hpp"

namespace pgbakd::admin {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

double number_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return 0;
    if (value->is_double()) return value->get_double();
    if (value->is_int64()) return static_cast<double>(value->get_int64());
    if (value->is_uint64()) return static_cast<double>(value->get_uint64());
    return 0;
}

std::uint64_t count_at(const json::object& object, std::string_view key) {
    const auto number = number_at(object, key);
    return number > 0 && number < 0x1p63 ? static_cast<std::uint64_t>(number) : 0;
}

bool is_true_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<base::Instant> time_at(const json::object& object, std::string_view key) {
    const auto time = model::parse_time(text_at(object, key));
    return time ? std::optional(base::to_instant(*time)) : std::nullopt;
}

const json::object& as_object(const json::value& value) {
    static const json::object none;
    return value.is_object() ? value.get_object() : none;
}

const json::object& object_at(const json::object& object, std::string_view key) {
    static const json::object none;
    const auto* value = object.if_contains(key);
    return value != nullptr ? as_object(*value) : none;
}

const json::array& list_at(const json::object& object, std::string_view key) {
    static const json::array none;
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_array() ? value->get_array() : none;
}

}  // namespace pgbakd::admin
