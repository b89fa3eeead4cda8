#include "async/task_group.hpp"
#include "support/catch.hpp"
#include "target/role_answers.hpp"
#include "target/role_credentials.hpp"

using namespace pgbakd;
using namespace pgbakd::target;
using namespace std::chrono_literals;

namespace {

constexpr base::Timestamp start{1'700'000'000s};

AwsVariables variables(std::initializer_list<std::pair<std::string, std::string>> list) {
    AwsVariables found;
    for (const auto& [name, value] : list) found.emplace(name, base::Secret(value));
    return found;
}

// Counts how often it was asked, and answers when it is let to.
struct Endpoint {
    explicit Endpoint(asio::io_context& io) : go(io.get_executor()) {}
    asio::awaitable<Session> fetch(async::StopToken stop) {
        ++asked;
        while (waits) co_await go.wait(stop);
        if (failure) throw base::Error(*failure);
        Session session;
        session.credentials.access_key_id = "key" + std::to_string(asked);
        session.ends = ends;
        co_return session;
    }
    int asked = 0;
    bool waits = false;
    std::optional<base::Timestamp> ends;
    std::optional<base::Error> failure;
    async::Event go;
};

struct Bench {
    Bench() : endpoint(io) {
        const auto fetch = [this](async::StopToken stop) { return endpoint.fetch(std::move(stop)); };
        source = refreshed_credentials(io.get_executor(), clock, fetch);
    }
    asio::awaitable<void> note(async::StopToken stop) {
        std::string found;
        try {
            const auto credentials = co_await source->get(std::move(stop));
            found = credentials.access_key_id;
        } catch (const base::Error& error) {
            found = error.message();
        }
        seen.push_back(std::move(found));
    }
    void begin(async::StopToken stop = {}) { group.spawn(note(std::move(stop))); }
    std::string get() {
        begin();
        go();
        return seen.back();
    }
    void go() {
        io.restart();
        io.poll();
    }
    asio::io_context io;
    base::ManualClock clock{start};
    Endpoint endpoint;
    std::shared_ptr<CredentialSource> source;
    std::vector<std::string> seen;
    async::TaskGroup group{io.get_executor()};
};

}  // namespace

TEST_CASE("credentials of a role are asked for again five minutes before they end") {
    Bench bench;
    bench.endpoint.ends = start + 1h;
    CHECK(bench.get() == "key1");
    CHECK(bench.get() == "key1");
    bench.clock.advance(54min + 59s);
    CHECK(bench.get() == "key1");
    bench.endpoint.ends = start + 2h;
    bench.clock.advance(1s);
    CHECK(bench.get() == "key2");
    CHECK(bench.get() == "key2");
    CHECK(bench.endpoint.asked == 2);
}

TEST_CASE("callers at one time share one question, its answer and its failure") {
    Bench bench;
    bench.endpoint.waits = true;
    for (int i = 0; i < 5; ++i) bench.begin();
    bench.go();
    CHECK(bench.seen.empty());
    bench.endpoint.waits = false;
    bench.endpoint.go.notify();
    bench.go();
    CHECK(bench.seen == std::vector<std::string>(5, "key1"));
    CHECK(bench.endpoint.asked == 1);

    Bench broken;
    broken.endpoint.waits = true;
    broken.endpoint.failure.emplace(base::ErrorCode::unreachable, "nobody there");
    for (int i = 0; i < 5; ++i) broken.begin();
    broken.go();
    broken.endpoint.waits = false;
    broken.endpoint.go.notify();
    broken.go();
    CHECK(broken.seen == std::vector<std::string>(5, "nobody there"));
    CHECK(broken.endpoint.asked == 1);
}

TEST_CASE("a caller that is stopped while it asks does not take the others with it") {
    Bench bench;
    bench.endpoint.waits = true;
    async::StopSource source;
    bench.begin(source.token());
    bench.begin();
    bench.begin();
    bench.go();
    source.stop({base::ErrorCode::cancelled, "stopped"});
    bench.go();
    CHECK(bench.seen == std::vector<std::string>{"stopped"});
    bench.endpoint.waits = false;
    bench.endpoint.go.notify();
    bench.go();
    CHECK(bench.seen == std::vector<std::string>{"stopped", "key2", "key2"});
}

TEST_CASE("while the old credentials hold, a failure to get new ones is not told") {
    Bench bench;
    bench.endpoint.ends = start + 10min;
    CHECK(bench.get() == "key1");
    bench.clock.advance(6min);
    bench.endpoint.failure.emplace(base::ErrorCode::unreachable, "nobody there");
    CHECK(bench.get() == "key1");
    CHECK(bench.get() == "key1");
    CHECK(bench.endpoint.asked == 2);  // not with every request
    bench.clock.advance(1min);
    CHECK(bench.get() == "key1");
    CHECK(bench.endpoint.asked == 3);
    bench.clock.advance(3min);
    CHECK(bench.get() == "nobody there");
    bench.endpoint.failure.reset();
    bench.endpoint.ends = start + 1h;
    CHECK(bench.get() == "key5");
}

TEST_CASE("credentials that the service refuses are thrown away, but not those that have just come") {
    Bench bench;
    CHECK(bench.get() == "key1");
    CHECK(bench.source->discard());
    CHECK(bench.get() == "key1");
    bench.clock.advance(1min);
    CHECK(bench.source->discard());
    CHECK(bench.get() == "key2");
    CHECK_FALSE(fixed_credentials({})->discard());
}

TEST_CASE("keys of the environment come in pairs") {
    CHECK_FALSE(credentials_of({}));
    const auto found = credentials_of(
        variables({{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "secret"}, {"AWS_SESSION_TOKEN", "token"}}));
    REQUIRE(found);
    CHECK(found->access_key_id == "id");
    CHECK(found->secret_access_key.reveal() == "secret");
    CHECK(found->session_token.reveal() == "token");
    CHECK_THROWS_AS(credentials_of(variables({{"AWS_ACCESS_KEY_ID", "id"}})), base::Error);
    CHECK_THROWS_AS(credentials_of(variables({{"AWS_SECRET_ACCESS_KEY", "hunter2"}})), base::Error);
}

TEST_CASE("an environment that cannot work is refused before anything is asked") {
    asio::io_context io;
    async::Pool pool(1, 0);
    const base::SystemClock clock;
    const auto refused = [&](AwsVariables given) {
        try {
            (void)role_credentials(io.get_executor(), {std::move(given), "", {}}, pool, clock);
        } catch (const base::Error& error) {
            CHECK(error.code() == base::ErrorCode::invalid_configuration);
            return true;
        }
        return false;
    };
    constexpr auto uri = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    CHECK(refused(variables({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}})));
    CHECK(refused(variables({{"AWS_EC2_METADATA_DISABLED", "true"}})));
    for (const auto* const text :
         {"http://example.com/x", "http://127.0.0.1.example.com/", "http://127.0.0.1@example.com",
          "http://169.254.170.2.evil/", "ftp://127.0.0.1/", "http://10.0.0.1/", "http://127.0.0.1:80@127.0.0.5:9/x",
          "http://127.0.0.1:@127.0.0.5/x", "http://@127.0.0.1/", "https://user:pass@example.com/", "127.0.0.1",
          "http://127.0.0.1:80\\@example.com/", "HTTP://example.com/", "http://127.0.0.1:port/", "https://"}) {
        INFO(text);
        CHECK(refused(variables({{uri, text}})));
    }
    for (const auto* const text :
         {"https://example.com/x", "http://127.0.0.1:80/x", "http://localhost/x", "http://[::1]:9/x",
          "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials", "HTTPS://example.com/x",
          "HTTP://LOCALHOST/x", "http://localhost/@example.com", "http://127.0.0.1?a=@b"}) {
        INFO(text);
        CHECK_FALSE(refused(variables({{uri, text}})));
    }
    constexpr auto relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    CHECK_FALSE(refused(variables({{relative, "/v2/credentials/x"}})));
    for (const auto* const text : {"@example.com/x", ":80@example.com/x", ".example.com/x"}) {
        INFO(text);
        CHECK(refused(variables({{relative, text}})));
    }
}

TEST_CASE("what a role's endpoint answers is read strictly, and never shown") {
    const auto good = parse_role_json(
        R"({"Code":"Success","LastUpdated":"2026-01-01T00:00:00Z","Type":"AWS-HMAC","AccessKeyId":"ASIA",)"
        R"("SecretAccessKey":"hunter2","Token":"long","Expiration":"2023-11-14T22:13:20Z"})");
    REQUIRE(good.has_value());
    CHECK(good->credentials.access_key_id == "ASIA");
    CHECK(good->credentials.session_token.reveal() == "long");
    CHECK(good->ends == start);
    for (const auto* const text :
         {"", "hunter2", "[]", R"({"AccessKeyId":"ASIA"})", R"({"AccessKeyId":"ASIA","SecretAccessKey":5})",
          R"({"AccessKeyId":"ASIA","SecretAccessKey":"hunter2","Expiration":"hunter2"})",
          R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"hunter2"})"}) {
        const auto bad = parse_role_json(text);
        REQUIRE_FALSE(bad.has_value());
        CHECK(bad.error().message().find("hunter2") == std::string::npos);
    }
    const auto from_sts =
        parse_role_xml(R"(<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">)"
                       "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA</"
                       "AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                       "<SessionToken>t</SessionToken><Expiration>2023-11-14T22:13:20Z</Expiration></Credentials>"
                       "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
    REQUIRE(from_sts.has_value());
    CHECK(from_sts->ends == start);
    CHECK_FALSE(parse_role_xml("<AssumeRoleResponse/>").has_value());
}

TEST_CASE("a refusal of STS says whether trying again helps") {
    const auto answer = [](std::string_view code) {
        return "<ErrorResponse><Error><Type>Sender</Type><Code>" + std::string(code) +
               "</Code><Message>hunter2</Message></Error></ErrorResponse>";
    };
    CHECK(sts_failure(400, answer("IDPCommunicationError")).is_passing());
    CHECK(sts_failure(503, "").is_passing());
    const auto expired = sts_failure(400, answer("ExpiredTokenException"));
    CHECK_FALSE(expired.is_passing());
    CHECK(expired.hint().find("renewed") != std::string::npos);
    const auto denied = sts_failure(403, answer("AccessDenied"));
    CHECK(denied.code() == base::ErrorCode::authentication_failed);
    CHECK(denied.message() == "it refuses (AccessDenied)");
}
