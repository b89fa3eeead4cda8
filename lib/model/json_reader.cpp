#include "model/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.hpp"
#include "model/json.hpp"

namespace pgbakd::model {
namespace {

const boost::json::object& no_members() {
    static const boost::json::object empty;
    return empty;
}

}  // namespace

JsonReader::JsonReader(const boost::json::value& value, std::string path)
    : object_(value.if_object()), path_(std::move(path)) {
    if (object_ == nullptr) throw base::Error(base::ErrorCode::corrupt, path_ + " is not a JSON object");
}

void JsonReader::refuse(std::string_view key, std::string_view fact) const {
    throw base::Error(base::ErrorCode::corrupt, fmt::format("{}.{}: {}", path_, key, fact));
}

const boost::json::value* JsonReader::find(std::string_view key) const {
    const auto* value = object_->if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::string JsonReader::text(std::string_view key) const {
    const auto* value = find(key);
    if (value == nullptr) refuse(key, "is missing");
    const auto* string = value->if_string();
    if (string == nullptr) refuse(key, "is not a text");
    return {string->data(), string->size()};
}

std::string JsonReader::text_or_empty(std::string_view key) const {
    return has(key) ? text(key) : std::string();
}

std::uint64_t JsonReader::count_or(std::string_view key, std::uint64_t otherwise) const {
    const auto* value = find(key);
    if (value == nullptr) return otherwise;
    if (const auto* number = value->if_uint64()) return *number;
    if (const auto* number = value->if_int64(); number != nullptr && *number >= 0)
        return static_cast<std::uint64_t>(*number);
    refuse(key, "is not a whole number of at least 0");
}

int JsonReader::integer_or(std::string_view key, int otherwise) const {
    const auto number = count_or(key, static_cast<std::uint64_t>(otherwise));
    if (number > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) refuse(key, "is too large");
    return static_cast<int>(number);
}

bool JsonReader::flag_or(std::string_view key, bool otherwise) const {
    const auto* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_bool()) refuse(key, "is neither true nor false");
    return value->get_bool();
}

std::chrono::milliseconds JsonReader::seconds_or_zero(std::string_view key) const {
    constexpr double longest = 1e12;
    const auto* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_number()) refuse(key, "is not a number");
    const auto seconds = value->to_number<double>();
    if (!(std::abs(seconds) < longest)) refuse(key, "is too large");
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

base::Timestamp JsonReader::time_or_epoch(std::string_view key) const {
    return has(key) ? parsed(key, parse_time) : base::Timestamp{};
}

const boost::json::array* JsonReader::array(std::string_view key) const {
    const auto* value = find(key);
    if (value == nullptr) return nullptr;
    const auto* result = value->if_array();
    if (result == nullptr) refuse(key, "is not a list");
    return result;
}

std::vector<std::string> JsonReader::texts(std::string_view key) const {
    std::vector<std::string> result;
    if (const auto* list = array(key)) {
        result.reserve(list->size());
        for (const auto& element : *list) {
            const auto* string = element.if_string();
            if (string == nullptr) refuse(key, "holds something that is not a text");
            result.emplace_back(string->data(), string->size());
        }
    }
    return result;
}

JsonReader JsonReader::object(std::string_view key) const {
    auto path = fmt::format("{}.{}", path_, key);
    if (const auto* value = find(key)) return {*value, std::move(path)};
    JsonReader reader(*this);
    reader.object_ = &no_members();
    reader.path_ = std::move(path);
    return reader;
}

std::vector<JsonReader> JsonReader::objects(std::string_view key) const {
    std::vector<JsonReader> result;
    if (const auto* list = array(key)) {
        result.reserve(list->size());
        for (const auto& element : *list)
            result.emplace_back(element, fmt::format("{}.{}[{}]", path_, key, result.size()));
    }
    return result;
}

Artifact read_artifact(const JsonReader& reader) {
    Artifact artifact;
    artifact.file = reader.text("file");
    if (const auto status = check_artifact_file(artifact.file); !status)
        reader.refuse("file", status.error().message());
    artifact.kind = reader.text_or_empty("kind");
    artifact.database = reader.text_or_empty("database");
    artifact.format = reader.text_or_empty("format");
    if (!reader.has("bytes")) reader.refuse("bytes", "is missing");
    artifact.bytes = reader.count_or("bytes", 0);
    artifact.raw_bytes = reader.count_or("raw_bytes", 0);
    artifact.sha256 = reader.text_or_empty("sha256");
    const bool hexadecimal = std::all_of(artifact.sha256.begin(), artifact.sha256.end(),
                                         [](char c) { return base::is_digit(c) || (c >= 'a' && c <= 'f'); });
    if (!artifact.sha256.empty() && (artifact.sha256.size() != 64 || !hexadecimal))
        reader.refuse("sha256", "is not a SHA-256 in lower-case hexadecimal");
    artifact.compression = reader.text_or_empty("compression");
    artifact.encryption = reader.text_or_empty("encryption");
    if (reader.has("verified")) artifact.verified = reader.parsed("verified", parse_verification);
    artifact.verified_at = reader.time_or_epoch("verified_at");
    return artifact;
}

}  // namespace pgbakd::model
