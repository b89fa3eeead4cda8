// The blocking half of the SFTP target: what its operations do on the pool. Safe on any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "target/sftp_listing.hpp"
#include "target/sftp_target.hpp"

namespace pgbakd::target {

class SftpStore {
  public:
    using Interrupt = http::Interrupt;

    SftpStore(SftpTargetOptions options, const base::Clock& clock);

    [[nodiscard]] const SftpTargetOptions& options() const noexcept { return options_; }
    [[nodiscard]] std::string place() const;
    // Of an unfinished upload, below the target's path.
    [[nodiscard]] static std::string upload_key(std::string_view name);

    // At offset 0 the file is made or emptied; else `offset` has to be its size.
    void write(const std::string& key, std::uint64_t offset, std::span<const std::byte> bytes, Interrupt& interrupt);
    // As many as there are and fit; the offset is not behind the end.
    [[nodiscard]] std::size_t read(const std::string& key, std::uint64_t offset, std::span<std::byte> into,
                                   Interrupt& interrupt);
    // Its size and time, whatever it is.
    [[nodiscard]] std::optional<http::SftpStatus> look(const std::string& key, Interrupt& interrupt);
    // Gives the upload its key; `is_placed` becomes true once it has it, also where the end is an error. Errors:
    // conflict if the key exists and is refused; corrupt if the upload has another size.
    [[nodiscard]] Entry place_upload(const std::string& name, const std::string& key, std::uint64_t size,
                                     Existing existing, std::atomic<bool>& is_placed, Interrupt& interrupt);
    void discard(const std::string& name, Interrupt& interrupt);
    // Error: conflict if the key exists.
    void refuse_existing(const std::string& key, Interrupt& interrupt);

    [[nodiscard]] std::optional<Entry> stat(const std::string& key, Interrupt& interrupt);
    [[nodiscard]] Page list(const std::string& prefix, const std::string& after, std::size_t limit,
                            Interrupt& interrupt);
    [[nodiscard]] std::vector<Refusal> remove(const std::vector<std::string>& keys, Interrupt& interrupt);
    [[nodiscard]] Swept sweep(base::Timestamp older_than, Interrupt& interrupt);
    [[nodiscard]] std::optional<http::SftpSpace> space(Interrupt& interrupt);

  private:
    struct Lease;
    struct Walk;
    struct Found;
    [[nodiscard]] std::string path_of(std::string_view key) const;
    [[nodiscard]] std::optional<http::SftpSpace> space_of(http::SftpSession& session, Interrupt& interrupt) const;
    [[nodiscard]] std::vector<std::string> directories_above(std::string_view path) const;
    // Calls `work` with a session, and turns a refusal without a reason into what the server's disk tells of it:
    // whether there was room for `needed` bytes.
    void use(const std::function<void(http::SftpSession&)>& work, std::uint64_t needed, Interrupt& interrupt);
    // The same, for what gives something.
    template <class Work>
    auto ask(const Work& work, Interrupt& interrupt) {
        std::optional<std::invoke_result_t<const Work&, http::SftpSession&>> value;
        use([&](http::SftpSession& session) { value.emplace(work(session)); }, 0, interrupt);
        return std::move(*value);
    }
    [[nodiscard]] base::Error explained(const base::Error& error, std::uint64_t needed, Interrupt& interrupt);
    [[nodiscard]] base::Timestamp server_time(http::SftpSession& session, Interrupt& interrupt);
    [[nodiscard]] bool is_file(http::SftpSession& session, const std::string& path, Interrupt& interrupt);
    void rename_over(http::SftpSession& session, const std::string& from, const std::string& key, Interrupt& interrupt);
    [[nodiscard]] std::vector<Found> list_directory(http::SftpSession& session, const std::string& prefix,
                                                    Interrupt& interrupt);
    void walk(http::SftpSession& session, Walk& walk, const std::string& prefix, Interrupt& interrupt);
    void set_times(http::SftpSession& session, std::vector<Found>& found, Interrupt& interrupt);

    SftpTargetOptions options_;
    const base::Clock& clock_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<http::SftpSession>> idle_;
};

}  // namespace pgbakd::target
