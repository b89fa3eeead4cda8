// Reads the members of a JSON object strictly: a wrong type, range or text is an Error (corrupt) that names the path.
// It throws inside this folder; parse_manifest and parse_report turn that into their Result.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/backup_set.hpp"

namespace pgbakd::model {

class JsonReader {
  public:
    // `value` must be an object and outlive the reader; `path` names it in errors ("manifest.artifacts[3]").
    JsonReader(const boost::json::value& value, std::string path);

    // A text that must be there. The *_or forms take a member that is absent or null for the default.
    [[nodiscard]] std::string text(std::string_view key) const;
    [[nodiscard]] std::string text_or_empty(std::string_view key) const;
    [[nodiscard]] std::uint64_t count_or(std::string_view key, std::uint64_t otherwise) const;
    [[nodiscard]] int integer_or(std::string_view key, int otherwise) const;  // 0 to 2^31-1
    [[nodiscard]] bool flag_or(std::string_view key, bool otherwise) const;
    [[nodiscard]] std::chrono::milliseconds seconds_or_zero(std::string_view key) const;  // a number of seconds
    [[nodiscard]] base::Timestamp time_or_epoch(std::string_view key) const;
    [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;  // absent or null: none

    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
    [[nodiscard]] JsonReader object(std::string_view key) const;  // absent or null: an empty one
    // One reader for each element of an array of objects; absent or null: none.
    [[nodiscard]] std::vector<JsonReader> objects(std::string_view key) const;

    // `parse` applied to the text that must be there; its error with the path in front.
    template <class T>
    [[nodiscard]] T parsed(std::string_view key, base::Result<T> (*parse)(std::string_view)) const {
        auto result = parse(text(key));
        if (!result) refuse(key, result.error().message());
        return *result;
    }
    [[noreturn]] void refuse(std::string_view key, std::string_view fact) const;

  private:
    // Null if it is absent or null.
    [[nodiscard]] const boost::json::value* find(std::string_view key) const;
    [[nodiscard]] const boost::json::array* array(std::string_view key) const;
    const boost::json::object* object_;
    std::string path_;
};

// An artifact as json_artifact prints it, its file name and hash checked.
[[nodiscard]] Artifact read_artifact(const JsonReader& reader);

}  // namespace pgbakd::model
