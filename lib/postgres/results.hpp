// What stands in an answer of libpq. For this folder only.
#pragma once

#include "postgres/failure.hpp"
#include "postgres/session.hpp"

struct pg_result;

namespace pgbakd::postgres {

// Appends the answer's rows; returns how many bytes they have.
std::size_t append_rows(Rows& rows, const pg_result* result);
// What the server says of a failure.
[[nodiscard]] ServerAnswer answer_of(const pg_result* result);

}  // namespace pgbakd::postgres
