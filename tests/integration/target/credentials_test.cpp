// Credentials of roles, against a scripted server that is as strict as the real ones (tests/support/aws_roles.py).
#include <poll.h>
#include <unistd.h>

#include <fstream>

#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "target/retry.hpp"
#include "target/role_credentials.hpp"
#include "target/s3_target.hpp"

using namespace pgbakd;
using namespace pgbakd::target;
using namespace std::chrono_literals;
using base::ErrorCode;

namespace {

using List = std::initializer_list<std::pair<std::string, std::string>>;

// One server for all cases of the program.
class Server {
  public:
    static const Server& get() {
        static const Server only;
        return only;
    }
    [[nodiscard]] std::string url(const std::string& path) const { return "http://127.0.0.1:" + port_ + path; }

  private:
    Server() : child_(start()) {
        std::string line;
        while (line.find('\n') == std::string::npos) {
            struct pollfd wanted {
                child_.output().get(), POLLIN, 0
            };
            char buffer[64];
            const auto count =
                ::poll(&wanted, 1, 30000) > 0 ? ::read(child_.output().get(), buffer, sizeof buffer) : -1;
            if (count <= 0) throw std::runtime_error("the scripted server does not start");
            line.append(buffer, static_cast<std::size_t>(count));
        }
        port_ = line.substr(5, line.find('\n') - 5);
    }
    static os::Child start() {
        os::Command command{.argv = {"/usr/bin/python3", "-B", PGBAKD_SOURCE_DIR "/tests/support/aws_roles.py"},
                            .environment = {},
                            .working_directory = {}};
        command.feed_input = true;  // it ends when this is closed
        return os::Child::spawn(command);
    }
    os::Child child_;
    std::string port_;
};

struct Bench {
    std::shared_ptr<CredentialSource> source(const List& list) {
        RoleOptions options;
        for (const auto& [name, value] : list) options.variables.emplace(name, base::Secret(value));
        options.http.connect_timeout = 5s;
        return role_credentials(io.get_executor(), std::move(options), pool, clock);
    }
    template <class T>
    T run(asio::awaitable<T> task) {
        std::exception_ptr failure;
        std::optional<T> result;
        asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& thrown, T value) {
            failure = thrown;
            if (!thrown) result.emplace(std::move(value));
        });
        io.restart();
        io.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
    Credentials get(const List& list) { return run(source(list)->get({})); }
    base::Error error_of(const List& list) {
        try {
            get(list);
        } catch (const base::Error& error) {
            return error;
        }
        throw std::logic_error("credentials were given");
    }
    // For the scripted S3, which has the case's name where others have a bucket's, and what it plays where they have a
    // key.
    S3Client client(const std::string& name, std::shared_ptr<CredentialSource> credentials) {
        auto endpoint =
            parse_endpoint(s3_profile(Provider::other), Server::get().url(""), "us-east-1", name, Addressing::path);
        return {io.get_executor(), std::move(endpoint.value()), "us-east-1", std::move(credentials), clock, {}};
    }
    asio::io_context io;
    async::Pool pool{1, 0};
    base::ManualClock clock{base::SystemClock().now()};
};

std::string metadata(const std::string& name, const std::string& kind = "metadata") {
    return Server::get().url("/" + name + "/" + kind);
}

}  // namespace

TEST_CASE("the metadata service of an instance gives its role's credentials, by version 2") {
    Bench bench;
    const auto found = bench.get({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata("instance")}});
    CHECK(found.access_key_id == "instance-1");
    CHECK(found.secret_access_key.reveal() == "secret of instance");
    CHECK(found.session_token.reveal() == "session 1 of instance");
}

TEST_CASE("credentials are kept until they end, and then asked for again") {
    Bench bench;
    const auto source = bench.source({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata("kept")}});
    CHECK(bench.run(source->get({})).access_key_id == "kept-1");
    bench.clock.advance(5h + 54min);
    CHECK(bench.run(source->get({})).access_key_id == "kept-1");
    bench.clock.advance(2min);
    CHECK(bench.run(source->get({})).access_key_id == "kept-2");
}

TEST_CASE("an instance without a role, and one whose service is weak, are told apart") {
    Bench bench;
    const auto none = bench.error_of({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata("none", "no-role")}});
    CHECK(none.code() == ErrorCode::authentication_failed);
    CHECK_FALSE(none.is_passing());
    CHECK(none.message() == "asking the instance's metadata service for credentials: this machine has no role");
    CHECK(none.hint().find("access_key_id") != std::string::npos);
    const auto weak = bench.error_of({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata("weak", "weak")}});
    CHECK(weak.is_passing());
    const auto nobody = bench.error_of({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1"}});
    CHECK(nobody.code() == ErrorCode::unreachable);
    CHECK(nobody.is_passing());
}

TEST_CASE("a container's endpoint gives credentials for its token, from the environment or a file") {
    Bench bench;
    const auto url = metadata("box", "container");
    CHECK(bench.get({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "open box"}})
              .access_key_id == "box-1");
    const support::TemporaryDirectory directory;
    std::ofstream(directory / "token") << "open box\n";
    CHECK(bench
              .get({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url},
                    {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", (directory / "token").native()}})
              .access_key_id == "box-2");
    const auto refused =
        bench.error_of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hunter2"}});
    CHECK(refused.code() == ErrorCode::authentication_failed);
    CHECK(refused.message().find("hunter2") == std::string::npos);
}

TEST_CASE("STS gives credentials for a web identity, whose token is read each time") {
    Bench bench;
    const support::TemporaryDirectory directory;
    const auto file = (directory / "token").native();
    const auto url = metadata("pod", "sts");
    std::ofstream(file) << "token of pod\n";
    const List list{{"AWS_WEB_IDENTITY_TOKEN_FILE", file},
                    {"AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"},
                    {"AWS_ENDPOINT_URL_STS", url}};
    const auto source = bench.source(list);
    CHECK(bench.run(source->get({})).access_key_id == "pod-1");
    std::ofstream(file) << "hunter2";
    bench.clock.advance(7h);
    const auto error = bench.error_of(list);
    CHECK(error.code() == ErrorCode::authentication_failed);
    CHECK(error.message() == "asking STS for credentials: it refuses (InvalidIdentityToken)");
    CHECK(error.hint().find("AWS_WEB_IDENTITY_TOKEN_FILE") != std::string::npos);
    std::ofstream(file) << "token of pod\n";
    CHECK(bench.run(source->get({})).access_key_id == "pod-2");
    const auto other = bench.error_of({{"AWS_WEB_IDENTITY_TOKEN_FILE", file},
                                       {"AWS_ROLE_ARN", "arn:aws:iam::1:role/other"},
                                       {"AWS_ENDPOINT_URL_STS", url}});
    CHECK(other.message().ends_with("(AccessDenied)"));
    CHECK(
        bench.error_of({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token"}, {"AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"}})
            .code() == ErrorCode::not_found);
}

TEST_CASE("keys of the environment come before any role") {
    Bench bench;
    CHECK(bench
              .get({{"AWS_ACCESS_KEY_ID", "id"},
                    {"AWS_SECRET_ACCESS_KEY", "secret"},
                    {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1"}})
              .access_key_id == "id");
}

TEST_CASE("a session that the service says has ended is replaced, and the request succeeds") {
    Bench bench;
    const auto source = bench.source({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata("session")}});
    CHECK(bench.run(source->get({})).access_key_id == "session-1");
    auto client = bench.client("session", source);
    S3Call call;
    call.method = "GET";
    call.key = "ended";
    call.action = "listing";
    CHECK(bench.run(client.call(call, {})).status == 200);
    bench.clock.advance(1min);
    CHECK(bench.run(client.call(call, {})).status == 200);
    CHECK(bench.run(source->get({})).access_key_id == "session-2");
}

TEST_CASE("a service that asks to slow down is left alone for as long as it asks") {
    Bench bench;
    auto client = bench.client("slow", fixed_credentials({"id", base::Secret("secret"), {}}));
    S3Call call;
    call.method = "GET";
    call.key = "busy";
    call.action = "listing";
    RetryPolicy policy;
    policy.first = 1ms;
    policy.random = [] { return 0; };
    const std::function<asio::awaitable<http::Response>()> attempt = [&] { return client.call(call, {}); };
    const auto begin = std::chrono::steady_clock::now();
    CHECK(bench.run(retried(policy, attempt, {})).status == 200);
    CHECK(std::chrono::steady_clock::now() - begin >= 1s);
}

namespace {

asio::awaitable<std::uint64_t> put(Target& target, std::size_t size) {
    PutOptions options;
    options.existing = Existing::replace;
    const auto upload = co_await target.put("parts", options, {});
    const auto chunk = std::make_shared<const std::vector<std::byte>>(1024 * 1024);
    for (std::size_t sent = 0; sent < size; sent += chunk->size()) co_await upload->write(chunk, {});
    const auto receipt = co_await upload->finish({});
    co_return receipt.entry.size;
}

}  // namespace

TEST_CASE("an upload that is asked to slow down sends fewer parts at once") {
    Bench bench;
    S3Options options;
    options.profile = &s3_profile(Provider::other);
    options.endpoint =
        parse_endpoint(*options.profile, Server::get().url(""), "us-east-1", "slower", Addressing::path).value();
    options.region = "us-east-1";
    options.part_size = 5UL * 1024 * 1024;
    options.concurrent_parts = 3;
    options.retry.attempts = 10;
    options.retry.first = 1ms;
    options.retry.random = [] { return 0; };
    const auto target = make_s3_target(bench.io.get_executor(), options,
                                       fixed_credentials({"id", base::Secret("secret"), {}}), bench.pool, bench.clock);
    CHECK(bench.run(put(*target, 40UL * 1024 * 1024)) == 40UL * 1024 * 1024);
}
