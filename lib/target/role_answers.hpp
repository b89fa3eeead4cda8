// What endpoints that hand out a role's credentials answer, as values. No message shows any of it.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "http/message.hpp"
#include "target/credentials.hpp"

namespace pgbakd::target {

// AccessKeyId, SecretAccessKey, Token, Expiration, of the metadata service and of containers' endpoints. Error:
// authentication_failed where it says why there are none, server_error for anything else.
[[nodiscard]] base::Result<Session> parse_role_json(std::string_view json);
// The answer to AssumeRoleWithWebIdentity. Error: server_error.
[[nodiscard]] base::Result<Session> parse_role_xml(std::string_view xml);

// Throws for an answer of one of those endpoints that is no success: passing for 429 and from 500 on.
void check_answer(const http::Response& response);
// Of STS. https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
[[nodiscard]] base::Error sts_failure(int status, std::string_view body);

}  // namespace pgbakd::target
