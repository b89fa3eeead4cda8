#include "http/sftp_handle.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "codec/hmac.hpp"
#include "http/blocking.hpp"
#include "http/multi.hpp"
#include "os/file.hpp"

namespace pgbakd::http {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t most_known_hosts = 16UL * 1024 * 1024;
constexpr std::size_t most_text = 64UL * 1024 * 1024;  // of a directory: a million names

std::string ssh_library() {
    const auto* const library = curl_version_info(CURLVERSION_NOW)->libssh_version;
    return library == nullptr ? "libcurl's SSH" : library;
}

}  // namespace

SftpHandle::SftpHandle(SftpOptions options) : options_(std::move(options)) {
    initialise_library();
    easy_.reset(curl_easy_init());
    multi_.reset(curl_multi_init());
    if (!easy_ || !multi_) throw std::bad_alloc();
}

SftpHandle::~SftpHandle() = default;

// --- before a connection is made ---

void SftpHandle::prepare() {
    if (!options_.key_file.empty()) key_ = check_client_key(options_.key_file, !options_.passphrase.empty());
    if (!os::target_status(options_.known_hosts))
        throw Error(
            ErrorCode::invalid_configuration,
            fmt::format("{}: there is no such known_hosts file", options_.known_hosts.native()),
            fmt::format("make it with: ssh-keyscan -p {} {} >{}; and compare the fingerprint that ssh-keygen -lf "
                        "shows of it with the server's own",
                        options_.port, options_.host, options_.known_hosts.native()));
    known_ = known_keys(os::read_file(options_.known_hosts, most_known_hosts), options_.host, options_.port);
    // The server has keys of several types, and libcurl asks for one of them: that of the first line it finds in its
    // known_hosts. It takes the first hashed line for one of this host, so it gets a file of its own.
    preferred_.clear();
    const auto library = ssh_library();
    for (const std::string_view type :
         {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"})
        if (std::ranges::any_of(known_.trusted, [type](const HostKey& key) { return key.type == type; }) &&
            (type != "ssh-rsa" || !knows_rsa_by_sha1_only(library)))
            preferred_.emplace_back(type);
    if (preferred_.empty() && !known_.trusted.empty() && known_.trusted.front().type == "ssh-rsa")
        throw only_rsa_is_known(options_, library);
    prefer(preferred_.empty() ? std::string() : preferred_.front());
}

void SftpHandle::prefer(const std::string& type) {
    std::string line;
    for (const auto& key : known_.trusted)
        if (key.type == type)
            line = fmt::format("{} {} {}\n", known_name(options_.host, options_.port), key.type, key.blob);
    preference_ = os::Descriptor(::memfd_create("known_hosts", MFD_CLOEXEC));
    if (!preference_) throw base::error_from_errno(errno, "making a file in memory");
    os::write_all(preference_, std::as_bytes(std::span(line)), "a file in memory");
}

bool SftpHandle::accepts(std::span<const std::byte> key) {
    const auto blob = codec::base64(key);
    const auto is_shown = [&blob](const HostKey& known) { return known.blob == blob; };
    HostKeyVerdict verdict{.type = key_type(key), .fingerprint = fingerprint(key), .known = {}};
    if (std::ranges::any_of(known_.revoked, is_shown)) {
        verdict.kind = HostKeyVerdict::Kind::revoked;
    } else if (std::ranges::any_of(known_.trusted, is_shown)) {
        return true;
    } else if (!known_.trusted.empty()) {
        verdict.kind = HostKeyVerdict::Kind::changed;
        for (const auto& known : known_.trusted)
            verdict.known.push_back(known.type + " " +
                                    fingerprint(codec::from_base64(known.blob).value_or(std::vector<std::byte>())));
    }
    verdict_ = std::move(verdict);
    return false;
}

// --- called by libcurl ---

std::size_t SftpHandle::on_write(char* data, std::size_t size, std::size_t count, void* self) {
    auto& handle = *static_cast<SftpHandle*>(self);
    const auto bytes = size * count;
    const auto& job = *handle.job_;
    if (job.text != nullptr) {
        handle.overflow_ = job.text->size() + bytes > most_text;
        if (handle.overflow_) return 0;
        job.text->append(data, bytes);
    } else {
        handle.overflow_ = bytes > job.into.size() - handle.received_;
        if (handle.overflow_) return 0;
        std::memcpy(job.into.data() + handle.received_, data, bytes);
    }
    handle.received_ += bytes;
    return bytes;
}

std::size_t SftpHandle::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    const auto& job = *static_cast<SftpHandle*>(self)->job_;
    if (job.answers != nullptr) job.answers->append(data, size * count);
    return size * count;
}

std::size_t SftpHandle::on_read(char* into, std::size_t size, std::size_t count, void* self) {
    auto& handle = *static_cast<SftpHandle*>(self);
    const auto rest = handle.job_->to_write->subspan(handle.sent_);
    const auto bytes = std::min(size * count, rest.size());
    if (bytes > 0) std::memcpy(into, rest.data(), bytes);
    handle.sent_ += bytes;
    return bytes;
}

int SftpHandle::on_seek(void* self, curl_off_t offset, int /*origin*/) {
    // To where the file ends already, which is where our bytes begin.
    const auto& job = *static_cast<SftpHandle*>(self)->job_;
    return static_cast<std::uint64_t>(offset) == job.offset ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

int SftpHandle::on_progress(void* self, curl_off_t /*to_get*/, curl_off_t got, curl_off_t /*to_put*/, curl_off_t put) {
    auto& handle = *static_cast<SftpHandle*>(self);
    if (got + put != std::exchange(handle.moved_bytes_, got + put)) handle.moved_ = std::chrono::steady_clock::now();
    return handle.must_end() ? 1 : 0;
}

int SftpHandle::on_host_key(void* self, int /*type*/, const char* key, std::size_t length) {
    return static_cast<SftpHandle*>(self)->accepts(std::as_bytes(std::span(key, length))) ? CURLKHMATCH_OK
                                                                                          : CURLKHMATCH_MISMATCH;
}

int SftpHandle::on_debug(CURL* /*easy*/, curl_infotype kind, char* data, std::size_t size, void* self) {
    const std::string_view text(data, size);
    // Nothing else says why a login failed.
    auto& handle = *static_cast<SftpHandle*>(self);
    if (kind == CURLINFO_TEXT && (text.starts_with("SSH ") || text.starts_with("Failure ")))
        handle.notes_.emplace_back(text);
    // Nor that one went well: libcurl's times tell of the TCP connection only.
    if (kind == CURLINFO_TEXT && text.starts_with("Authentication complete")) {
        handle.was_connected_ = true;
        handle.moved_ = std::chrono::steady_clock::now();
    }
    return 0;
}

// The daemon starts children at any time: none may inherit a connection.
curl_socket_t SftpHandle::on_open(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
    // Only the session in question can tell whether it is alive.
    if (static_cast<SftpHandle*>(self)->job_->alive) return CURL_SOCKET_BAD;
    const auto opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    static_cast<SftpHandle*>(self)->sockets_.push_back(opened);
    return opened;
}

int SftpHandle::on_close(void* self, curl_socket_t socket) {
    std::erase(static_cast<SftpHandle*>(self)->sockets_, socket);
    char next = 0;
    const auto count = ::recv(socket, &next, 1, MSG_PEEK | MSG_DONTWAIT);
    static_cast<SftpHandle*>(self)->closed_ = count == 0 || (count < 0 && errno != EAGAIN);
    // After a failure nothing of what is still on its way may arrive: the bytes will be appended again.
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    if (!static_cast<SftpHandle*>(self)->connected_)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return ::close(socket);
}

// --- one transfer ---

bool SftpHandle::must_end() {
    const auto limit = was_connected_ ? options_.stall_timeout : options_.connect_timeout;
    stalled_ = stalled_ || std::chrono::steady_clock::now() - moved_ > limit;
    if (!stalled_ && !interrupt_->stopped()) return false;
    // libcurl takes leave of the server for a second, and forgets to free the session (250 KB) if that does not answer.
    // On a connection that is shut down it does neither.
    shut_down();
    return true;
}

void SftpHandle::shut_down() noexcept {
    for (const auto socket : sockets_) ::shutdown(socket, SHUT_RDWR);
}

CURLcode SftpHandle::drive() {
    received_ = sent_ = 0;
    overflow_ = stalled_ = closed_ = false;
    moved_bytes_ = 0;
    moved_ = std::chrono::steady_clock::now();
    verdict_.reset();
    notes_.clear();
    detail_.fill('\0');
    const auto result = http::drive(multi_.get(), easy_.get(), *interrupt_, [this] { return must_end(); });
    // The connection that an end in the middle closes is one of a failure.
    if (result != CURLE_OK) connected_ = false;
    curl_multi_remove_handle(multi_.get(), easy_.get());
    return result;
}

SftpEnding SftpHandle::ending(CURLcode code, std::string_view action) const {
    long system_error = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &system_error);
    return {.code = code,
            .action = std::string(action),
            .detail = detail_.data(),
            .notes = notes_,
            .system_error = static_cast<int>(system_error),
            .authenticated = was_connected_,
            .stalled = stalled_,
            .closed = closed_,
            .verdict = verdict_,
            .key = key_,
            .library = ssh_library()};
}

// libcurl goes by the status that libssh2 had last, and that stays what it was when a connection is lost: each refusal
// may be an old one, and a size that is not told too. A time comes of an answer only.
bool SftpHandle::has_answer(const std::string& path) {
    const Job question{.path = path, .alive = true};
    const auto* const job = std::exchange(job_, &question);
    was_connected_ = true;
    set_up(question);
    const auto code = drive();
    job_ = job;
    curl_off_t modified = -1;
    curl_easy_getinfo(easy_.get(), CURLINFO_FILETIME_T, &modified);
    return code == CURLE_OK && modified >= 0;
}

bool SftpHandle::is_alive(Interrupt& interrupt) {
    // There may be servers that hide one of them.
    connected_ = has_answer("/") || (!stalled_ && !interrupt.stopped() && has_answer(""));
    if (!connected_) shut_down();
    return connected_;
}

SftpHandle::Outcome SftpHandle::perform(const Job& job, std::string_view action, Interrupt& interrupt) {
    const auto check = [&interrupt] {
        if (interrupt.stopped()) throw Error(ErrorCode::cancelled, "the transfer was stopped");
    };
    check();
    job_ = &job;
    interrupt_ = &interrupt;
    if (std::chrono::steady_clock::now() - moved_ > most_idle) connected_ = false;
    was_connected_ = connected_;
    // What may be done twice is done again when a kept connection turns out dead.
    bool may_repeat = connected_ && job.commands.empty() && !job.to_write;
    if (!connected_) prepare();
    std::size_t type = 0;
    for (;;) {
        set_up(job);
        const auto code = drive();
        check();
        Outcome outcome{.received = received_};
        bool stalled = false;
        if (code == CURLE_OK) {
            connected_ = true;
            curl_off_t size = -1;
            curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
            if (size >= 0) outcome.size = static_cast<std::uint64_t>(size);
            curl_off_t modified = -1;
            curl_easy_getinfo(easy_.get(), CURLINFO_FILETIME_T, &modified);
            if (modified >= 0) outcome.modified = std::chrono::sys_seconds(std::chrono::seconds(modified));
            const bool has_no_size = !outcome.size && !job.body && !job.to_write && job.commands.empty();
            if (!has_no_size || is_alive(interrupt)) return outcome;
            check();
            outcome.error = connection_lost(options_, action);
        } else {
            if (overflow_)
                throw Error(ErrorCode::server_error,
                            fmt::format("{}: {}: more came than was asked for", origin_of(options_), action));
            const auto end = ending(code, action);
            // Known by several keys, and the server has no longer one of that type.
            if (code == CURLE_FAILED_INIT && end.detail.find("exchange encryption keys") != std::string::npos &&
                ++type < preferred_.size()) {
                prefer(preferred_[type]);
                continue;
            }
            outcome.error = failure_from(end, options_);
            stalled = stalled_;
            if (end.authenticated && !stalled && (is_refusal(*outcome.error) || is_answer(end))) {
                outcome.refused = is_alive(interrupt);
                check();
                if (!outcome.refused) outcome.error = connection_lost(options_, action);
            }
        }
        // A refusal is an answer, too.
        connected_ = outcome.refused;
        const bool is_lost = outcome.error->is_passing() && !stalled && !stalled_;
        if (!std::exchange(may_repeat, false) || !is_lost || connected_) return outcome;
        was_connected_ = false;
        prepare();
        if (job.text != nullptr) job.text->clear();
    }
}

}  // namespace pgbakd::http
