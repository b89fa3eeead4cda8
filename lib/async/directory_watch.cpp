#include "async/directory_watch.hpp"

#include <utility>

namespace pgbakd::async {

DirectoryWatch::DirectoryWatch(const asio::any_io_executor& executor) : readable_(executor, watch_.descriptor()) {}

DirectoryWatch::DirectoryWatch(const asio::any_io_executor& executor, os::DirectoryWatch watch)
    : watch_(std::move(watch)), readable_(executor, watch_.descriptor()) {}

DirectoryWatch::~DirectoryWatch() {
    readable_.release();  // the descriptor is the watch's own
}

asio::awaitable<void> DirectoryWatch::changed(StopToken stop) {
    const auto registration = stop.on_stop([this] { readable_.cancel(); });
    while (!watch_.drain()) {
        stop.check();
        boost::system::error_code error;
        co_await readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                                      asio::redirect_error(asio::use_awaitable, error));
        stop.check();
    }
}

}  // namespace pgbakd::async
