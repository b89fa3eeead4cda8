#include "s3_server.hpp"

#include "shared_server.hpp"

namespace contract {

using namespace pgbakd;

const S3Server& S3Server::of(S3Kind kind) {
    if (kind == S3Kind::rgw) {
        static const S3Server gateway(shared_server("rgw"));
        return gateway;
    }
    static const S3Server swift(shared_server("swift"));
    return swift;
}

std::string S3Server::value(const std::string& name) const {
    const auto found = facts_.find(name);
    return found == facts_.end() ? "" : found->second;
}

target::Credentials S3Server::credentials(const std::string& user) const {
    return {value(user + "_key"), base::Secret(value(user + "_secret")), {}};
}

target::S3Endpoint S3Server::endpoint() const {
    const auto& profile = target::s3_profile(target::Provider::other);
    return target::parse_endpoint(profile, value("endpoint"), value("region"), value("bucket"),
                                  target::Addressing::path)
        .value();
}

target::S3Options S3Server::options(std::string prefix) const {
    target::S3Options options;
    options.name = "bucket";
    options.profile = &target::s3_profile(target::Provider::other);
    options.endpoint = endpoint();
    options.region = value("region");
    options.prefix = std::move(prefix);
    options.retry.first = std::chrono::milliseconds(1);
    options.retry.random = [] { return 0; };
    return options;
}

}  // namespace contract
