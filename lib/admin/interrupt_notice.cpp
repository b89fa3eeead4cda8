#include "admin/interrupt_notice.hpp"

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <utility>

namespace pgbakd::admin {
namespace {

// What the handler may touch: set before it is installed, cleared after it is gone.
std::atomic<const char*> notice{nullptr};
std::atomic<std::size_t> notice_size{0};
static_assert(std::atomic<const char*>::is_always_lock_free && std::atomic<std::size_t>::is_always_lock_free);

// Only what signal-safety(7) allows. SA_RESETHAND has put the default back, so that the signal raised here, which waits
// until this one is handled, ends the process as if there had been no handler.
void write_notice(int signal) {
    if (const char* text = notice.load()) (void)!::write(STDERR_FILENO, text, notice_size.load());
    ::raise(signal);
}

}  // namespace

InterruptNotice::InterruptNotice(std::string text) : text_(std::move(text)) {
    if (::sigaction(SIGINT, nullptr, &before_) != 0 || before_.sa_handler == SIG_IGN) return;
    notice_size = text_.size();
    notice = text_.c_str();
    struct sigaction action {};
    action.sa_handler = write_notice;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    installed_ = ::sigaction(SIGINT, &action, nullptr) == 0;
}

InterruptNotice::~InterruptNotice() {
    if (installed_) ::sigaction(SIGINT, &before_, nullptr);
    notice = nullptr;
}

}  // namespace pgbakd::admin
