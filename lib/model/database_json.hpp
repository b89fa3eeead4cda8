// Inside this folder only: the databases of a manifest, printed and read back.
#pragma once

#include <boost/json.hpp>

#include "model/backup_set.hpp"
#include "model/json_reader.hpp"

namespace pgbakd::model {

[[nodiscard]] boost::json::object json_database(const DatabaseFacts& facts);
[[nodiscard]] DatabaseFacts read_database(const JsonReader& reader);

}  // namespace pgbakd::model
