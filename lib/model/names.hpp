// The names of things: which are allowed, how they become file names, and how a set is named.
#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "calendar/zone.hpp"

namespace pgbakd::model {

// Jobs, servers, targets, channels: 1–63 characters of [A-Za-z0-9_.-], beginning with a letter or digit.
[[nodiscard]] base::Status check_name(std::string_view what, std::string_view name);

// A database's name as a file name: characters outside [A-Za-z0-9_.-] (and a leading "." or "-") become %XX, upper-case
// hex of each byte; "%" itself too, so two names never collide. "globals" becomes "%67lobals", since the plain word
// names the cluster's global objects. At most 3 × 63 bytes.
[[nodiscard]] std::string file_name_of_database(std::string_view database);

// "20260113_000001": the start of a run in the job's zone. A milestone's name stands behind it: "20260113_000001_mvp".
[[nodiscard]] std::string set_name(base::Instant started_at, const calendar::Zone& zone,
                                   std::string_view milestone = {});
// Set names this program makes: YYYYMMDD_HHMMSS, with "_<milestone>" or "-N" (a second set of one second) behind.
[[nodiscard]] bool is_set_name(std::string_view name) noexcept;

// A set's name without the number that tells it from others of its second, and that number: {"20260113_000001", 2} of
// "20260113_000001-2"; 1 where it bears none.
struct NumberedName {
    std::string_view stem;
    int number = 1;
};
[[nodiscard]] NumberedName split_number(std::string_view set) noexcept;

// A set among all jobs: "shop-daily/20260113_000001".
struct SetId {
    std::string job;
    std::string set;
    // clang-tidy 14 takes the 0 that a defaulted comparison hides for a null pointer.
    auto operator<=>(const SetId&) const = default;  // NOLINT(modernize-use-nullptr)
    [[nodiscard]] std::string text() const { return job + "/" + set; }
    // Also "job/latest", which the caller resolves. Errors: invalid_argument.
    [[nodiscard]] static base::Result<SetId> parse(std::string_view text);
};

// What orders sets that began at the same instant: numbers as numbers, so that "-10" comes behind "-9". A view of `id`.
using NameOrder = std::tuple<std::string_view, std::string_view, int, std::string_view>;
[[nodiscard]] NameOrder name_order(const SetId& id) noexcept;

}  // namespace pgbakd::model
