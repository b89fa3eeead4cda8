// What the verbs on sets share: the repository of a configuration, what later checks found, and whose job's it is.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/context.hpp"
#include "admin/output.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "repository/repository.hpp"
#include "retention/plan.hpp"

namespace pgbakd::admin {

// The catalog for reading. Null where no daemon ever ran; null with a remark where it cannot be read, since sets are
// known without it.
[[nodiscard]] std::unique_ptr<catalog::Catalog> open_history(Context& context, const config::Config& config);

// A set as it is shown: what lies on disk, what a later check found, what retention says.
struct ShownSet {
    repository::StoredSet stored;
    std::optional<catalog::SetState> state;
    std::optional<retention::Decision> decision;  // none: its job is not in the configuration, nothing prunes it
    std::vector<catalog::Copy> copies;            // on targets, those owed included
    bool local = true;                            // false: only targets have it, and the catalog knows

    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] model::Verification verified() const;
    // Empty: nothing is wrong with it. Else "corrupt: …", "cannot be read: …" or "incomplete: …".
    [[nodiscard]] std::string fault() const;
    [[nodiscard]] std::string keep_reason() const;
};
// Those of the repository and those that only targets have, newest first; of one job or of all.
[[nodiscard]] std::vector<ShownSet> shown_sets(Context& context, const config::Config& config,
                                               const std::optional<std::string>& job);
inline constexpr std::string_view kept_without_job = "its job is not in the configuration: nothing deletes it";
[[nodiscard]] boost::json::object json_shown_set(const ShownSet& set);

// The zone in which times of that set are shown: its job's, else the one its manifest names, else UTC.
[[nodiscard]] calendar::ZonePtr zone_of(Context& context, const config::Config& config, const model::BackupSet& set);

// SET as it was given, "job/latest" resolved. Usage error for what is no set's name, not_found for one that is none.
[[nodiscard]] repository::StoredSet find_set(Context& context, const config::Config& config, const std::string& text);

// A set wherever it is: in the repository, and on the targets of which the catalog knows that they have it.
struct PlacedSet {
    model::SetId id;
    std::optional<repository::StoredSet> stored;
    std::vector<catalog::Copy> copies;  // none that is owed
};
// As find_set(), for a set that may be on targets alone; "job/latest" is the newest good one in any place.
[[nodiscard]] PlacedSet place_set(Context& context, const config::Config& config, const std::string& text);

// The job's lock; throws a Failure (busy) that tells who holds it.
[[nodiscard]] os::FileLock lock_job(const repository::Repository& repository, const std::string& job,
                                    const std::string& what);

}  // namespace pgbakd::admin
