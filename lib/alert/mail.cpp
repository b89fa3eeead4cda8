#include <fmt/format.h>

#include <utility>

#include "alert/answer.hpp"
#include "alert/channels.hpp"
#include "alert/mail_message.hpp"
#include "async/pool.hpp"
#include "base/text.hpp"
#include "http/smtp.hpp"

namespace pgbakd::alert {
namespace {

// What the pool needs of a mail, and what came of it.
struct Sending {
    http::SmtpOptions options;
    http::Mail mail;
    http::Interrupt interrupt;
};

class MailChannel final : public Channel {
  public:
    MailChannel(const model::MailPlace& place, const Surroundings& around)
        : clock_(around.clock), from_(place.from), to_(place.to) {
        options_.url = place.url;
        options_.user = place.user;
        if (place.password.kind != model::SecretReference::Kind::none)
            options_.password = around.secret(place.password);
        options_.ca_file = place.ca_file.native();
        options_.connect_timeout = std::min(around.patience, options_.connect_timeout);
        options_.deadline = around.patience;
    }

    MailChannel(const MailChannel&) = delete;
    MailChannel& operator=(const MailChannel&) = delete;
    // The pool waits for a mail that nobody waits for any more.
    ~MailChannel() override {
        if (const auto sending = under_way_.lock()) sending->interrupt.stop();
    }

    asio::awaitable<Delivery> deliver(std::vector<model::Alert> alerts, async::StopToken stop) override {
        stop.check();
        const auto sending = std::make_shared<Sending>();
        under_way_ = sending;
        sending->options = options_;
        sending->mail.from = from_;
        sending->mail.to = to_;
        sending->mail.text = mail_message(alerts, from_, to_, clock_.now());
        const auto registration = stop.on_stop([sending] { sending->interrupt.stop(); });
        const auto send = [sending] { return http::send_mail(sending->options, sending->mail, sending->interrupt); };
        std::exception_ptr failure;
        Delivery delivery;
        try {
            const auto missed = co_await async::run_blocking(pool_, send);
            delivery.remark = remark_of(missed);
            for (const auto& each : missed.deferred) delivery.deferred.push_back({each.address, each.answer});
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) co_return delivery;
        stop.check();
        const auto error = base::to_error(failure);
        co_return judged(error);
    }

  private:
    static std::string list_of(const std::vector<http::Recipient>& recipients) {
        std::vector<std::string> parts;
        for (const auto& [address, answer] : recipients) parts.push_back(fmt::format("{}: {}", address, answer));
        return fmt::format("{}: {}", base::counted(recipients.size(), "recipient"), base::join(parts, "; "));
    }
    static std::string remark_of(const http::Missed& missed) {
        std::vector<std::string> parts;
        if (!missed.refused.empty()) parts.push_back("the mail server refuses " + list_of(missed.refused));
        if (!missed.deferred.empty())
            parts.push_back("the mail server wants to be asked later for " + list_of(missed.deferred));
        return base::join(parts, "; ");
    }

    static Delivery judged(const base::Error& error) {
        auto delivery = judge(error);
        if (error.code() == base::ErrorCode::conflict) delivery.outcome = Delivery::Outcome::rejected;
        return delivery;
    }

    const base::Clock& clock_;
    std::string from_;
    std::vector<std::string> to_;
    http::SmtpOptions options_;
    std::weak_ptr<Sending> under_way_;
    // Its own, for libcurl's SMTP blocks: a mail server that is away holds this thread, and nobody else's.
    async::Pool pool_{1, 0};
};

}  // namespace

ChannelPtr make(const std::string& /*name*/, const model::MailPlace& place, const Surroundings& around) {
    return std::make_shared<MailChannel>(place, around);
}

}  // namespace pgbakd::alert
