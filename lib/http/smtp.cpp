#include "http/smtp.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <new>
#include <string_view>

#include "base/text.hpp"
#include "http/blocking.hpp"
#include "http/message.hpp"
#include "http/multi.hpp"
#include "http/smtp_failure.hpp"
#include "http/string_list.hpp"

namespace pgbakd::http {
namespace {

using base::Error;
using base::ErrorCode;
using Clock = std::chrono::steady_clock;

// Once the server has the mail, how long it may take to say good-bye.
constexpr std::chrono::seconds leave_taking{2};
constexpr std::size_t longest_reply = 1000;

bool is_clean(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

void check_address(std::string_view address) {
    if (address.empty() || !is_clean(address) || address.find_first_of("<>") != std::string_view::npos)
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("\"{}\" is no address of mail", base::printable(base::clamp_utf8(address, 100))));
}

int code_of(std::string_view line) {
    int code = 0;
    if (line.size() < 3) return 0;
    const auto* const end = line.data() + 3;
    return std::from_chars(line.data(), end, code).ptr == end ? code : 0;
}

}  // namespace

std::string origin_of(const SmtpOptions& options) {
    return origin_of(std::string_view(options.url));
}

// One mail: libcurl's handles, and what its log tells of the conversation.
class SmtpExchange {
  public:
    SmtpExchange(const SmtpOptions& options, const Mail& mail, Interrupt& interrupt)
        : options_(options), mail_(mail), interrupt_(interrupt), begin_(Clock::now()) {
        initialise_library();
        easy_.reset(curl_easy_init());
        multi_.reset(curl_multi_init());
        if (!easy_ || !multi_) throw std::bad_alloc();
    }
    SmtpExchange(const SmtpExchange&) = delete;
    SmtpExchange& operator=(const SmtpExchange&) = delete;
    ~SmtpExchange() = default;

    Missed perform() {
        check();
        for (const auto& address : mail_.to) check_address(address);
        check_address(mail_.from);
        set_up();
        const auto code = drive();
        // What the server has accepted was sent, whatever came afterwards.
        if (accepted_ || code == CURLE_OK) return missed_;
        check();
        throw failure_from(ending(code));
    }

  private:
    static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self) {
        auto& exchange = *static_cast<SmtpExchange*>(self);
        const auto bytes = std::min(size * count, exchange.mail_.text.size() - exchange.sent_);
        std::copy_n(exchange.mail_.text.data() + exchange.sent_, bytes, into);
        exchange.sent_ += bytes;
        return bytes;
    }
    static std::size_t on_data(char* /*data*/, std::size_t size, std::size_t count, void* /*self*/) {
        return size * count;
    }
    static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        return static_cast<SmtpExchange*>(self)->must_end() ? 1 : 0;
    }
    static int on_debug(CURL* /*easy*/, curl_infotype kind, char* data, std::size_t size, void* self) {
        auto& exchange = *static_cast<SmtpExchange*>(self);
        if (kind == CURLINFO_HEADER_OUT) exchange.said(std::string_view(data, size));
        if (kind == CURLINFO_HEADER_IN) exchange.heard(std::string_view(data, size));
        return 0;
    }
    // The daemon starts children at any time: none may inherit a connection.
    static curl_socket_t on_open(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
        const auto opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
        static_cast<SmtpExchange*>(self)->sockets_.push_back(opened);
        return opened;
    }
    static int on_close(void* self, curl_socket_t socket) {
        std::erase(static_cast<SmtpExchange*>(self)->sockets_, socket);
        return ::close(socket);
    }

    // Nothing of what goes out while it authenticates is kept: its lines are secrets without a name.
    void said(std::string_view line) {
        line = base::trim(line);
        for (const std::string_view begin :
             {"EHLO ", "HELO ", "STARTTLS", "AUTH ", "MAIL FROM:", "RCPT TO:", "DATA", "QUIT"}) {
            const auto verb = begin.substr(0, begin.find(' '));
            const bool is_alone = verb == begin;
            if (is_alone ? line != verb : !line.starts_with(begin)) continue;
            // What is answered to a good-bye says nothing of the mail.
            leaving_ = verb == "QUIT";
            if (leaving_) return;
            stage_ = verb == "HELO" ? "EHLO" : verb;
            if (verb == "RCPT") ++recipient_;
            reply_ = 0;
            reply_text_.clear();
        }
    }
    void heard(std::string_view lines) {
        for (auto line : base::split(lines, '\n')) {
            line = base::trim(line);
            const auto code = code_of(line);
            // "250-": more lines follow.
            if (code == 0 || line.substr(3, 1) == "-" || accepted_ || leaving_) continue;
            reply_ = code;
            reply_text_ = stage_ == "AUTH" ? std::string() : std::string(line.substr(0, longest_reply));
            if (stage_ == "RCPT" && code >= 400 && recipient_ <= mail_.to.size())
                (code < 500 ? missed_.deferred : missed_.refused)
                    .push_back({mail_.to[recipient_ - 1], base::printable(base::clamp_utf8(reply_text_, 200))});
            // The answer after this one is that to the whole message, before which libcurl tells of no command.
            if (stage_ == "DATA" && code == 354) {
                stage_ = ".";
                reply_ = 0;
                reply_text_.clear();
            } else if (stage_ == "." && code >= 200 && code < 300) {
                accepted_ = true;
                accepted_at_ = Clock::now();
            }
        }
    }

    template <class Value>
    void set(CURLoption option, Value value) {
        curl_easy_setopt(easy_.get(), option, value);
    }

    // The port of submission where the URL has none: libcurl's own is that of relays.
    void set_port() {
        const std::unique_ptr<CURLU, Cleanup> url(curl_url());
        char* port = nullptr;
        if (!url || curl_url_set(url.get(), CURLUPART_URL, options_.url.c_str(), 0) != CURLUE_OK) return;
        if (curl_url_get(url.get(), CURLUPART_PORT, &port, 0) == CURLUE_OK)
            curl_free(port);
        else if (options_.url.starts_with("smtp://"))
            set(CURLOPT_PORT, 587L);
    }

    void set_up() {
        set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        set(CURLOPT_URL, options_.url.c_str());
        set_port();
        set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        if (!options_.ca_file.empty()) {
            set(CURLOPT_CAINFO, options_.ca_file.c_str());
            set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
        }
        set_callbacks(easy_.get(), {&on_open, &on_close, &on_debug, &on_progress}, this, detail_.data());
        set(CURLOPT_FORBID_REUSE, 1L);  // so that good-bye is said here, where it can be ended
        set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
        // must_end() is first, with the same limit.
        set(CURLOPT_SERVER_RESPONSE_TIMEOUT,
            static_cast<long>(std::chrono::ceil<std::chrono::seconds>(2 * options_.deadline).count()));
        set(CURLOPT_WRITEFUNCTION, &SmtpExchange::on_data);
        set(CURLOPT_HEADERFUNCTION, &SmtpExchange::on_data);

        if (!options_.user.empty()) {
            const base::Secret password = options_.password;
            const std::string text(password.reveal());
            set(CURLOPT_USERNAME, options_.user.c_str());
            set(CURLOPT_PASSWORD, text.c_str());
        }
        const auto sender = "<" + mail_.from + ">";
        set(CURLOPT_MAIL_FROM, sender.c_str());
        for (const auto& address : mail_.to) recipients_.append("<" + address + ">");
        set(CURLOPT_MAIL_RCPT, recipients_.get());
        // One who has left must not keep the others from knowing.
        set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
        set(CURLOPT_UPLOAD, 1L);
        set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail_.text.size()));
        set(CURLOPT_READFUNCTION, &SmtpExchange::on_read);
        set(CURLOPT_READDATA, this);
    }

    bool must_end() {
        const auto now = Clock::now();
        if (accepted_ ? now - accepted_at_ <= leave_taking : now - begin_ <= options_.deadline && !interrupt_.stopped())
            return false;
        stalled_ = stalled_ || (!accepted_ && now - begin_ > options_.deadline);
        // On a connection that is shut down libcurl waits for nothing more.
        for (const auto socket : sockets_) ::shutdown(socket, SHUT_RDWR);
        return true;
    }

    CURLcode drive() {
        const auto result = http::drive(multi_.get(), easy_.get(), interrupt_, [this] { return must_end(); });
        curl_multi_remove_handle(multi_.get(), easy_.get());
        return result;
    }

    [[nodiscard]] SmtpEnding ending(CURLcode code) const {
        long system_error = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &system_error);
        curl_off_t connected = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_CONNECT_TIME_T, &connected);
        // Of recipients none of whom was taken, one that may be taken later decides: it is tried again for that one.
        const auto* const later = stage_ == "RCPT" && !missed_.deferred.empty() ? &missed_.deferred.front() : nullptr;
        return {.code = code,
                .origin = origin_of(options_),
                .detail = detail_.data(),
                .stage = stage_,
                .reply = later != nullptr ? code_of(later->answer) : reply_,
                .reply_text = later != nullptr ? later->answer : reply_text_,
                .system_error = static_cast<int>(system_error),
                .connected = connected > 0,
                .stalled = stalled_,
                .with_user = !options_.user.empty(),
                .ca_file = options_.ca_file};
    }

    void check() const {
        if (interrupt_.stopped()) throw Error(ErrorCode::cancelled, "the delivery was stopped");
    }

    struct Cleanup {
        void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
        void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
    };
    struct EasyCleanup {
        void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    };

    const SmtpOptions& options_;
    const Mail& mail_;
    Interrupt& interrupt_;
    Clock::time_point begin_;

    std::size_t sent_ = 0;
    std::size_t recipient_ = 0;  // the one named last, from 1
    std::string stage_;
    int reply_ = 0;
    std::string reply_text_;
    bool leaving_ = false;
    Missed missed_;
    bool accepted_ = false;
    Clock::time_point accepted_at_;
    bool stalled_ = false;
    std::vector<curl_socket_t> sockets_;
    std::array<char, CURL_ERROR_SIZE> detail_{};

    StringList recipients_;
    std::unique_ptr<CURL, EasyCleanup> easy_;
    std::unique_ptr<CURLM, Cleanup> multi_;  // gone first, while the easy handle's connection can still be told of
};

Missed send_mail(const SmtpOptions& options, const Mail& mail, Interrupt& interrupt) {
    if (mail.to.empty()) throw Error(ErrorCode::invalid_argument, "a mail without recipients");
    return SmtpExchange(options, mail, interrupt).perform();
}

}  // namespace pgbakd::http
