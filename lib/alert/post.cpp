#include "alert/post.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "alert/answer.hpp"
#include "async/timer.hpp"
#include "base/text.hpp"

namespace pgbakd::alert {
namespace {

constexpr std::size_t most_answer = 64UL * 1024;

http::Options options_of(const Surroundings& around, const std::filesystem::path& ca_file) {
    http::Options options;
    options.ca_file = ca_file.native();
    options.connect_timeout = std::min(around.patience, options.connect_timeout);
    options.stall_timeout = std::min(around.patience, options.stall_timeout);
    options.most_body_bytes = most_answer;
    return options;
}

// A service that has answered with a status of success has the message, whatever it says after that, and however long.
class Accepted final : public http::BodySink {
  public:
    void begin(const http::Response& head) override { head_ = head; }
    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken /*stop*/) override {
        received_ += bytes.size();
        if (received_ <= most_answer) co_return;
        base::Error enough(base::ErrorCode::cancelled, "enough of the answer was read");
        throw std::move(enough);
    }
    [[nodiscard]] const std::optional<http::Response>& head() const noexcept { return head_; }

  private:
    std::optional<http::Response> head_;
    std::size_t received_ = 0;
};

}  // namespace

Post::Post(const Surroundings& around, const std::filesystem::path& ca_file, std::string_view hint_when_refused)
    : executor_(around.executor),
      clock_(around.clock),
      patience_(around.patience),
      hint_(hint_when_refused),
      client_(executor_, options_of(around, ca_file)) {}

asio::awaitable<Delivery> Post::send(http::Request request, async::StopToken stop) {
    const auto origin = http::origin_of(request.url);
    const auto accepted = std::make_shared<Accepted>();
    request.sink = accepted;
    const async::Deadline deadline(executor_, stop, patience_, origin + ": the delivery");
    const auto token = deadline.token();
    std::optional<http::Response> response;
    std::exception_ptr failure;
    try {
        response = co_await client_.perform(std::move(request), token);
    } catch (...) {
        failure = std::current_exception();
    }
    if (accepted->head()) response = accepted->head();
    if (response) co_return judge(*response, origin, hint_, clock_.now());
    stop.check();
    const auto error = base::to_error(failure);
    co_return judge(error);
}

void check_url(std::string_view url, std::string_view what) {
    const auto lower = base::to_lower(url.substr(0, 8));
    const bool is_http = lower.starts_with("https://") || lower.starts_with("http://");
    const bool is_clean =
        std::ranges::all_of(url, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
    if (is_http && is_clean && http::origin_of(url) != "the URL") return;
    throw base::Error(base::ErrorCode::invalid_configuration, fmt::format("{} is not an https:// or http:// URL", what),
                      "give the whole URL, as the service shows it, on one line");
}

}  // namespace pgbakd::alert
