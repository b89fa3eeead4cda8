#include "target/s3_answers.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/text.hpp"
#include "model/json.hpp"
#include "target/s3_xml.hpp"

namespace pgbakd::target {
namespace {

base::Error unexpected(std::string_view what) {
    return {base::ErrorCode::server_error, fmt::format("the answer is not what was asked for: {}", what),
            "check that endpoint is that of an S3 service"};
}

base::Result<XmlElement> document(std::string_view xml, std::string_view name) {
    auto root = parse_xml(xml);
    if (root && root->name != name)
        return unexpected(fmt::format("<{}> instead of <{}>", base::printable(base::clamp_utf8(root->name, 60)), name));
    return root;
}

std::string unquoted(std::string_view etag) {
    if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
    return std::string(etag);
}

// RFC 3339, or "20130524T000000Z" as a request's own time is told back.
std::optional<base::Timestamp> time_of(std::string_view text) {
    std::string spread(text);
    if (text.size() == 16 && text[8] == 'T' && text[15] == 'Z')
        spread = fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                             text.substr(9, 2), text.substr(11, 2), text.substr(13, 2));
    const auto parsed = model::parse_time(spread);
    if (!parsed) return std::nullopt;
    return *parsed;
}

int hex_value(char c) {
    if (base::is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// As encoding-type=url has it: "%2F", and "+" for a space.
std::string url_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            decoded += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            decoded += text[i] == '+' ? ' ' : text[i];
        }
    }
    return decoded;
}

// A key as it is: not trimmed, for a key may begin with a space.
std::string key_of(const XmlElement& element, std::string_view name, bool encoded) {
    const auto* const found = element.child(name);
    if (found == nullptr) return {};
    return encoded ? url_decoded(found->text) : found->text;
}

S3Error error_of(const XmlElement& element) {
    S3Error error;
    error.code = element.value("Code");
    error.message = element.value("Message");
    error.region = element.value("Region");
    error.endpoint = element.value("Endpoint");
    error.server_time = time_of(element.value("ServerTime"));
    error.request_time = time_of(element.value("RequestTime"));
    return error;
}

}  // namespace

base::Result<ObjectsPage> parse_objects(std::string_view xml) {
    const auto root = document(xml, "ListBucketResult");
    if (!root) return root.error();
    const bool encoded = root->value("EncodingType") == "url";
    ObjectsPage page;
    for (const auto& element : root->children) {
        if (element.name == "CommonPrefixes") page.common_prefixes.push_back(key_of(element, "Prefix", encoded));
        if (element.name != "Contents") continue;
        auto key = key_of(element, "Key", encoded);
        const auto size = element.number("Size");
        if (key.empty() || !size) return unexpected("an entry without a key or a size");
        page.objects.push_back({std::move(key), *size,
                                time_of(element.value("LastModified")).value_or(base::Timestamp()),
                                unquoted(element.value("ETag"))});
    }
    if (root->is_true("IsTruncated")) {
        page.next = root->value("NextContinuationToken");
        // Without it the same page would come again for ever.
        if (page.next.empty()) return unexpected("a part of a list, without a token for the rest");
    }
    return page;
}

base::Result<std::string> parse_upload_started(std::string_view xml) {
    const auto root = document(xml, "InitiateMultipartUploadResult");
    if (!root) return root.error();
    std::string id(root->value("UploadId"));
    if (id.empty()) return unexpected("a multipart upload without an id");
    return id;
}

base::Result<UploadsPage> parse_uploads(std::string_view xml) {
    const auto root = document(xml, "ListMultipartUploadsResult");
    if (!root) return root.error();
    const bool encoded = root->value("EncodingType") == "url";
    UploadsPage page;
    for (const auto& element : root->children) {
        if (element.name != "Upload") continue;
        ListedUpload upload{key_of(element, "Key", encoded), std::string(element.value("UploadId")),
                            time_of(element.value("Initiated")).value_or(base::Timestamp())};
        if (upload.key.empty() || upload.upload_id.empty()) return unexpected("an upload without a key or an id");
        page.uploads.push_back(std::move(upload));
    }
    if (root->is_true("IsTruncated")) {
        page.next_key = key_of(*root, "NextKeyMarker", encoded);
        page.next_upload_id = root->value("NextUploadIdMarker");
        if (page.next_key.empty()) return unexpected("a part of a list, without a marker for the rest");
    }
    return page;
}

base::Result<PartsPage> parse_parts(std::string_view xml) {
    const auto root = document(xml, "ListPartsResult");
    if (!root) return root.error();
    PartsPage page;
    for (const auto& element : root->children) {
        if (element.name != "Part") continue;
        const auto number = element.number("PartNumber");
        const auto size = element.number("Size");
        if (!number || !size) return unexpected("a part without a number or a size");
        page.parts.push_back({*number, *size, unquoted(element.value("ETag")),
                              std::string(element.value("ChecksumSHA256")),
                              time_of(element.value("LastModified")).value_or(base::Timestamp())});
    }
    if (root->is_true("IsTruncated")) {
        page.next = root->number("NextPartNumberMarker").value_or(0);
        if (page.next == 0) return unexpected("a part of a list, without a marker for the rest");
    }
    return page;
}

std::optional<S3Error> parse_error(std::string_view xml) {
    const auto root = parse_xml(xml);
    if (!root) return std::nullopt;
    if (root->name == "Error") return error_of(*root);
    // STS wraps it.
    if (const auto* const inner = root->child("Error"); root->name == "ErrorResponse" && inner != nullptr)
        return error_of(*inner);
    return std::nullopt;
}

base::Result<Completed> parse_completed(std::string_view xml) {
    const auto root = parse_xml(xml);
    if (!root) return root.error();
    Completed completed;
    if (root->name == "Error")
        completed.error = error_of(*root);
    else if (root->name == "CompleteMultipartUploadResult")
        completed.etag = unquoted(root->value("ETag"));
    else
        return unexpected("neither the end of an upload nor an error");
    return completed;
}

base::Result<std::vector<NotDeleted>> parse_deleted(std::string_view xml) {
    const auto root = document(xml, "DeleteResult");
    if (!root) return root.error();
    std::vector<NotDeleted> left;
    for (const auto& element : root->children) {
        if (element.name == "Error") left.push_back({key_of(element, "Key", false), error_of(element)});
    }
    return left;
}

std::optional<base::Timestamp> parse_http_date(std::string_view text) {
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    // Www, dd Mmm yyyy hh:mm:ss GMT
    if (text.size() != 29 || text.substr(25) != " GMT" || text[4] != ' ' || text[19] != ':' || text[22] != ':')
        return std::nullopt;
    const auto number = [text](std::size_t at, std::size_t length) {
        int value = -1;
        const auto digits = text.substr(at, length);
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + length, value);
        return failure == std::errc() && end == digits.data() + length ? value : -1;
    };
    unsigned month = 0;
    while (month < 12 && months[month] != text.substr(8, 3)) ++month;
    const std::chrono::year_month_day date(std::chrono::year(number(12, 4)), std::chrono::month(month + 1),
                                           std::chrono::day(static_cast<unsigned>(number(5, 2))));
    const int hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
    if (!date.ok() || number(12, 4) < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60)
        return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second);
}

}  // namespace pgbakd::target
