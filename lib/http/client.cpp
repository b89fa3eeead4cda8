#include "http/client.hpp"

#include <utility>

#include "http/multi.hpp"
#include "http/transfer.hpp"

namespace pgbakd::http {

Client::Client(const asio::any_io_executor& executor, Options options)
    : executor_(executor), options_(std::move(options)), multi_(Multi::create(executor)) {}

Client::~Client() = default;

asio::awaitable<Response> Client::perform(Request request, async::StopToken stop) {
    stop.check();
    const auto transfer = std::make_shared<Transfer>(executor_, options_, std::move(request));
    // Leaves the multi handle in every case, also when this frame is destroyed before its end.
    const Multi::Membership membership(multi_, transfer);
    co_return co_await transfer->run(stop);
}

}  // namespace pgbakd::http
