#include "target/credentials.hpp"

#include <unistd.h>

#include <utility>

#include "async/event.hpp"

namespace pgbakd::target {
namespace {

class FixedCredentials final : public CredentialSource {
  public:
    explicit FixedCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
    asio::awaitable<Credentials> get(async::StopToken /*stop*/) override { co_return credentials_; }
    [[nodiscard]] bool discard() override { return false; }

  private:
    Credentials credentials_;
};

// A service gives new ones at least five minutes before the old ones end.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
constexpr auto ahead = std::chrono::minutes(5);
// Between two questions of which the first failed while the old credentials still hold, or which gave what was refused.
constexpr auto pause = std::chrono::seconds(30);

class RefreshedCredentials final : public CredentialSource {
  public:
    RefreshedCredentials(const asio::any_io_executor& executor, const base::Clock& clock,
                         std::function<asio::awaitable<Session>(async::StopToken)> fetch)
        : clock_(clock), fetch_(std::move(fetch)), asked_(executor) {}

    asio::awaitable<Credentials> get(async::StopToken stop) override {
        for (;;) {
            stop.check();
            if (session_ && is_good_enough()) co_return session_->credentials;
            if (!asking_) break;
            const auto round = round_;
            while (round_ == round) co_await asked_.wait(stop);
            if (failure_) std::rethrow_exception(failure_);
        }
        co_await ask(stop);
        co_return session_->credentials;
    }
    [[nodiscard]] bool discard() override {
        // Another caller's credentials may have been refused before these came.
        if (clock_.now() - asked_at_ >= pause) session_.reset();
        return true;
    }

  private:
    [[nodiscard]] bool holds() const { return session_ && (!session_->ends || clock_.now() < *session_->ends); }
    [[nodiscard]] bool is_good_enough() const {
        if (!holds()) return false;
        return !session_->ends || clock_.now() < *session_->ends - ahead || clock_.now() - asked_at_ < pause;
    }

    // Lets the others go on, also when this frame is destroyed in the middle.
    class Asking {
      public:
        explicit Asking(RefreshedCredentials& of) : of_(of) { of_.asking_ = true; }
        Asking(const Asking&) = delete;
        Asking& operator=(const Asking&) = delete;
        ~Asking() {
            of_.asking_ = false;
            ++of_.round_;
            of_.asked_.notify();
        }

      private:
        RefreshedCredentials& of_;
    };

    asio::awaitable<void> ask(async::StopToken stop) {
        const Asking asking(*this);
        failure_ = nullptr;
        std::exception_ptr failure;
        try {
            session_ = co_await fetch_(stop);
        } catch (const base::Error&) {
            failure = std::current_exception();
        }
        asked_at_ = clock_.now();
        if (!failure) co_return;
        stop.check();  // nobody else's failure: the next caller asks
        if (holds()) co_return;
        failure_ = failure;
        std::rethrow_exception(failure);
    }

    const base::Clock& clock_;
    std::function<asio::awaitable<Session>(async::StopToken)> fetch_;
    std::optional<Session> session_;
    base::Timestamp asked_at_{};
    bool asking_ = false;
    std::uint64_t round_ = 0;
    std::exception_ptr failure_;  // of the last round
    async::Event asked_;
};

}  // namespace

std::shared_ptr<CredentialSource> fixed_credentials(Credentials credentials) {
    return std::make_shared<FixedCredentials>(std::move(credentials));
}

AwsVariables aws_variables() {
    AwsVariables found;
    for (const char* const* entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (text.starts_with("AWS_") && equals != std::string_view::npos)
            found.emplace(text.substr(0, equals), base::Secret(std::string(text.substr(equals + 1))));
    }
    return found;
}

std::string_view variable(const AwsVariables& variables, std::string_view name) noexcept {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string_view() : found->second.reveal();
}

std::optional<Credentials> credentials_of(const AwsVariables& variables) {
    const auto key = variable(variables, "AWS_ACCESS_KEY_ID");
    const auto secret = variable(variables, "AWS_SECRET_ACCESS_KEY");
    if (key.empty() && secret.empty()) return std::nullopt;
    if (key.empty() || secret.empty())
        throw base::Error(base::ErrorCode::invalid_configuration,
                          std::string("the environment has AWS_") +
                              (key.empty() ? "SECRET_ACCESS_KEY" : "ACCESS_KEY_ID") + " without AWS_" +
                              (key.empty() ? "ACCESS_KEY_ID" : "SECRET_ACCESS_KEY"),
                          "set both, or neither");
    return Credentials{std::string(key), base::Secret(std::string(secret)),
                       base::Secret(std::string(variable(variables, "AWS_SESSION_TOKEN")))};
}

std::shared_ptr<CredentialSource> refreshed_credentials(
    const asio::any_io_executor& executor, const base::Clock& clock,
    std::function<asio::awaitable<Session>(async::StopToken)> fetch) {
    return std::make_shared<RefreshedCredentials>(executor, clock, std::move(fetch));
}

}  // namespace pgbakd::target
