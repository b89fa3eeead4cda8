#include "target/s3_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace pgbakd::target {
namespace {

base::Error wrong(std::string message, std::string hint) {
    return {base::ErrorCode::invalid_configuration, std::move(message), std::move(hint)};
}

constexpr std::string_view aws_domain = ".amazonaws.com";
constexpr std::string_view aws_china_domain = ".amazonaws.com.cn";
// What stands before the region in the hosts of AWS, https://docs.aws.amazon.com/general/latest/gr/s3.html.
constexpr std::array<std::string_view, 4> aws_services{"s3.", "s3.dualstack.", "s3-fips.", "s3-fips.dualstack."};

std::string_view aws_domain_of(std::string_view region) {
    return region.starts_with("cn-") ? aws_china_domain : aws_domain;
}

std::string aws_endpoint(std::string_view region) {
    return fmt::format("https://s3.{}{}", region, aws_domain_of(region));
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

// It becomes part of a host's name and of the signature.
bool is_region(std::string_view region) {
    const auto allowed = [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '_'; };
    return !region.empty() && region.size() <= 63 && std::ranges::all_of(region, allowed);
}

// Of "b.s3.eu-west-1.amazonaws.com" or "https://b.s3-eu-west-1.amazonaws.com/key"; empty for all that is not AWS.
std::string_view region_in_host_of_aws(std::string_view endpoint) {
    if (const auto scheme = endpoint.find("://"); scheme != std::string_view::npos) endpoint.remove_prefix(scheme + 3);
    endpoint = endpoint.substr(0, endpoint.find_first_of(":/?#"));
    const auto domain = endpoint.ends_with(aws_china_domain) ? aws_china_domain : aws_domain;
    if (!endpoint.ends_with(domain)) return {};
    endpoint.remove_suffix(domain.size());
    const auto dot = endpoint.rfind('.');
    auto region = endpoint.substr(dot == std::string_view::npos ? 0 : dot + 1);
    if (region.starts_with("s3-")) region.remove_prefix(3);
    return region == "s3" || region == "fips" || aws_domain_of(region) != domain ? std::string_view() : region;
}

// The host of the same kind in another region; as it is, if it is none of AWS's. Nothing in another partition, which
// knows other keys.
std::optional<std::string> host_in(const std::string& host, std::string_view region, std::string_view other) {
    const auto domain = aws_domain_of(region);
    if (host.ends_with(domain) && aws_domain_of(other) != domain) return std::nullopt;
    if (host == "s3.amazonaws.com") return fmt::format("s3.{}{}", other, domain);
    for (const auto service : aws_services)
        if (host == fmt::format("{}{}{}", service, region, domain))
            return fmt::format("{}{}{}", service, other, domain);
    return host;
}

}  // namespace

std::optional<S3Home> redirected(const S3Endpoint& endpoint, std::string_view region, std::string_view told_region,
                                 std::string_view told_endpoint) {
    const auto told = told_region.empty() ? region_in_host_of_aws(told_endpoint) : told_region;
    if (!is_region(told)) return std::nullopt;
    auto host = host_in(endpoint.host, region, told);
    if (!host || (told == region && *host == endpoint.host)) return std::nullopt;
    return S3Home{std::string(told), std::move(*host)};
}

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
