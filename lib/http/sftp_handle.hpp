// libcurl's handles for one SSH connection: set up, driven until one transfer has ended, and what came of it.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/known_hosts.hpp"
#include "http/sftp.hpp"
#include "http/sftp_failure.hpp"
#include "http/ssh_key.hpp"
#include "http/string_list.hpp"
#include "os/descriptor.hpp"

namespace pgbakd::http {

class SftpHandle {
  public:
    explicit SftpHandle(SftpOptions options);
    SftpHandle(const SftpHandle&) = delete;
    SftpHandle& operator=(const SftpHandle&) = delete;
    ~SftpHandle();

    [[nodiscard]] const SftpOptions& options() const noexcept { return options_; }

    // What a transfer is about, beside its path. A path that ends with "/" is a directory.
    struct Job {
        std::string path;
        std::vector<std::string> commands{};  // in libcurl's words; see quoted()
        bool body = false;                    // a file's bytes, a directory's lines
        bool names_only = false;
        std::uint64_t offset = 0;
        std::span<std::byte> into{};                           // of a file that is read, or
        std::string* text = nullptr;                           // of a directory, or
        std::string* answers = nullptr;                        // of commands, or
        std::optional<std::span<const std::byte>> to_write{};  // to a file
        bool alive = false;  // asks for the time of the path alone, on the connection that there is
    };
    struct Outcome {
        std::optional<base::Error> error{};
        bool refused = false;  // by a server that is alive
        std::size_t received = 0;
        std::optional<std::uint64_t> size{};  // of the file; absent: it is empty, or a directory
        std::optional<std::chrono::sys_seconds> modified{};
    };
    // Throws what no transfer is to blame for: cancelled, or a configuration that cannot be used. `action` names what
    // is tried, for the message.
    [[nodiscard]] Outcome perform(const Job& job, std::string_view action, Interrupt& interrupt);

    // A path as a command's argument.
    [[nodiscard]] static std::string quoted(std::string_view path);

  private:
    // A connection that was idle for longer is made anew: the server or something on the way may have forgotten it.
    static constexpr std::chrono::seconds most_idle{30};

    static std::size_t on_write(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self);
    static int on_seek(void* self, curl_off_t offset, int origin);
    static int on_progress(void* self, curl_off_t to_get, curl_off_t got, curl_off_t to_put, curl_off_t put);
    static int on_host_key(void* self, int type, const char* key, std::size_t length);
    static int on_debug(CURL* easy, curl_infotype kind, char* data, std::size_t size, void* self);
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int on_close(void* self, curl_socket_t socket);

    template <class Value>
    void set(CURLoption option, Value value) {
        curl_easy_setopt(easy_.get(), option, value);
    }
    void prepare();
    void prefer(const std::string& type);
    void set_up_connection();
    void set_up(const Job& job);
    [[nodiscard]] CURLcode drive();
    [[nodiscard]] bool is_alive(Interrupt& interrupt);
    [[nodiscard]] bool has_answer(const std::string& path);
    void shut_down() noexcept;
    [[nodiscard]] bool must_end();
    [[nodiscard]] bool accepts(std::span<const std::byte> key);
    [[nodiscard]] SftpEnding ending(CURLcode code, std::string_view action) const;
    [[nodiscard]] std::string url_of(const std::string& path) const;

    struct Cleanup {
        void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
    };
    struct EasyCleanup {
        void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    };

    SftpOptions options_;
    ClientKey key_;
    KnownKeys known_;
    std::vector<std::string> preferred_;  // types of host keys to ask for, one after another
    os::Descriptor preference_;           // a file in memory with the one asked for now
    bool connected_ = false;              // and the last transfer has left nothing open
    bool was_connected_ = false;          // before this transfer, or since

    std::vector<curl_socket_t> sockets_;  // that libcurl has open
    bool closed_ = false;                 // the last that it closed was closed by the other side before

    // Of the transfer under way.
    const Job* job_ = nullptr;
    Interrupt* interrupt_ = nullptr;
    std::size_t received_ = 0;
    std::size_t sent_ = 0;
    bool overflow_ = false;
    bool stalled_ = false;
    curl_off_t moved_bytes_ = 0;
    std::chrono::steady_clock::time_point moved_;
    std::optional<HostKeyVerdict> verdict_;
    std::vector<std::string> notes_;  // what libcurl says of the authentication
    std::array<char, CURL_ERROR_SIZE> detail_{};

    StringList commands_;
    std::unique_ptr<CURL, EasyCleanup> easy_;
    std::unique_ptr<CURLM, Cleanup> multi_;
};

}  // namespace pgbakd::http
