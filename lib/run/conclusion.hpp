// How a run ends: its outcome, the line that tells it, and the record that stays.
#pragma once

#include <string>

#include "run/services.hpp"

namespace pgbakd::run {

[[nodiscard]] model::ErrorReport describe(const base::Error& error);

// What ended the run, as the outcome it has. A conflict is a reason to skip only if `held_by_other`: another run holds
// the job.
[[nodiscard]] model::Outcome outcome_of(const base::Error& error, bool held_by_other) noexcept;

[[nodiscard]] Event::Kind conclusion_kind(model::Outcome outcome) noexcept;
// "succeeded in 3 s: job/20260113_000001". `missing`: how many parts an incomplete set lacks.
[[nodiscard]] std::string conclusion_text(const model::RunReport& report, std::size_t missing);

// Writes the report's file, then the catalog. The set is what counts: a report that cannot be written is told, and
// changes no outcome; one that the catalog does not take goes to Services::not_recorded.
asio::awaitable<void> keep_report(Services& services, model::RunReport& report, calendar::ZonePtr zone);

}  // namespace pgbakd::run
