#include "postgres/connection.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "os/descriptor.hpp"
#include "postgres/results.hpp"

namespace pgbakd::postgres {
namespace {

using Wait = asio::posix::stream_descriptor::wait_type;

// libpq would say this on standard error and go on without the password.
void check_passfile(const std::string& passfile) {
    struct stat status {};
    if (passfile.empty() || stat(passfile.c_str(), &status) != 0) return;
    if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
    throw base::Error(base::ErrorCode::invalid_configuration,
                      "the password file " + passfile + " can be read by others than its owner",
                      "chmod 0600 " + passfile);
}

}  // namespace

void Connection::CloseHandle::operator()(pg_conn* handle) const noexcept {
    PQfinish(handle);
}
void Connection::ClearResult::operator()(pg_result* result) const noexcept {
    PQclear(result);
}

void Connection::FreeMemory::operator()(char* memory) const noexcept {
    PQfreemem(memory);
}

// Called by libpq, which knows no exceptions.
void Connection::take_notice(void* connection, const pg_result* notice) {
    const auto& told = static_cast<Connection*>(connection)->on_warning;
    const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char* message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (!told || severity == nullptr || message == nullptr || std::string_view(severity) != "WARNING") return;
    try {
        told(message);
    } catch (const std::exception&) {
        // Nobody is told then.
    }
}

Connection::Connection(const asio::any_io_executor& executor, Place place)
    : place_(std::move(place)), socket_(executor) {}

Connection::~Connection() {
    close();
}

void Connection::close() noexcept {
    boost::system::error_code ignored;
    socket_.close(ignored);
    handle_.reset();
}

std::string Connection::error_text() const {
    return PQerrorMessage(handle_.get());
}

asio::awaitable<void> Connection::open(const ConnectOptions& options, const Address& address, async::StopToken stop) {
    stop.check();
    check_passfile(options.passfile);
    const auto port = options.port == 0 ? std::string() : std::to_string(options.port);
    const auto settings = startup_options(options);
    // What is empty falls back to libpq's default; what is set cannot be changed by the environment. The password's
    // text is the whole of a std::string, so it ends with a NUL.
    const std::array<std::pair<const char*, const char*>, 19> parameters{{
        {"host", address.host.c_str()},
        {"hostaddr", address.numeric.c_str()},
        {"port", port.c_str()},
        {"dbname", options.database.c_str()},
        {"user", options.user.c_str()},
        {"password", options.password.reveal().data()},
        {"passfile", options.passfile.c_str()},
        {"sslmode", options.sslmode.empty() ? "prefer" : options.sslmode.c_str()},
        {"sslrootcert", options.sslrootcert.c_str()},
        {"gssencmode", "disable"},
        {"target_session_attrs", "any"},
        {"application_name", options.application_name.c_str()},
        {"client_encoding", "UTF8"},
        {"options", settings.c_str()},
        {"replication", options.replication ? "true" : ""},
        // A snapshot is idle for as long as its dump runs: keep firewalls from forgetting it, and notice a dead peer.
        {"keepalives_idle", "60"},
        {"keepalives_interval", "15"},
        {"keepalives_count", "4"},
        {nullptr, nullptr},
    }};
    std::array<const char*, parameters.size()> keywords{};
    std::array<const char*, parameters.size()> values{};
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        keywords[i] = parameters[i].first;
        values[i] = parameters[i].second;
    }
    // expand_dbname off: a database may be called "host=elsewhere".
    handle_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
    if (!handle_) throw std::bad_alloc();
    PQsetErrorVerbosity(handle_.get(), PQERRORS_VERBOSE);
    PQsetNoticeReceiver(handle_.get(), take_notice, this);

    auto next = PQstatus(handle_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
        watch_socket();  // libpq may have opened another one, under the same number
        const auto type = next == PGRES_POLLING_READING ? Wait::wait_read : Wait::wait_write;
        co_await wait(type, stop);
        next = PQconnectPoll(handle_.get());
    }
    if (next != PGRES_POLLING_OK) {
        const RefusedConnection refused{error_text(), PQconnectionNeedsPassword(handle_.get()) != 0, options.passfile,
                                        options.password_configured && options.password.reveal().empty()};
        close();
        throw connection_failed(place_, refused);
    }
    watch_socket();
    PQsetnonblocking(handle_.get(), 1);
}

void Connection::watch_socket() {
    boost::system::error_code failure;
    socket_.close(failure);
    os::Descriptor copy(fcntl(PQsocket(handle_.get()), F_DUPFD_CLOEXEC, 0));
    if (!copy) throw base::error_from_errno(errno, "duplicating the socket to " + place_.text());
    socket_.assign(copy.get(), failure);
    if (failure) throw base::error_from_errno(failure.value(), "watching the socket to " + place_.text());
    (void)copy.release();
}

asio::awaitable<void> Connection::wait(Wait type, async::StopToken stop) {
    stop.check();
    const auto registration = stop.on_stop([this] {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
    });
    boost::system::error_code failure;
    co_await socket_.async_wait(type, asio::redirect_error(asio::use_awaitable, failure));
    stop.check();
    if (failure) throw base::error_from_errno(failure.value(), "waiting for " + place_.text());
}

void Connection::lose() {
    const auto text = error_text();
    close();
    throw base::Error(connection_lost(place_, text));
}

void Connection::send(const std::string& sql, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& parameter : parameters) values.push_back(parameter.c_str());
    // A walsender takes nothing but simple queries.
    const int sent = place_.replication ? PQsendQuery(handle_.get(), sql.c_str())
                                        : PQsendQueryParams(handle_.get(), sql.c_str(), static_cast<int>(values.size()),
                                                            nullptr, values.data(), nullptr, nullptr, 0);
    if (sent == 0) lose();
    // Row by row, so that an answer without bounds is noticed before it fills the memory.
    PQsetSingleRowMode(handle_.get());
}

asio::awaitable<void> Connection::flush(async::StopToken stop) {
    for (int left = PQflush(handle_.get()); left != 0; left = PQflush(handle_.get())) {
        if (left < 0) lose();
        co_await wait(Wait::wait_write, stop);
        // The server may have something to say before it reads on.
        if (PQconsumeInput(handle_.get()) == 0) lose();
    }
}

asio::awaitable<Connection::Result> Connection::next_result(async::StopToken stop) {
    while (PQisBusy(handle_.get()) != 0) {
        co_await wait(Wait::wait_read, stop);
        if (PQconsumeInput(handle_.get()) == 0) lose();
    }
    co_return Result(PQgetResult(handle_.get()));
}

asio::awaitable<Rows> Connection::query(std::string sql, std::vector<std::string> parameters, async::StopToken stop) {
    stop.check();
    if (!is_open()) throw connection_lost(place_, "it was closed before");
    send(sql, parameters);
    co_await flush(stop);
    Rows rows;
    std::size_t bytes = 0;
    std::optional<base::Error> failed;
    for (;;) {
        const Result result = co_await next_result(stop);
        if (!result) break;
        switch (PQresultStatus(result.get())) {
            case PGRES_SINGLE_TUPLE:
            case PGRES_TUPLES_OK: bytes += append_rows(rows, result.get()); break;
            case PGRES_COMMAND_OK:
            case PGRES_EMPTY_QUERY: break;
            case PGRES_COPY_IN:
            case PGRES_COPY_OUT:
            case PGRES_COPY_BOTH:
                close();
                throw base::Error(base::ErrorCode::unsupported, "COPY is not for a session's query");
            default: failed = statement_failed(place_, answer_of(result.get())); break;
        }
        if (failed) break;
        if (rows.size() <= most_rows && bytes <= most_bytes) continue;
        close();
        throw base::Error(base::ErrorCode::unsupported, place_.text() + " gave a longer answer than expected");
    }
    if (failed) co_await fail(*failed, stop);
    co_return rows;
}

// What follows an error is its end, or the end of the connection: neither says more than the error.
asio::awaitable<void> Connection::fail(base::Error error, async::StopToken stop) {
    bool lost = false;
    try {
        co_await drain(stop);
    } catch (const base::Error&) {
        lost = !stop.stopped();
    }
    if (lost) close();
    stop.check();
    throw base::Error(error);
}

asio::awaitable<void> Connection::drain(async::StopToken stop) {
    for (;;) {
        const Result result = co_await next_result(stop);
        if (!result) break;
    }
    if (PQstatus(handle_.get()) == CONNECTION_BAD) close();
}

bool Connection::is_busy() const noexcept {
    return handle_ && PQtransactionStatus(handle_.get()) == PQTRANS_ACTIVE;
}

int Connection::server_version() const noexcept {
    return handle_ ? PQserverVersion(handle_.get()) : 0;
}

int Connection::backend_pid() const noexcept {
    return handle_ ? PQbackendPID(handle_.get()) : 0;
}

std::string Connection::parameter(const char* name) const {
    const char* value = handle_ ? PQparameterStatus(handle_.get(), name) : nullptr;
    return value == nullptr ? "" : value;
}

}  // namespace pgbakd::postgres
