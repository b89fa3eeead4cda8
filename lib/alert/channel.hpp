// A place where alerts go. One delivery at a time for each channel; reactor thread only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "model/alert.hpp"
#include "model/channel.hpp"

namespace pgbakd::alert {

// A channel that asks for a longer pause gets this one.
inline constexpr std::chrono::hours longest_asked{24};

struct Delivery {
    enum class Outcome {
        delivered,  // the channel has it
        try_again,  // a passing cause
        refused,    // nothing is taken until somebody mends the channel: a wrong URL, token, certificate
        rejected,   // this message will never be taken, others may be
    };
    Outcome outcome = Outcome::delivered;
    std::optional<base::Error> error{};  // unless it was delivered; without a secret
    // What the channel asks for before it hears anything more, also after a delivery; at most longest_asked. Zero:
    // nothing.
    std::chrono::milliseconds pause{0};
    std::string remark{};  // what somebody should know of a delivery: which recipients were refused
    // Of a delivery: recipients whom it is to be sent later, since their server asks for that, with its answer.
    struct Deferred {
        std::string address, answer;
        friend bool operator==(const Deferred&, const Deferred&) = default;
    };
    std::vector<Deferred> deferred{};
};

class Channel {
  public:
    Channel() = default;
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    virtual ~Channel() = default;

    // One alert, or a digest of several, oldest first; at least one. Within the patience it was made with. A channel
    // that may have the message already gets it again with the same id, unless it said that it has it.
    // Throws the token's reason, and nothing else of base::Error.
    virtual asio::awaitable<Delivery> deliver(std::vector<model::Alert> alerts, async::StopToken stop) = 0;
};

struct Surroundings {
    asio::any_io_executor executor;
    const base::Clock& clock;                                           // outlives the channel
    std::function<base::Secret(const model::SecretReference&)> secret;  // resolves one; may block
    std::chrono::milliseconds patience = std::chrono::seconds(60);      // for one delivery in all
};

// Reads its secrets, which may block for files, and speaks to nobody. TLS is verified, redirects are not followed, no
// proxy of the environment is used, and answers are bounded.
// Throws base::Error: what `secret` throws; invalid_configuration for a secret that is no URL of the kind.
[[nodiscard]] std::shared_ptr<Channel> make_channel(const model::ChannelSpec& spec, const Surroundings& around);

}  // namespace pgbakd::alert
