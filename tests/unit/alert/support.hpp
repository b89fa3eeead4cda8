// Values that the tests of lib/alert share.
#pragma once

#include "model/alert.hpp"
#include "model/channel.hpp"
#include "model/json.hpp"
#include "support/common.hpp"

namespace alerts {

inline pgbakd::base::Timestamp at(std::string_view text) {
    return pgbakd::model::parse_time(text).value();
}

inline pgbakd::model::Alert failed(const std::string& job = "shop-daily") {
    pgbakd::model::Alert alert;
    alert.id = "01JHAF7Z8QZX3M5N7P9RATCVEW";
    alert.kind = pgbakd::model::AlertKind::run_failed;
    alert.severity = pgbakd::model::Severity::critical;
    alert.at = at("2026-01-12T16:00:01.250Z");
    alert.host = "db1";
    alert.job = job;
    alert.run = "01JHAF7Z8QZX3M5N7P9RATCVEZ";
    alert.title = job + " failed";
    alert.message = "pg_dump: no such database";
    alert.hint = "create it";
    return alert;
}

inline pgbakd::model::Alert finding(pgbakd::model::AlertKind kind, const std::string& name = "too_old",
                                    const std::string& place = "r2") {
    auto alert = failed();
    alert.kind = kind;
    alert.finding = name;
    alert.place = place;
    return alert;
}

}  // namespace alerts
