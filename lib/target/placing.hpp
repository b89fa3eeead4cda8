// What some uploads can tell besides of a finish() that threw.
#pragma once

#include "target/target.hpp"

namespace pgbakd::target {

class Placing {
  public:
    Placing() = default;
    Placing(const Placing&) = delete;
    Placing& operator=(const Placing&) = delete;
    virtual ~Placing() = default;
    // Whether it is known that this upload has put the object under its key, so that what lies there is its own,
    // whatever it has become. False where that is not certain.
    [[nodiscard]] virtual bool has_placed() const noexcept = 0;
};

// The same of any upload: false where it cannot tell.
[[nodiscard]] inline bool has_placed(const Upload& upload) noexcept {
    const auto* placing = dynamic_cast<const Placing*>(&upload);
    return placing != nullptr && placing->has_placed();
}

}  // namespace pgbakd::target
