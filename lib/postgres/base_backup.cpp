#include "postgres/base_backup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "postgres/opening.hpp"

namespace pgbakd::postgres {
namespace {

constexpr std::size_t most_warnings = 20;

std::string command_of(const BaseBackup::Request& request) {
    // WAIT 0: the WAL is in the backup, so that nothing need wait for the server's archive. TABLESPACE_MAP: the places
    // of the tablespaces in a file that can be edited, and no symbolic links in the tar.
    auto text = fmt::format("BASE_BACKUP (LABEL {}, PROGRESS, CHECKPOINT '{}', WAIT 0, WAL, TABLESPACE_MAP",
                            quote_literal(request.label), request.fast_checkpoint ? "fast" : "spread");
    if (request.max_rate > 0) text += fmt::format(", MAX_RATE {}", request.max_rate);
    return text + ", MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C')";
}

template <class Number>
Number number_of(const Value& value) {
    Number number{};
    if (value) std::from_chars(value->data(), value->data() + value->size(), number);
    return number;
}

base::Error not_understood(const Place& place) {
    return {base::ErrorCode::unsupported, place.text() + " sent a base backup in a form that is not known here",
            "use a newer pgbakd"};
}

BaseBackup::Position position_of(const Place& place, const std::vector<Rows>& sets) {
    if (sets.empty() || sets.front().empty() || sets.front().front().size() < 2) throw not_understood(place);
    const auto& row = sets.front().front();
    return {row[0].value_or(""), number_of<std::uint32_t>(row[1])};
}

std::vector<BaseBackup::Tablespace> tablespaces_of(const Place& place, const std::vector<Rows>& sets) {
    std::vector<BaseBackup::Tablespace> found;
    if (sets.size() < 2) throw not_understood(place);
    for (const auto& row : sets[1]) {
        if (row.size() < 3) throw not_understood(place);
        found.push_back(
            {number_of<std::uint32_t>(row[0]), row[1].value_or(""), number_of<std::uint64_t>(row[2]) * 1024});
    }
    if (found.empty() || found.back().oid != 0) throw not_understood(place);
    return found;
}

// What goes wrong for a backup although nobody need change anything: a WAL segment or a file of a tablespace went away
// while it was read, or the standby became a primary.
bool passes(const base::Error& error) {
    return error.message().find("(SQLSTATE 58P01)") != std::string::npos ||
           error.message().find("(SQLSTATE 55000)") != std::string::npos;
}

base::Error as_of_backup(const base::Error& error) {
    if (error.is_passing() || !passes(error)) return error;
    return {error.code(), error.message(), error.hint(), base::Persistence::passing};
}

// Of damaged pages the server warns one by one, with their places; its error only counts.
base::Error with_first(const std::vector<std::string>& warnings, const base::Error& error) {
    if (error.code() != base::ErrorCode::corrupt || warnings.empty()) return error;
    return {error.code(), fmt::format("{}: {}", error.message(), warnings.front()), error.hint()};
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

struct BaseBackup::Impl {
    Impl(Place place_, Opened opened) : place(std::move(place_)), connection(std::move(opened.connection)) {
        connection->on_warning = [this](const std::string& text) {
            if (warnings.size() < most_warnings) warnings.push_back(base::printable(text));
        };
    }

    asio::awaitable<void> reserve_wal(std::string slot, async::StopToken stop);
    asio::awaitable<void> start_copy(std::string command, async::StopToken stop);
    asio::awaitable<void> next_message(async::StopToken stop);
    void take_message(std::span<const std::byte> message);

    Place place;
    std::unique_ptr<Connection> connection;
    Position start;
    std::vector<Tablespace> tablespaces;
    std::string slot_failure;
    std::vector<std::string> warnings;
    std::span<const std::byte> left;  // of the message that is being read, in the connection's buffer
    std::optional<Archive> upcoming;  // announced, and not begun
    bool copied = false;              // the COPY has ended
};

// Without the slot a checkpoint on a busy server may remove WAL that the backup still needs.
asio::awaitable<void> BaseBackup::Impl::reserve_wal(std::string slot, async::StopToken stop) {
    auto command = fmt::format("CREATE_REPLICATION_SLOT {} TEMPORARY PHYSICAL (RESERVE_WAL)", quote_identifier(slot));
    std::optional<base::Error> failed;
    try {
        co_await connection->query(std::move(command), {}, stop);
    } catch (const base::Error& error) {
        failed = error;
    }
    stop.check();
    if (!failed) co_return;
    if (!connection->is_open()) throw base::Error(*failed);
    slot_failure = failed->message();
}

asio::awaitable<void> BaseBackup::Impl::start_copy(std::string command, async::StopToken stop) {
    std::optional<base::Error> failed;
    try {
        const auto sets = co_await connection->begin_copy(std::move(command), stop);
        start = position_of(place, sets);
        tablespaces = tablespaces_of(place, sets);
    } catch (const base::Error& error) {
        failed = error;
    }
    stop.check();
    if (!failed) co_return;
    const auto told = as_of_backup(*failed);
    throw base::Error(told);
}

asio::awaitable<std::unique_ptr<BaseBackup>> BaseBackup::begin(ConnectOptions options, Request request,
                                                               async::StopToken stop) {
    options.replication = true;
    // A password file is asked for this name, as it is by pg_basebackup.
    options.database = "replication";
    const auto place = place_of(options);
    auto opened = co_await open_connection(std::move(options), stop);
    auto impl = std::make_unique<Impl>(place, std::move(opened));
    if (impl->connection->server_version() < oldest_base_backup_version) throw not_understood(place);
    if (!request.slot.empty()) co_await impl->reserve_wal(request.slot, stop);
    co_await impl->start_copy(command_of(request), stop);
    co_return std::unique_ptr<BaseBackup>(new BaseBackup(std::move(impl)));
}

BaseBackup::BaseBackup(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BaseBackup::~BaseBackup() = default;

void BaseBackup::Impl::take_message(std::span<const std::byte> message) {
    if (message.empty()) {
        copied = true;
        return;
    }
    const auto rest = message.subspan(1);
    switch (static_cast<char>(message.front())) {
        case 'd': left = rest; return;
        case 'p': return;  // how far it is: what has come is counted where it is read
        case 'm': upcoming = Archive{true, {}}; return;
        case 'n': {
            const auto text = text_of(rest);
            const auto end = text.find('\0');
            if (end == std::string_view::npos) break;
            upcoming = Archive{false, std::string(text.substr(0, end))};
            return;
        }
        default: break;
    }
    throw not_understood(place);
}

asio::awaitable<void> BaseBackup::Impl::next_message(async::StopToken stop) {
    std::optional<base::Error> failed;
    try {
        const auto message = co_await connection->next_copy_message(stop);
        take_message(message);
    } catch (const base::Error& error) {
        failed = error;
    }
    if (!failed) co_return;
    connection->close();
    stop.check();
    throw base::Error(*failed);
}

asio::awaitable<void> BaseBackup::expect_more(async::StopToken stop) {
    auto& impl = *impl_;
    stop.check();  // whatever has come already
    while (!impl.upcoming && !impl.copied) {
        if (!impl.left.empty()) throw not_understood(impl.place);
        co_await impl.next_message(stop);
    }
    if (impl.upcoming) co_return;
    // An error of the server ends its COPY.
    co_await finish(stop);
    throw not_understood(impl.place);
}

asio::awaitable<BaseBackup::Archive> BaseBackup::next(async::StopToken stop) {
    co_await expect_more(stop);
    auto archive = std::move(impl_->upcoming).value();
    impl_->upcoming.reset();
    co_return archive;
}

asio::awaitable<std::size_t> BaseBackup::read(std::span<std::byte> into, async::StopToken stop) {
    auto& impl = *impl_;
    stop.check();
    while (impl.left.empty()) {
        if (impl.upcoming || impl.copied) co_return 0;
        co_await impl.next_message(stop);
    }
    const auto count = std::min(into.size(), impl.left.size());
    std::memcpy(into.data(), impl.left.data(), count);
    impl.left = impl.left.subspan(count);
    co_return count;
}

asio::awaitable<BaseBackup::Position> BaseBackup::finish(async::StopToken stop) {
    auto& impl = *impl_;
    std::optional<base::Error> failed;
    Position position;
    try {
        while (!impl.copied) {
            if (impl.upcoming || !impl.left.empty()) throw not_understood(impl.place);
            co_await impl.next_message(stop);
        }
        const auto sets = co_await impl.connection->end_copy(stop);
        position = position_of(impl.place, sets);
    } catch (const base::Error& error) {
        failed = error;
    }
    stop.check();
    impl.connection->close();
    if (!failed) co_return position;
    const auto told = with_first(impl.warnings, as_of_backup(*failed));
    throw base::Error(told);
}

void BaseBackup::close() noexcept {
    impl_->connection->close();
}

const BaseBackup::Position& BaseBackup::start() const noexcept {
    return impl_->start;
}
const std::vector<BaseBackup::Tablespace>& BaseBackup::tablespaces() const noexcept {
    return impl_->tablespaces;
}
const std::string& BaseBackup::slot_failure() const noexcept {
    return impl_->slot_failure;
}
const std::vector<std::string>& BaseBackup::warnings() const noexcept {
    return impl_->warnings;
}

}  // namespace pgbakd::postgres
