// The arguments of a verb as they were given, by the names of the table of verbs.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "admin/failure.hpp"

namespace pgbakd::admin {

class Arguments {
  public:
    void put(const std::string& name, std::string value) { values_[name] = std::move(value); }

    [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
    [[nodiscard]] std::optional<std::string> find(const std::string& name) const {
        const auto found = values_.find(name);
        return found == values_.end() ? std::nullopt : std::optional(found->second);
    }
    // Of an argument that the table calls required.
    [[nodiscard]] const std::string& text(const std::string& name) const { return values_.at(name); }
    // A whole number between `least` and `most`; throws a usage error for anything else.
    [[nodiscard]] int number(const std::string& name, int otherwise, int least, int most) const;

  private:
    std::map<std::string, std::string> values_;
};

}  // namespace pgbakd::admin
