#include "offsite/keys.hpp"

#include <fmt/format.h>

#include "model/backup_set.hpp"

namespace pgbakd::offsite {

std::string key_of(const model::SetId& id, std::string_view file) {
    return fmt::format("{}/{}/{}", id.job, id.set, file);
}

std::string prefix_of(std::string_view job) {
    return fmt::format("{}/", job);
}

std::string prefix_of(const model::SetId& id) {
    return fmt::format("{}/{}/", id.job, id.set);
}

std::optional<ObjectName> parse_key(std::string_view key) {
    const auto slash = key.rfind('/');
    if (slash == std::string_view::npos || slash + 1 == key.size()) return std::nullopt;
    const auto id = model::SetId::parse(key.substr(0, slash));
    if (!id || !model::is_set_name(id->set)) return std::nullopt;
    return ObjectName{*id, std::string(key.substr(slash + 1))};
}

}  // namespace pgbakd::offsite
