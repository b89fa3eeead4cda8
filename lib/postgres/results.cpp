#include "postgres/results.hpp"

#include <libpq-fe.h>

#include <utility>

namespace pgbakd::postgres {

std::size_t append_rows(Rows& rows, const pg_result* result) {
    std::size_t bytes = 0;
    const int columns = PQnfields(result);
    for (int row = 0; row < PQntuples(result); ++row) {
        Row values;
        values.reserve(static_cast<std::size_t>(columns));
        for (int column = 0; column < columns; ++column) {
            if (PQgetisnull(result, row, column) != 0) {
                values.emplace_back();
                continue;
            }
            const auto length = static_cast<std::size_t>(PQgetlength(result, row, column));
            values.emplace_back(std::in_place, PQgetvalue(result, row, column), length);
            bytes += length;
        }
        rows.push_back(std::move(values));
    }
    return bytes;
}

ServerAnswer answer_of(const pg_result* result) {
    const auto field = [result](int code) -> std::string {
        const char* text = PQresultErrorField(result, code);
        return text == nullptr ? "" : text;
    };
    ServerAnswer answer{field(PG_DIAG_SQLSTATE), field(PG_DIAG_MESSAGE_PRIMARY), field(PG_DIAG_MESSAGE_DETAIL)};
    if (answer.message.empty()) answer.message = PQresultErrorMessage(result);
    return answer;
}

}  // namespace pgbakd::postgres
