// The kinds of target that the suite runs over, and what only the owner of the far side can do: see what interrupted
// uploads left, leave some, forbid writing. A new kind is one class more here, and its name in `CONTRACT_PLACES`.
#pragma once

#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "s3_place.hpp"
#include "sftp_server.hpp"
#include "support/temporary_directory.hpp"
#include "target/directory_target.hpp"
#include "target/key.hpp"
#include "target/meter.hpp"
#include "target/rate.hpp"
#include "target/rclone_target.hpp"
#include "target/retry.hpp"

namespace contract {

// A far side that is a directory of this host.
class LocalPlace {
  public:
    static constexpr bool hides_unfinished = true;

    LocalPlace() { std::filesystem::create_directory(path()); }
    LocalPlace(const LocalPlace&) = delete;
    LocalPlace& operator=(const LocalPlace&) = delete;
    ~LocalPlace() { allow_writing(); }

    [[nodiscard]] std::filesystem::path path() const { return directory_ / "far"; }
    [[nodiscard]] std::filesystem::path uploads() const { return path() / pgbakd::target::uploads_folder; }
    [[nodiscard]] const support::TemporaryDirectory& directory() const { return directory_; }

    // What interrupted uploads have left.
    [[nodiscard]] std::size_t leftovers() const {
        std::error_code ignored;
        std::size_t count = 0;
        for (auto entry = std::filesystem::directory_iterator(uploads(), ignored);
             entry != std::filesystem::directory_iterator(); ++entry)
            ++count;
        return count;
    }
    // As if a daemon had been killed in the middle of it, that long ago.
    void leave_upload(const std::string& name, std::size_t size, std::chrono::hours age) {
        std::filesystem::create_directories(uploads());
        std::ofstream(uploads() / name) << std::string(size, 'x');
        std::filesystem::last_write_time(uploads() / name, std::filesystem::file_time_type::clock::now() - age);
    }
    // The instant that long ago. Where age cannot be made up: one between what was left before and after this call.
    [[nodiscard]] static pgbakd::base::Timestamp moment(std::chrono::hours age) {
        return pgbakd::base::SystemClock().now() - age;
    }
    // Objects of one byte, put there by somebody else.
    void fill(const std::vector<std::string>& keys) const {
        for (const auto& key : keys) {
            std::filesystem::create_directories((path() / key).parent_path());
            std::ofstream(path() / key) << "x";
        }
    }
    // Root may write wherever the file system can be written to at all; others are kept out by the mode.
    void forbid_writing() {
        if (::geteuid() == 0) {
            bound_ = ::mount(path().c_str(), path().c_str(), nullptr, MS_BIND, nullptr) == 0 &&
                     ::mount(nullptr, path().c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
        } else {
            for (const auto& entry : std::filesystem::recursive_directory_iterator(path()))
                if (is_own_directory(entry)) std::filesystem::permissions(entry.path(), std::filesystem::perms(0500));
            std::filesystem::permissions(path(), std::filesystem::perms(0500));
        }
    }
    void allow_writing() {
        if (bound_) ::umount2(path().c_str(), MNT_DETACH);
        bound_ = false;
        std::error_code ignored;
        std::filesystem::permissions(path(), std::filesystem::perms(0700), ignored);
        for (auto entry = std::filesystem::recursive_directory_iterator(path(), ignored);
             entry != std::filesystem::recursive_directory_iterator(); entry.increment(ignored))
            if (is_own_directory(*entry))
                std::filesystem::permissions(entry->path(), std::filesystem::perms(0700), ignored);
    }

  private:
    // Tests put links to directories of this host here, whose modes are not ours to set.
    static bool is_own_directory(const std::filesystem::directory_entry& entry) {
        std::error_code ignored;
        return std::filesystem::is_directory(entry.symlink_status(ignored));
    }

    support::TemporaryDirectory directory_;
    bool bound_ = false;
};

class Directory : public LocalPlace {
  public:
    static std::string missing() { return {}; }
    std::shared_ptr<pgbakd::target::Target> open(pgbakd::async::Pool& pool) const {
        static const pgbakd::base::SystemClock clock;
        return pgbakd::target::make_directory_target({.name = "nas", .path = path()}, pool, clock);
    }
};

// All decorators around one: they keep every promise, too.
class Decorated : public Directory {
  public:
    std::shared_ptr<pgbakd::target::Target> open(pgbakd::async::Pool& pool) const {
        using namespace pgbakd::target;
        static const pgbakd::base::SystemClock clock;
        auto limited = with_rate_limit(Directory::open(pool), std::make_shared<RateLimiter>(clock, 200'000'000));
        auto metered = with_meter(std::move(limited), std::make_shared<Meter>(), clock);
        RetryPolicy policy;
        policy.first = std::chrono::milliseconds(1);
        policy.random = [] { return 0; };
        return with_retry(std::move(metered), policy);
    }
};

inline pgbakd::base::Result<std::filesystem::path> rclone() {
    const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
    return pgbakd::target::find_rclone(path == nullptr ? "/usr/bin" : path);
}

// An alias of a local directory, as rclone's configuration file has it.
class Rclone : public LocalPlace {
  public:
    static std::string missing() { return rclone() ? "" : "rclone is not installed"; }
    [[nodiscard]] std::filesystem::path config_file() const { return directory() / "etc/rclone.conf"; }
    Rclone() {
        std::filesystem::create_directory(directory() / "etc");
        std::ofstream(config_file()) << "[store]\ntype = alias\nremote = " << path().native() << "\n";
    }
    [[nodiscard]] pgbakd::target::RcloneOptions options() const {
        return {.name = "drive",
                .remote = "store:",
                .config_file = config_file(),
                .runtime_directory = directory() / "run",
                .program = rclone().value(),
                .environment = {}};
    }
    std::shared_ptr<pgbakd::target::Target> open(pgbakd::async::Pool& pool) const {
        static const pgbakd::base::SystemClock clock;
        return pgbakd::target::make_rclone_target(options(), pool, clock);
    }
};

// A remote that can neither move nor copy: objects are written under their key at once.
class RcloneWithoutMove : public Rclone {
  public:
    static constexpr bool hides_unfinished = false;

    std::shared_ptr<pgbakd::target::Target> open(pgbakd::async::Pool& pool) const {
        auto plain = options();
        plain.environment.push_back({"RCLONE_DISABLE", pgbakd::base::Secret("move,copy")});
        static const pgbakd::base::SystemClock clock;
        return pgbakd::target::make_rclone_target(std::move(plain), pool, clock);
    }
};

// A directory of this host, by way of an SSH server.
class Sftp : public LocalPlace {
  public:
    static std::string missing() { return sftp_fact("skipped"); }
    [[nodiscard]] pgbakd::target::SftpTargetOptions options() const { return sftp_options(path()); }
    std::shared_ptr<pgbakd::target::Target> open(pgbakd::async::Pool& pool) const {
        static const pgbakd::base::SystemClock clock;
        return pgbakd::target::make_sftp_target(options(), pool, clock);
    }
};

}  // namespace contract

#define CONTRACT_PLACES                                                                                         \
    contract::Directory, contract::Decorated, contract::Rclone, contract::RcloneWithoutMove, contract::S3OnRgw, \
        contract::S3OnSwift, contract::Sftp
