#include "target/role_answers.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "model/json.hpp"
#include "target/s3_answers.hpp"
#include "target/s3_xml.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t most_bytes = 256UL * 1024;

Error unexpected() {
    return {ErrorCode::server_error, "the answer holds no credentials", "check that the endpoint is the right one"};
}

std::string_view text_of(const boost::json::object& object, std::string_view name) {
    const auto* const found = object.if_contains(name);
    return found != nullptr && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

base::Result<Session> session_of(std::string_view key, std::string_view secret, std::string_view token,
                                 std::string_view ends) {
    if (key.empty() || secret.empty()) return unexpected();
    Session session;
    session.credentials = {std::string(key), base::Secret(std::string(secret)), base::Secret(std::string(token))};
    if (ends.empty()) return session;
    const auto time = model::parse_time(ends);
    if (!time) return unexpected();
    session.ends = *time;
    return session;
}

}  // namespace

base::Result<Session> parse_role_json(std::string_view json) {
    const auto parsed = model::parse_json(json, most_bytes);
    if (!parsed || !parsed->is_object()) return unexpected();
    const auto& object = parsed->get_object();
    // Of the metadata service; containers' endpoints have no code where all is well.
    const auto code = text_of(object, "Code").empty() ? text_of(object, "code") : text_of(object, "Code");
    if (!code.empty() && code != "Success")
        return Error(ErrorCode::authentication_failed,
                     "there are none (" + base::printable(base::clamp_utf8(code, 60)) + ")",
                     "check the role and its trust policy");
    return session_of(text_of(object, "AccessKeyId"), text_of(object, "SecretAccessKey"), text_of(object, "Token"),
                      text_of(object, "Expiration"));
}

base::Result<Session> parse_role_xml(std::string_view xml) {
    const auto root = parse_xml(xml);
    if (!root || root->name != "AssumeRoleWithWebIdentityResponse") return unexpected();
    const auto* const result = root->child("AssumeRoleWithWebIdentityResult");
    const auto* const found = result == nullptr ? nullptr : result->child("Credentials");
    if (found == nullptr) return unexpected();
    return session_of(found->value("AccessKeyId"), found->value("SecretAccessKey"), found->value("SessionToken"),
                      found->value("Expiration"));
}

void check_answer(const http::Response& response) {
    if (response.is_success()) return;
    const bool passes = response.status == 429 || response.status >= 500;
    throw Error(passes ? ErrorCode::server_error : ErrorCode::authentication_failed,
                fmt::format("it refuses (HTTP {})", response.status), "check the role of this machine or container",
                passes ? base::Persistence::passing : base::Persistence::lasting);
}

Error sts_failure(int status, std::string_view body) {
    const auto error = parse_error(body);
    const auto code = error ? base::printable(base::clamp_utf8(error->code, 60)) : fmt::format("HTTP {}", status);
    const bool passes = status == 429 || status >= 500 || code == "IDPCommunicationError" || code == "Throttling";
    std::string_view hint = "check AWS_ROLE_ARN, the token in AWS_WEB_IDENTITY_TOKEN_FILE and the role's trust policy";
    if (code == "ExpiredTokenException") hint = "whoever writes AWS_WEB_IDENTITY_TOKEN_FILE has not renewed the token";
    return {passes ? ErrorCode::server_error : ErrorCode::authentication_failed, fmt::format("it refuses ({})", code),
            std::string(hint), passes ? base::Persistence::passing : base::Persistence::lasting};
}

}  // namespace pgbakd::target
