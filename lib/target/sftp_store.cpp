#include "target/sftp_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "target/key.hpp"
#include "target/live_upload.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int placing_attempts = 5;
// A file system with less room than that is full, whatever was to be written.
constexpr std::uint64_t little_space = 1 << 20;

Error exists_already(const std::string& key) {
    return {ErrorCode::conflict, fmt::format("{} exists already", key), "nothing there is ever overwritten"};
}

}  // namespace

// A session while it is used. One that failed is not used again: what came of the failed transfer nobody knows.
struct SftpStore::Lease {
    explicit Lease(SftpStore& store_) : store(store_) {
        const std::lock_guard lock(store.mutex_);
        if (store.idle_.empty()) return;
        session = std::move(store.idle_.back());
        store.idle_.pop_back();
    }
    ~Lease() {
        if (!good || !session) return;
        const std::lock_guard lock(store.mutex_);
        store.idle_.push_back(std::move(session));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    SftpStore& store;
    std::unique_ptr<http::SftpSession> session;
    bool good = false;
};

SftpStore::SftpStore(SftpTargetOptions options, const base::Clock& clock)
    : options_(std::move(options)), clock_(clock) {
    // As people write it who mean where a shell would begin.
    if (options_.path.starts_with("~/")) options_.path.erase(0, 2);
    while (options_.path.size() > 1 && options_.path.ends_with('/')) options_.path.pop_back();
    if (options_.path == "." || options_.path == "~") options_.path.clear();
}

std::string SftpStore::place() const {
    return fmt::format("{}{}{}", http::origin_of(options_.server), options_.path.starts_with('/') ? "" : "/~/",
                       options_.path);
}

std::string SftpStore::upload_key(std::string_view name) {
    return fmt::format("{}/{}", uploads_folder, name);
}

std::string SftpStore::path_of(std::string_view key) const {
    if (options_.path.empty()) return std::string(key.empty() ? "." : key);
    if (key.empty()) return options_.path;
    return fmt::format("{}{}{}", options_.path, options_.path.ends_with('/') ? "" : "/", key);
}

// From the outermost to the one that the path is in.
std::vector<std::string> SftpStore::directories_above(std::string_view path) const {
    std::vector<std::string> directories;
    for (auto slash = path.find('/', 1); slash != std::string_view::npos; slash = path.find('/', slash + 1))
        directories.emplace_back(path.substr(0, slash));
    return directories;
}

void SftpStore::use(const std::function<void(http::SftpSession&)>& work, std::uint64_t needed, Interrupt& interrupt) {
    std::optional<Error> failure;
    {
        Lease lease(*this);
        try {
            if (!lease.session) lease.session = std::make_unique<http::SftpSession>(options_.server);
            work(*lease.session);
            lease.good = true;
        } catch (const Error& error) {
            lease.good = !error.is_passing() && error.code() != ErrorCode::cancelled;
            failure = error;
        }
    }
    if (failure) throw explained(*failure, needed, interrupt);
}

Error SftpStore::explained(const Error& error, std::uint64_t needed, Interrupt& interrupt) {
    if (error.code() != ErrorCode::server_error) return error;
    try {
        http::SftpSession session(options_.server);
        const auto space = space_of(session, interrupt);
        if (space && space->read_only)
            return {ErrorCode::permission_denied, error.message() + ": its file system is read-only",
                    fmt::format("let user {} write to {} there", options_.server.user, path_of(""))};
        if (space && space->available < needed + little_space)
            return {ErrorCode::no_space, fmt::format("{}: the disk is full", error.message()),
                    fmt::format("{} available there: make room on the server, or let less be kept there",
                                base::format_size(space->available))};
    } catch (const Error& other) {
        // No answer to that either: then this is the reason, and it may pass.
        if (other.is_passing() && other.code() != ErrorCode::server_error) return other;
    }
    return error;
}

std::optional<http::SftpSpace> SftpStore::space_of(http::SftpSession& session, Interrupt& interrupt) const {
    const auto space = session.space(path_of(""), interrupt);
    // The target's directory may not be there yet.
    return space ? space : session.space(options_.path.starts_with('/') ? "/" : ".", interrupt);
}

std::optional<http::SftpSpace> SftpStore::space(Interrupt& interrupt) {
    return ask([&](http::SftpSession& session) { return space_of(session, interrupt); }, interrupt);
}

// --- one file ---

bool SftpStore::is_file(http::SftpSession& session, const std::string& path, Interrupt& interrupt) {
    return session.look(path, interrupt) && !session.is_directory(path, interrupt);
}

std::optional<http::SftpStatus> SftpStore::look(const std::string& key, Interrupt& interrupt) {
    return ask([&](http::SftpSession& session) { return session.look(path_of(key), interrupt); }, interrupt);
}

std::optional<Entry> SftpStore::stat(const std::string& key, Interrupt& interrupt) {
    return ask(
        [&](http::SftpSession& session) -> std::optional<Entry> {
            const auto status = session.look(path_of(key), interrupt);
            if (!status || session.is_directory(path_of(key), interrupt)) return std::nullopt;
            return Entry{.key = key, .size = status->size, .modified = status->modified, .checksums = {}};
        },
        interrupt);
}

void SftpStore::refuse_existing(const std::string& key, Interrupt& interrupt) {
    if (stat(key, interrupt)) throw exists_already(key);
}

void SftpStore::write(const std::string& key, std::uint64_t offset, std::span<const std::byte> bytes,
                      Interrupt& interrupt) {
    use([&](http::SftpSession& session) { session.write(path_of(key), offset, bytes, interrupt); }, bytes.size(),
        interrupt);
}

std::size_t SftpStore::read(const std::string& key, std::uint64_t offset, std::span<std::byte> into,
                            Interrupt& interrupt) {
    return ask([&](http::SftpSession& session) { return session.read(path_of(key), offset, into, interrupt); },
               interrupt);
}

void SftpStore::discard(const std::string& name, Interrupt& interrupt) {
    use(
        [&](http::SftpSession& session) {
            try {
                session.remove_file(path_of(upload_key(name)), interrupt);
            } catch (const Error& error) {
                if (error.code() != ErrorCode::not_found) throw;
            }
        },
        0, interrupt);
}

Entry SftpStore::place_upload(const std::string& name, const std::string& key, std::uint64_t size, Existing existing,
                              std::atomic<bool>& is_placed, Interrupt& interrupt) {
    const auto from = path_of(upload_key(name));
    const auto to = path_of(key);
    return ask(
        [&](http::SftpSession& session) {
            const auto check = [&](const std::optional<http::SftpStatus>& status, const std::string& path) {
                if (!status || status->size != size)
                    throw Error(ErrorCode::corrupt,
                                fmt::format("{} has {} bytes where {} were sent", path,
                                            status ? std::to_string(status->size) : "no", size),
                                {}, base::Persistence::passing);
            };
            check(session.look(from, interrupt), from);
            for (int attempt = 1;; ++attempt) {
                try {
                    session.rename(from, to, interrupt);
                    break;
                } catch (const Error& error) {
                    if (error.code() == ErrorCode::not_found && attempt < placing_attempts) {
                        // Or a removal of the last object in there took the directory away just now.
                        session.make_directories(directories_above(to), interrupt);
                        continue;
                    }
                    if (error.code() != ErrorCode::server_error && error.code() != ErrorCode::conflict) throw;
                    const bool is_there = session.look(to, interrupt).has_value();
                    if (!is_there) throw;
                    if (session.is_directory(to, interrupt))
                        throw Error(ErrorCode::conflict,
                                    fmt::format("{} is a directory that holds other objects", key));
                    if (existing == Existing::refuse) throw exists_already(key);
                }
                rename_over(session, from, key, interrupt);
                break;
            }
            is_placed = true;
            const auto placed = session.look(to, interrupt);
            check(placed, to);
            return Entry{.key = key, .size = size, .modified = placed->modified, .checksums = {}};
        },
        interrupt);
}

// The protocol has no way to replace: the old one steps aside, and comes back if the new one cannot take its place.
void SftpStore::rename_over(http::SftpSession& session, const std::string& from, const std::string& key,
                            Interrupt& interrupt) {
    const auto to = path_of(key);
    const auto aside = path_of(upload_key(upload_name()));
    session.rename(to, aside, interrupt);
    try {
        session.rename(from, to, interrupt);
    } catch (const Error&) {
        Interrupt none;  // also after a stop
        session.rename(aside, to, none);
        throw;
    }
    session.remove_file(aside, interrupt);
}

std::vector<Refusal> SftpStore::remove(const std::vector<std::string>& keys, Interrupt& interrupt) {
    std::vector<Refusal> refused;
    for (const auto& key : keys) {
        const auto path = path_of(key);
        try {
            use(
                [&](http::SftpSession& session) {
                    try {
                        session.remove_file(path, interrupt);
                    } catch (const Error& error) {
                        if (error.code() == ErrorCode::not_found) return;
                        // A directory is no object; and a file system that is read-only refuses what is not there.
                        if (error.code() == ErrorCode::server_error && !is_file(session, path, interrupt)) return;
                        throw;
                    }
                    auto above = directories_above(path);
                    const auto root = options_.path.size();
                    std::erase_if(above, [root](const std::string& directory) { return directory.size() <= root; });
                    std::reverse(above.begin(), above.end());
                    session.remove_directories(above, interrupt);
                },
                0, interrupt);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::permission_denied) throw;
            refused.push_back({key, error});
        }
    }
    return refused;
}

// As the server tells the time: of a file that is made now. The epoch where there is no room for one: what the server
// calls that is server_error.
base::Timestamp SftpStore::server_time(http::SftpSession& session, Interrupt& interrupt) {
    const LiveUpload probe(upload_name());
    const auto path = path_of(upload_key(probe.name()));
    std::optional<http::SftpStatus> status;
    try {
        session.write(path, 0, {}, interrupt);
        status = session.look(path, interrupt);
        session.remove_file(path, interrupt);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::server_error) throw;
    }
    return status ? base::Timestamp(status->modified) : base::Timestamp();
}

Swept SftpStore::sweep(base::Timestamp older_than, Interrupt& interrupt) {
    return ask(
        [&](http::SftpSession& session) {
            Swept swept;
            const auto folder = path_of(uploads_folder);
            std::vector<std::string> names;
            try {
                names = session.list(folder, http::SftpSession::Lines::names, interrupt);
            } catch (const Error& error) {
                if (error.code() != ErrorCode::not_found) throw;
            }
            std::optional<base::Timestamp> limit;
            for (const auto& name : names) {
                if (name == "." || name == ".." || LiveUpload::is_live(name)) continue;
                const auto path = fmt::format("{}/{}", folder, name);
                const auto status = session.look(path, interrupt);
                if (!status || status->modified >= older_than || session.is_directory(path, interrupt)) continue;
                if (!limit) limit = sweep_limit(older_than, clock_.now(), server_time(session, interrupt));
                if (status->modified >= *limit) continue;
                session.remove_file(path, interrupt);
                ++swept.uploads;
                swept.bytes += status->size;
            }
            return swept;
        },
        interrupt);
}

}  // namespace pgbakd::target
