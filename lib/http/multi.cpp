#include "http/multi.hpp"

#include <mutex>
#include <new>
#include <utility>

#include "http/transfer.hpp"

namespace pgbakd::http {

void initialise_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
            throw base::Error(base::ErrorCode::internal, "libcurl could not be initialised");
    });
}

struct Multi::Watch {
    Watch(const asio::any_io_executor& executor, curl_socket_t socket_)
        : socket(socket_), descriptor(executor, socket_) {}
    // The socket stays libcurl's: it closes it.
    ~Watch() {
        if (descriptor.is_open()) descriptor.release();
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    curl_socket_t socket;
    asio::posix::stream_descriptor descriptor;
    int wanted = 0;   // CURL_POLL_IN, CURL_POLL_OUT or both
    int pending = 0;  // what is being waited for
};

std::shared_ptr<Multi> Multi::create(const asio::any_io_executor& executor) {
    return std::make_shared<Multi>(executor);
}

Multi::Multi(const asio::any_io_executor& executor) : executor_(executor), timer_(executor) {
    initialise_library();
    handle_ = curl_multi_init();
    if (handle_ == nullptr) throw std::bad_alloc();
    curl_multi_setopt(handle_, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
    curl_multi_setopt(handle_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(handle_, CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
    curl_multi_setopt(handle_, CURLMOPT_TIMERDATA, this);
}

Multi::~Multi() {
    // Closes the kept connections, through the callbacks.
    curl_multi_cleanup(handle_);
}

Multi::Membership::Membership(std::shared_ptr<Multi> multi, std::shared_ptr<Transfer> transfer)
    : multi_(std::move(multi)), transfer_(std::move(transfer)) {
    curl_easy_setopt(transfer_->handle(), CURLOPT_PRIVATE, transfer_.get());
    if (const auto code = curl_multi_add_handle(multi_->handle_, transfer_->handle()); code != CURLM_OK)
        throw base::Error(base::ErrorCode::internal, curl_multi_strerror(code));
}

Multi::Membership::~Membership() {
    curl_multi_remove_handle(multi_->handle_, transfer_->handle());
}

int Multi::on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self, void* /*assigned*/) {
    static_cast<Multi*>(self)->watch(socket, what);
    return 0;
}

int Multi::on_timer(CURLM* /*handle*/, long timeout_ms, void* self) {
    auto& multi = *static_cast<Multi*>(self);
    const auto round = ++multi.timer_round_;
    multi.timer_.cancel();
    if (timeout_ms < 0) return 0;
    auto expire = [weak = multi.weak_from_this(), round](const boost::system::error_code& failure = {}) {
        const auto alive = weak.lock();
        if (!failure && alive && alive->timer_round_ == round) alive->act(CURL_SOCKET_TIMEOUT, 0);
    };
    // Also at once only by way of the reactor: libcurl must not be called from its own callback. That is what each
    // request begins with, and no timer is needed for it.
    if (timeout_ms == 0) {
        asio::post(multi.executor_, std::move(expire));
        return 0;
    }
    multi.timer_.expires_after(std::chrono::milliseconds(timeout_ms));
    multi.timer_.async_wait(std::move(expire));
    return 0;
}

void Multi::watch(curl_socket_t socket, int what) {
    const auto found = watches_.find(socket);
    if (what == CURL_POLL_REMOVE) {
        if (found == watches_.end()) return;
        // At once, for the number may be closed and given to another socket right after this call. What is pending
        // ends by itself, and finds that nothing is wanted.
        found->second->wanted = 0;
        found->second->descriptor.release();
        watches_.erase(found);
        return;
    }
    const auto entry =
        found != watches_.end() ? found : watches_.emplace(socket, std::make_shared<Watch>(executor_, socket)).first;
    entry->second->wanted = what;
    arm(entry->second);
}

void Multi::arm(const std::shared_ptr<Watch>& watch) {
    using Descriptor = asio::posix::stream_descriptor;
    for (const auto& [what, kind] :
         {std::pair(CURL_POLL_IN, Descriptor::wait_read), std::pair(CURL_POLL_OUT, Descriptor::wait_write)}) {
        if ((watch->wanted & what) == 0 || (watch->pending & what) != 0) continue;
        watch->pending |= what;
        watch->descriptor.async_wait(
            kind, [weak = weak_from_this(), watch, what = what](const boost::system::error_code& failure) {
                watch->pending &= ~what;
                const auto alive = weak.lock();
                if (!failure && alive) alive->ready(watch, what);
            });
    }
}

void Multi::ready(const std::shared_ptr<Watch>& watch, int what) {
    if ((watch->wanted & what) == 0) return;
    act(watch->socket, what == CURL_POLL_IN ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
    // Removed meanwhile: nothing is wanted any more.
    if (watch->wanted != 0) arm(watch);
}

void Multi::act(curl_socket_t socket, int what) {
    int running = 0;
    // What goes wrong for one transfer is told by its own result; for all of them there is nobody to tell, and each
    // has its own time limit.
    curl_multi_socket_action(handle_, socket, what, &running);
    collect();
}

void Multi::collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(handle_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const auto code = message->data.result;
        CURL* const easy = message->easy_handle;
        char* transfer = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
        reinterpret_cast<Transfer*>(transfer)->finish(code);
    }
}

}  // namespace pgbakd::http
