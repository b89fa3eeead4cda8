#include "cipher/decrypting_check.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/text.hpp"

namespace pgbakd::cipher {
namespace {

constexpr std::size_t piece = std::size_t{256} << 10U;
constexpr std::size_t most_words = 1000;

pollfd waiting_for(const os::Descriptor& file, short events) {
    return {file ? file.get() : -1, events, 0};  // poll() passes over -1
}

bool try_again(int error_number) {
    return error_number == EINTR || error_number == EAGAIN;
}

}  // namespace

DecryptingCheck::DecryptingCheck(const os::Command& command, Explain explain, std::unique_ptr<codec::Check> content)
    : explain_(std::move(explain)), content_(std::move(content)), child_(os::Child::spawn(command)) {}

base::Status DecryptingCheck::write(codec::Bytes bytes) {
    while (!bytes.empty() && !takes_no_more_ && content_status_) exchange(bytes);
    if (!content_status_) return content_status_;
    return takes_no_more_ ? conclude() : base::Status();
}

base::Status DecryptingCheck::finish() {
    auto status = conclude();
    if (!status) return status;
    return content_->finish();
}

void DecryptingCheck::exchange(codec::Bytes& bytes) {
    const short wanted = bytes.empty() ? 0 : POLLOUT;
    std::array events{waiting_for(child_.input(), wanted), waiting_for(child_.output(), POLLIN),
                      waiting_for(child_.errors(), POLLIN)};
    if (::poll(events.data(), events.size(), -1) < 0 && errno != EINTR)
        throw base::error_from_errno(errno, "waiting for a program");
    if (events[1].revents != 0) take_output();
    if (events[2].revents != 0) take_errors();
    if (events[0].revents == 0 || bytes.empty()) return;
    const auto count = ::send(child_.input().get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && try_again(errno)) return;
    if (count < 0)
        takes_no_more_ = true;
    else
        bytes = bytes.subspan(static_cast<std::size_t>(count));
}

void DecryptingCheck::take_output() {
    std::vector<std::byte> buffer(piece);
    const auto count = ::read(child_.output().get(), buffer.data(), buffer.size());
    if (count < 0 && try_again(errno)) return;
    if (count <= 0) {
        child_.output().reset();
        return;
    }
    if (content_status_) content_status_ = content_->write(std::span(buffer).first(static_cast<std::size_t>(count)));
}

void DecryptingCheck::take_errors() {
    std::array<char, 4096> buffer{};
    const auto count = ::read(child_.errors().get(), buffer.data(), buffer.size());
    if (count < 0 && try_again(errno)) return;
    if (count <= 0) {
        child_.errors().reset();
        return;
    }
    errors_.append(buffer.data(), static_cast<std::size_t>(count));
    // The first ones are of what went wrong first, and gpg may repeat itself without end.
    if (errors_.size() > most_words) errors_.resize(most_words);
}

base::Status DecryptingCheck::conclude() {
    child_.input().reset();
    codec::Bytes none;
    while (child_.output()) exchange(none);
    // What gpg has started may hold its standard error: the end of that is not waited for.
    wait_for_end();
    const auto ending = child_.reap();
    if (!content_status_) return content_status_;
    if (ending.good() && !takes_no_more_) return {};
    const auto error = explain_(ending, words());
    if (error.code() == base::ErrorCode::corrupt) return error;
    throw base::Error(error);
}

void DecryptingCheck::wait_for_end() {
    for (;;) {
        std::array events{waiting_for(child_.pidfd(), POLLIN), waiting_for(child_.errors(), POLLIN)};
        if (::poll(events.data(), events.size(), -1) < 0 && errno != EINTR)
            throw base::error_from_errno(errno, "waiting for a program");
        // Its last words are read before its end is believed.
        if (events[1].revents != 0)
            take_errors();
        else if (events[0].revents != 0)
            return;
    }
}

std::string DecryptingCheck::words() const {
    std::vector<std::string> lines;
    for (const auto line : base::split(errors_, '\n'))
        if (const auto trimmed = base::trim(line); !trimmed.empty()) lines.push_back(base::printable(trimmed));
    return base::clamp_utf8(base::join(lines, "; "), most_words);
}

}  // namespace pgbakd::cipher
