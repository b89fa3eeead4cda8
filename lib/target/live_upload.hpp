// The unfinished uploads that this process works on: nobody sweeps them, whatever a clock says of their age.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace pgbakd::target {

// Safe on any thread. Names are those of upload_name(), which no two uploads share wherever they are: a target that is
// opened again knows what the one before it has under way.
class LiveUpload {
  public:
    explicit LiveUpload(std::string name);
    LiveUpload(const LiveUpload&) = delete;
    LiveUpload& operator=(const LiveUpload&) = delete;
    ~LiveUpload();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] static bool is_live(std::string_view name);

  private:
    std::string name_;
};

// What is older may be swept. Ages are the place's: `older_than` is meant by this host's clock, which says `here` while
// the place's own says `there` (the epoch: it does not tell), and where the two differ the earlier instant holds.
[[nodiscard]] constexpr base::Timestamp sweep_limit(base::Timestamp older_than, base::Timestamp here,
                                                    base::Timestamp there) noexcept {
    return there == base::Timestamp() ? older_than : std::min(older_than, older_than + (there - here));
}

}  // namespace pgbakd::target
