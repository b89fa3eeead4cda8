// What libcurl is told before a request starts. transfer.cpp has what happens then.
#include <sys/socket.h>

#include <algorithm>
#include <new>

#include "base/text.hpp"
#include "http/transfer.hpp"

namespace pgbakd::http {
namespace {

constexpr long transfer_buffer = 256L * 1024;

[[noreturn]] void refuse(const std::string& what) {
    throw base::Error(base::ErrorCode::invalid_argument, what);
}

// RFC 9110, 5.6.2
constexpr bool is_token_character(char c) noexcept {
    return base::is_letter(c) || base::is_digit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string::npos;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_character);
}

bool is_clean(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

}  // namespace

Transfer::Transfer(const asio::any_io_executor& executor, Options options, Request request)
    : options_(std::move(options)),
      request_(std::move(request)),
      changed_(executor),
      stall_(executor),
      stall_timeout_(request_.stall_timeout.value_or(options_.stall_timeout)),
      moved_(std::chrono::steady_clock::now()),
      easy_(curl_easy_init()) {
    if (!easy_) throw std::bad_alloc();
    if (!is_token(request_.method)) refuse("the method of an HTTP request is not a word");
    if (request_.url.find(' ') != std::string::npos || !is_clean(request_.url))
        refuse(origin() + ": the URL holds a character that must be percent-encoded");
    set_up_connection();
    set_up_headers();
    set_up_bodies();
}

Transfer::~Transfer() {
    stall_.cancel();
}

void Transfer::set_up_connection() {
    CURL* const easy = easy_.get();
    const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    // A key of an object may hold "..": what was signed is what is sent.
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_NOSIGNAL, 1L);
    // A transfer that ends while its host is still being looked up leaves the look-up behind: else libcurl waits for
    // it, which is as long as name servers take that do not answer, with the reactor and its watchdog standing still.
    set(CURLOPT_QUICK_EXIT, 1L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    // Nobody configured a proxy, and a variable of the environment must not send the data elsewhere.
    set(CURLOPT_PROXY, "");
    set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open);
    set(CURLOPT_ERRORBUFFER, detail_.data());
    set(CURLOPT_USERAGENT, "pgbakd/" PGBAKD_VERSION);
    if (!options_.ca_file.empty()) {
        set(CURLOPT_CAINFO, options_.ca_file.c_str());
        set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
}

void Transfer::set_up_headers() {
    const auto add = [this](const std::string& name, std::string_view value) {
        if (!is_token(name)) refuse("a header's name is not a word");
        if (!is_clean(value)) refuse("the header " + name + " holds a control character");
        // libcurl's way to say a header without a value; "Name:" would take the header out.
        headers_.append(value.empty() ? name + ";" : name + ": " + std::string(value));
    };
    for (const auto& header : request_.headers) add(header.name, header.value);
    for (const auto& header : request_.secret_headers) add(header.name, header.value.reveal());
    // Otherwise libcurl decides by the body's length.
    headers_.append(request_.ask_first && request_.body ? "Expect: 100-continue" : "Expect:");
    curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
}

void Transfer::set_up_bodies() {
    CURL* const easy = easy_.get();
    const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_BUFFERSIZE, transfer_buffer);
    if (request_.body || request_.method == "PUT" || request_.method == "POST") {
        length_ = request_.body ? request_.body->length() : 0;
        set(CURLOPT_UPLOAD, 1L);
        set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(length_));
        set(CURLOPT_UPLOAD_BUFFERSIZE, transfer_buffer);
        set(CURLOPT_READFUNCTION, &Transfer::on_read);
        set(CURLOPT_READDATA, this);
        set(CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
        set(CURLOPT_SEEKDATA, this);
    } else if (request_.method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
    }
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

// The daemon starts children at any time: none may inherit a connection.
curl_socket_t Transfer::on_open(void* /*self*/, curlsocktype /*purpose*/, curl_sockaddr* address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace pgbakd::http
