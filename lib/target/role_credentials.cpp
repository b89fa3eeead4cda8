#include "target/role_credentials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "http/url.hpp"
#include "os/file.hpp"
#include "target/role_answers.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t most_token_bytes = 64UL * 1024;
constexpr auto metadata_patience = std::chrono::seconds(5);
constexpr std::string_view give_keys = "give access_key_id and secret_access_key, or this machine a role";

// What a way to find credentials has in common: it asks over HTTP, and tells of what went wrong there.
class Finder {
  public:
    Finder(const asio::any_io_executor& executor, RoleOptions options, async::Pool& pool, http::Options http)
        : options_(std::move(options)), pool_(pool), http_(executor, std::move(http)) {}
    Finder(const Finder&) = delete;
    Finder& operator=(const Finder&) = delete;
    virtual ~Finder() = default;
    virtual asio::awaitable<Session> find(async::StopToken stop) = 0;

  protected:
    [[nodiscard]] std::string_view value(std::string_view name) const { return variable(options_.variables, name); }
    asio::awaitable<http::Response> ask(http::Request request, async::StopToken stop) {
        request.headers.push_back({"accept", "*/*"});
        co_return co_await http_.perform(std::move(request), std::move(stop));
    }
    // A token that somebody renews: read each time.
    asio::awaitable<base::Secret> read_token(std::filesystem::path path) {
        const auto read = [path] { return os::read_file(path, most_token_bytes); };
        auto text = co_await async::run_blocking(pool_, read);
        co_return base::Secret(std::string(base::trim(text)));
    }

    RoleOptions options_;

  private:
    async::Pool& pool_;
    http::Client http_;
};

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
class InstanceFinder final : public Finder {
  public:
    using Finder::Finder;
    asio::awaitable<Session> find(async::StopToken stop) override {
        http::Request begin;
        begin.method = "PUT";
        begin.url = url("/latest/api/token");
        begin.headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "300"}};
        auto response = co_await ask(std::move(begin), stop);
        check_answer(response);
        const base::Secret token{std::move(response.body)};
        const std::string path = "/latest/meta-data/iam/security-credentials/";
        const auto roles = co_await get(path, token, stop);
        if (roles.status == 404 || base::trim(roles.body).empty())
            throw Error(ErrorCode::authentication_failed, "this machine has no role", std::string(give_keys));
        check_answer(roles);
        const std::string role(base::trim(base::split(roles.body, '\n').front()));
        const auto answer = co_await get(path + uri_encode(role, Slash::encode), token, stop);
        check_answer(answer);
        co_return parse_role_json(answer.body).value();
    }

  private:
    [[nodiscard]] std::string url(std::string_view path) const {
        std::string base(value("AWS_EC2_METADATA_SERVICE_ENDPOINT"));
        if (base.empty()) base = "http://169.254.169.254";
        if (base.ends_with('/')) base.pop_back();
        return base.append(path);
    }
    asio::awaitable<http::Response> get(std::string path, base::Secret token, async::StopToken stop) {
        http::Request request;
        request.url = url(path);
        request.secret_headers.push_back({"x-aws-ec2-metadata-token", std::move(token)});
        co_return co_await ask(std::move(request), stop);
    }
};

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
std::string container_url(const AwsVariables& variables) {
    const auto relative = variable(variables, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    if (!relative.empty()) return fmt::format("http://169.254.170.2{}", relative);
    return std::string(variable(variables, "AWS_CONTAINER_CREDENTIALS_FULL_URI"));
}

class ContainerFinder final : public Finder {
  public:
    using Finder::Finder;
    asio::awaitable<Session> find(async::StopToken stop) override {
        http::Request request;
        request.url = container_url(options_.variables);
        base::Secret token(std::string(value("AWS_CONTAINER_AUTHORIZATION_TOKEN")));
        const std::filesystem::path file(value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
        if (!file.empty()) token = co_await read_token(file);
        if (!token.empty()) request.secret_headers.push_back({"authorization", std::move(token)});
        const auto response = co_await ask(std::move(request), stop);
        check_answer(response);
        co_return parse_role_json(response.body).value();
    }
};

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
class WebIdentityFinder final : public Finder {
  public:
    using Finder::Finder;
    asio::awaitable<Session> find(async::StopToken stop) override {
        const auto token = co_await read_token(std::filesystem::path(value("AWS_WEB_IDENTITY_TOKEN_FILE")));
        const auto name = value("AWS_ROLE_SESSION_NAME");
        const Fields fields{{"Action", "AssumeRoleWithWebIdentity"},
                            {"Version", "2011-06-15"},
                            {"RoleArn", std::string(value("AWS_ROLE_ARN"))},
                            {"RoleSessionName", name.empty() ? "pgbakd" : std::string(name)},
                            {"WebIdentityToken", std::string(token.reveal())}};
        http::Request request;
        request.method = "POST";
        request.url = endpoint() + "/";
        request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
        request.body = std::make_shared<http::MemoryBody>(canonical_query(fields));
        const auto response = co_await ask(std::move(request), stop);
        if (!response.is_success()) throw Error(sts_failure(response.status, response.body));
        co_return parse_role_xml(response.body).value();
    }

  private:
    [[nodiscard]] std::string endpoint() const {
        std::string url(value("AWS_ENDPOINT_URL_STS"));
        if (url.ends_with('/')) url.pop_back();
        if (!url.empty()) return url;
        std::string region(value("AWS_REGION"));
        if (region.empty()) region = value("AWS_DEFAULT_REGION");
        if (region.empty()) region = options_.region;
        if (region.empty() || region == "auto") return "https://sts.amazonaws.com";
        return fmt::format("https://sts.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
    }
};

// The answer holds credentials, and so may the request: not over a network in the clear.
void check_container_url(const std::string& url, std::string_view variable) {
    constexpr std::array<std::string_view, 6> hosts{"127.0.0.1",     "localhost",      "[::1]",
                                                    "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
    const auto destination = http::destination_of(url);
    if (destination && destination->scheme == "https") return;
    const bool own = destination && destination->scheme == "http" &&
                     std::ranges::find(hosts, std::string_view(destination->host)) != hosts.end();
    if (!own)
        throw Error(
            ErrorCode::invalid_configuration,
            fmt::format("{} is neither https nor one of the addresses that are this host's own", variable),
            "https://…, or http://127.0.0.1…, 169.254.170.2 or 169.254.170.23, without a user in front of the host");
}

struct Way {
    std::shared_ptr<Finder> finder;
    std::string name;
};

asio::awaitable<Session> find_by(Way way, async::StopToken stop) {
    std::exception_ptr failure;
    try {
        co_return co_await way.finder->find(stop);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    stop.check();
    throw base::to_error(failure).during("asking " + way.name + " for credentials");
}

Way choose(const asio::any_io_executor& executor, RoleOptions options, async::Pool& pool) {
    const auto has = [&options](std::string_view name) { return !variable(options.variables, name).empty(); };
    auto local = options.http;
    local.connect_timeout = std::min<std::chrono::milliseconds>(local.connect_timeout, metadata_patience);
    local.stall_timeout = std::min<std::chrono::milliseconds>(local.stall_timeout, metadata_patience);
    if (has("AWS_WEB_IDENTITY_TOKEN_FILE")) {
        if (!has("AWS_ROLE_ARN"))
            throw Error(ErrorCode::invalid_configuration,
                        "the environment has AWS_WEB_IDENTITY_TOKEN_FILE without AWS_ROLE_ARN", "set both, or neither");
        const auto http = options.http;
        return {std::make_shared<WebIdentityFinder>(executor, std::move(options), pool, http), "STS"};
    }
    if (has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || has("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
        const bool relative = has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        check_container_url(container_url(options.variables),
                            relative ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" : "AWS_CONTAINER_CREDENTIALS_FULL_URI");
        return {std::make_shared<ContainerFinder>(executor, std::move(options), pool, local),
                "the container's endpoint"};
    }
    if (base::to_lower(variable(options.variables, "AWS_EC2_METADATA_DISABLED")) == "true")
        throw Error(ErrorCode::invalid_configuration,
                    "there are no credentials: none in the configuration or the environment, and "
                    "AWS_EC2_METADATA_DISABLED forbids to ask for a role's",
                    std::string(give_keys));
    return {std::make_shared<InstanceFinder>(executor, std::move(options), pool, local),
            "the instance's metadata service"};
}

}  // namespace

std::shared_ptr<CredentialSource> role_credentials(const asio::any_io_executor& executor, RoleOptions options,
                                                   async::Pool& pool, const base::Clock& clock) {
    if (auto fixed = credentials_of(options.variables)) return fixed_credentials(std::move(*fixed));
    auto way = choose(executor, std::move(options), pool);
    const auto fetch = [way](async::StopToken stop) { return find_by(way, std::move(stop)); };
    return refreshed_credentials(executor, clock, fetch);
}

}  // namespace pgbakd::target
