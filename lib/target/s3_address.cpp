#include "target/s3_address.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace pgbakd::target {
namespace {

base::Error wrong(std::string message, std::string hint) {
    return {base::ErrorCode::invalid_configuration, std::move(message), std::move(hint)};
}

std::string aws_endpoint(std::string_view region) {
    return fmt::format("https://s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
}

constexpr bool is_host_character(char c) noexcept {
    return base::is_letter(c) || base::is_digit(c) || std::string_view("-._:[]").find(c) != std::string_view::npos;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, and what older buckets and other
// services have besides: upper case and "_".
bool is_bucket_name(std::string_view bucket) {
    const auto allowed = [](char c) { return is_host_character(c) && c != ':' && c != '[' && c != ']'; };
    return bucket.size() >= 3 && bucket.size() <= 255 && bucket.find("..") == std::string_view::npos &&
           bucket.front() != '.' && bucket.back() != '.' && std::ranges::all_of(bucket, allowed);
}

bool is_address(std::string_view host) {
    const auto name = host.substr(0, host.find(':'));
    const bool is_numeric = std::ranges::all_of(name, [](char c) { return base::is_digit(c) || c == '.'; });
    return host.starts_with('[') || is_numeric;
}

}  // namespace

base::Result<S3Endpoint> parse_endpoint(const S3Profile& profile, std::string_view endpoint, std::string_view region,
                                        std::string_view bucket, Addressing addressing) {
    std::string text(endpoint);
    if (text.empty()) {
        if (profile.provider != Provider::aws)
            return wrong(fmt::format("provider {} needs an endpoint", profile.name), "endpoint: https://…");
        if (region.empty()) return wrong("provider aws needs a region", "region: eu-central-1, for example");
        text = aws_endpoint(region);
    }
    const auto split = text.find("://");
    S3Endpoint result;
    if (split != std::string::npos) {
        result.scheme = base::to_lower(std::string_view(text).substr(0, split));
        result.host = base::to_lower(std::string_view(text).substr(split + 3));
    }
    if (result.host.ends_with('/')) result.host.pop_back();
    const bool is_known = result.scheme == "http" || result.scheme == "https";
    if (!is_known || result.host.empty() || !std::ranges::all_of(result.host, is_host_character))
        return wrong("endpoint is not a URL of http or https without a path",
                     "endpoint: https://s3.example.com, and the bucket's name in bucket");
    const std::string_view own_port = result.is_encrypted() ? ":443" : ":80";
    if (result.host.ends_with(own_port)) result.host.resize(result.host.size() - own_port.size());
    if (!is_bucket_name(bucket))
        return wrong(fmt::format("\"{}\" is not a bucket's name", base::printable(base::clamp_utf8(bucket, 80))), {});
    result.bucket = bucket;
    result.addressing = addressing;
    const bool has_dot = bucket.find('.') != std::string_view::npos;
    if (is_address(result.host) || (has_dot && result.is_encrypted())) result.addressing = Addressing::path;
    return result;
}

S3Address s3_address(const S3Endpoint& endpoint, std::string_view key, const Fields& query) {
    S3Address address;
    const bool in_path = endpoint.addressing == Addressing::path;
    address.host = in_path ? endpoint.host : endpoint.bucket + "." + endpoint.host;
    address.path = "/";
    if (in_path) address.path += endpoint.bucket;
    if (in_path && !key.empty()) address.path += '/';
    address.path += key;
    address.url = fmt::format("{}://{}{}", endpoint.scheme, address.host, uri_encode(address.path, Slash::keep));
    if (!query.empty()) address.url += "?" + canonical_query(query);
    return address;
}

}  // namespace pgbakd::target
