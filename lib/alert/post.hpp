// Requests of HTTP channels: within a time, with a bounded answer, and judged.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "alert/channel.hpp"
#include "http/client.hpp"

namespace pgbakd::alert {

class Post {
  public:
    // `ca_file` may be empty.
    Post(const Surroundings& around, const std::filesystem::path& ca_file, std::string_view hint_when_refused);

    // Throws the token's reason only, and not once the service has said that it has the message.
    asio::awaitable<Delivery> send(http::Request request, async::StopToken stop);

  private:
    asio::any_io_executor executor_;
    const base::Clock& clock_;
    std::chrono::milliseconds patience_;
    std::string hint_;
    http::Client client_;
};

// Throws invalid_configuration for what is no URL of HTTP; `what` names it: "the URL of channel ops". Nothing of the
// URL is shown.
void check_url(std::string_view url, std::string_view what);

}  // namespace pgbakd::alert
