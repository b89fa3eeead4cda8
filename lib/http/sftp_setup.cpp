// What libcurl is told before a transfer by SFTP. sftp_handle.cpp has what happens then.
#include <fmt/format.h>

#include "base/text.hpp"
#include "http/blocking.hpp"
#include "http/sftp_handle.hpp"

namespace pgbakd::http {

std::string SftpHandle::quoted(std::string_view path) {
    std::string text = "\"";
    for (const char c : path) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text + '"';
}

std::string SftpHandle::url_of(const std::string& path) const {
    const bool is_address = options_.host.find(':') != std::string::npos;
    auto url = fmt::format("sftp://{0}{1}{2}:{3}", is_address ? "[" : "", base::to_lower(options_.host),
                           is_address ? "]" : "", options_.port);
    // libcurl puts the home directory in place of "/~"; of a path that really begins so, two slashes keep it.
    url += !path.starts_with('/') ? "/~/" : path.starts_with("/~") ? "/" : "";
    for (const char c : path) {
        if (base::is_letter(c) || base::is_digit(c) || std::string_view("/-._~").find(c) != std::string_view::npos)
            url += c;
        else
            url += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return url;
}

void SftpHandle::set_up_connection() {
    set(CURLOPT_PROTOCOLS_STR, "sftp");
    set(CURLOPT_PATH_AS_IS, 1L);
    set_callbacks(easy_.get(), {&on_open, &on_close, &on_debug, &on_progress}, this, detail_.data());
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    // must_end() is first, with the same limit.
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(2 * options_.connect_timeout.count()));
    set(CURLOPT_FRESH_CONNECT, was_connected_ ? 0L : 1L);
    set(CURLOPT_MAXAGE_CONN, static_cast<long>(most_idle.count()));

    set(CURLOPT_USERNAME, options_.user.c_str());
    set(CURLOPT_SSH_HOSTKEYFUNCTION, &SftpHandle::on_host_key);
    set(CURLOPT_SSH_HOSTKEYDATA, this);
    if (!preferred_.empty()) {
        const auto preference = fmt::format("/proc/self/fd/{}", preference_.get());
        set(CURLOPT_SSH_KNOWNHOSTS, preference.c_str());
    }
    if (options_.key_file.empty()) {
        set(CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_AGENT));
    } else {
        set(CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_PUBLICKEY));
        set(CURLOPT_SSH_PRIVATE_KEYFILE, options_.key_file.c_str());
        if (!options_.passphrase.empty()) {
            const std::string passphrase(options_.passphrase.reveal());
            set(CURLOPT_KEYPASSWD, passphrase.c_str());
        }
    }
}

void SftpHandle::set_up(const Job& job) {
    curl_easy_reset(easy_.get());
    set_up_connection();
    const auto url = url_of(job.path);
    set(CURLOPT_URL, url.c_str());
    commands_.clear();
    for (const auto& command : job.commands) commands_.append(command);
    set(CURLOPT_QUOTE, commands_.get());
    set(CURLOPT_WRITEFUNCTION, &SftpHandle::on_write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &SftpHandle::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_NEW_FILE_PERMS, 0600L);
    set(CURLOPT_NEW_DIRECTORY_PERMS, 0700L);
    set(CURLOPT_DIRLISTONLY, job.names_only ? 1L : 0L);
    set(CURLOPT_BUFFERSIZE, 512L * 1024);
    if (job.to_write) {
        set(CURLOPT_UPLOAD, 1L);
        set(CURLOPT_UPLOAD_BUFFERSIZE, 1024L * 1024);
        set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(job.offset + job.to_write->size()));
        set(CURLOPT_READFUNCTION, &SftpHandle::on_read);
        set(CURLOPT_READDATA, this);
        set(CURLOPT_SEEKFUNCTION, &SftpHandle::on_seek);
        set(CURLOPT_SEEKDATA, this);
        set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(job.offset));
        set(CURLOPT_FTP_CREATE_MISSING_DIRS,
            static_cast<long>(job.offset == 0 ? CURLFTP_CREATE_DIR : CURLFTP_CREATE_DIR_NONE));
    } else if (!job.body) {
        set(CURLOPT_NOBODY, 1L);
        set(CURLOPT_FILETIME, job.alive || !job.path.ends_with('/') ? 1L : 0L);
    } else if (job.text == nullptr) {
        const auto range = fmt::format("{}-{}", job.offset, job.offset + job.into.size() - 1);
        set(CURLOPT_RANGE, range.c_str());
    }
}

}  // namespace pgbakd::http
