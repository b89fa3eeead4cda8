// What people and scripts read: errors with their hints, JSON documents, colour.
#pragma once

#include <string>
#include <string_view>

#include "admin/context.hpp"
#include "admin/failure.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {

enum class Style { plain, strong, faint, good, warning, bad };

// `text` with the terminal's codes around it, or as it is without colour.
[[nodiscard]] std::string styled(std::string_view text, Style style, bool colour);

// One document, indented, on `out`.
void print_json(Context& context, const boost::json::value& document);

// "pgbakctl: <message>" and "  hint: …" on `err`, problems of a configuration before them; with --json the same as one
// document on `out`.
void tell(Context& context, const Failure& failure);
// Something worth knowing that is no failure, on `err`.
void remark(Context& context, const base::Error& error);

[[nodiscard]] boost::json::object json_problem(const config::Problem& problem);

// "1 set", "12 sets"
[[nodiscard]] std::string counted(std::size_t number, std::string_view noun);

}  // namespace pgbakd::admin
