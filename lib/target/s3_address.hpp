// Where a bucket and a key are, as URL and as what is signed of it; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "target/s3_profile.hpp"
#include "target/sigv4.hpp"

namespace pgbakd::target {

// The place of a bucket. Made by parse_endpoint().
struct S3Endpoint {
    std::string scheme;  // "http" or "https"
    std::string host;    // with the port, unless it is the scheme's own; without the bucket
    std::string bucket;
    Addressing addressing = Addressing::path;
    [[nodiscard]] bool is_encrypted() const noexcept { return scheme == "https"; }
};

// `endpoint` is "https://host", "https://host:port" or "http://…", without a path; empty for provider aws: the region's
// own, https://docs.aws.amazon.com/general/latest/gr/s3.html. A bucket whose name has a dot is addressed by path over
// https, where a wildcard certificate would not cover it. Error: invalid_configuration.
[[nodiscard]] base::Result<S3Endpoint> parse_endpoint(const S3Profile& profile, std::string_view endpoint,
                                                      std::string_view region, std::string_view bucket,
                                                      Addressing addressing);

struct S3Address {
    std::string host;  // of the Host header
    std::string path;  // not encoded, begins with "/"
    std::string url;   // encoded, with the query
};
// Where a bucket was found to be.
struct S3Home {
    std::string region;
    std::string host;  // as S3Endpoint has it
    friend bool operator==(const S3Home&, const S3Home&) = default;
};
// Where to send a call next that was sent to `endpoint`, signed for `region`, and answered with a redirect:
// `told_region` and `told_endpoint` (a host or a URL) are what the answer names, or empty. Only the region counts, for
// what an answer calls an endpoint could be anybody's and would be sent the data and the session's token: the host
// stays, or becomes that of AWS for the region where it was one of AWS. Nothing if that leads nowhere else.
[[nodiscard]] std::optional<S3Home> redirected(const S3Endpoint& endpoint, std::string_view region,
                                               std::string_view told_region, std::string_view told_endpoint);

// Of a key, or of the bucket itself when it is empty.
[[nodiscard]] S3Address s3_address(const S3Endpoint& endpoint, std::string_view key, const Fields& query);

}  // namespace pgbakd::target
