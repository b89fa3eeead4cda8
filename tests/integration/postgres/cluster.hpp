// A PostgreSQL cluster of one test: its own directory, socket and loopback port, without fsync; gone with the object,
// and its server with the process. As root it runs as the user "postgres", since PostgreSQL refuses root.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "async/asio.hpp"
#include "postgres/session.hpp"

namespace pgbakd::test {

// Runs coroutines of the code under test to their end, one after another; sessions live on from one to the next.
class Reactor {
  public:
    template <class T>
    T run(asio::awaitable<T> task) {
        auto result = std::make_shared<std::pair<std::exception_ptr, std::unique_ptr<T>>>();
        asio::co_spawn(io_, std::move(task), [result](const std::exception_ptr& failure, T value) {
            result->first = failure;
            result->second = std::make_unique<T>(std::move(value));
        });
        finish(result->first);
        return std::move(*result->second);
    }
    void run(asio::awaitable<void> task) {
        auto failure = std::make_shared<std::exception_ptr>();
        asio::co_spawn(io_, std::move(task), [failure](const std::exception_ptr& thrown) { *failure = thrown; });
        finish(*failure);
    }
    asio::any_io_executor executor() { return io_.get_executor(); }

  private:
    void finish(const std::exception_ptr& failure) {
        io_.restart();
        io_.run();
        if (failure) std::rethrow_exception(failure);
    }
    asio::io_context io_;
};

class Cluster {
  public:
    // `settings` are lines of postgresql.conf, `access` lines of pg_hba.conf in front of "everybody is trusted".
    explicit Cluster(const std::vector<std::string>& settings = {}, const std::vector<std::string>& access = {});
    // A copy of another one, which must be stopped.
    Cluster(const Cluster& stopped, const std::vector<std::string>& settings);
    Cluster& operator=(const Cluster&) = delete;
    ~Cluster();

    void start();  // and waits until it accepts connections
    void start_without_waiting();
    void stop();                                                        // fast shutdown
    void pause(bool stopped);                                           // SIGSTOP or SIGCONT to all of its processes
    void write_file(const std::string& name, const std::string& text);  // in the data directory

    // As the superuser "postgres", by socket.
    [[nodiscard]] postgres::ConnectOptions options(const std::string& database = "postgres",
                                                   const std::string& user = "postgres") const;
    [[nodiscard]] postgres::ConnectOptions tcp_options(const std::string& user, const std::string& password) const;
    [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    void make_directory();
    std::filesystem::path directory_;
    std::uint16_t port_ = 0;
    pid_t server_ = -1;
};

// A session with its own reactor and without deadlines, to prepare and to look at what the code under test does.
class Sql {
  public:
    explicit Sql(const postgres::ConnectOptions& options);
    postgres::Rows operator()(const std::string& statement);
    std::string value(const std::string& statement);  // of the first column of the first row
    [[nodiscard]] int server_version() const { return session_->server_version(); }

  private:
    Reactor reactor_;
    std::unique_ptr<postgres::Session> session_;
};

// Polls until the statement's value is `expected`; whether it was so within ten seconds.
bool eventually(Sql& sql, const std::string& statement, const std::string& expected);

}  // namespace pgbakd::test
