// Alerts as a mail (RFC 5322, MIME). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/alert.hpp"

namespace pgbakd::alert {

// From and to are addresses without control characters. Lines end in CR LF and have at most 76 characters, but for
// addresses; no text of an alert can begin a header. Several alerts are one mail, the most severe first. The Message-ID
// is made of the last alert's id: a mail that is sent again bears the same.
[[nodiscard]] std::string mail_message(const std::vector<model::Alert>& alerts, const std::string& from,
                                       const std::vector<std::string>& to, base::Timestamp now);

// An unstructured header with its name: "Subject: …", folded; text beyond ASCII, and whatever could be taken for more
// than text, as encoded words (RFC 2047). With its line end.
[[nodiscard]] std::string mail_header(std::string_view name, std::string_view text);

// RFC 2045, 6.7, of text whose lines end in "\n"; its own end in CR LF.
[[nodiscard]] std::string quoted_printable(std::string_view text);

// "Mon, 12 Jan 2026 16:00:01 +0000" (RFC 5322, 3.3)
[[nodiscard]] std::string mail_date(base::Timestamp time);

}  // namespace pgbakd::alert
