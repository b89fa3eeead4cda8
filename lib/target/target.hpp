// The one contract of every place off this disk: a bucket, an SFTP account, a mounted directory, an rclone remote. A
// target knows keys and bytes; what a backup set is, it does not know.
//
// Everything runs on the reactor; a target outlives the operations on it, and several may run at once.
//
// Errors are base::Error. Passing (worth another try): unreachable, timed_out, io_failed and server_error as far as the
// target can tell. Lasting: not_found (the object, the bucket), conflict (the key exists and was to be refused),
// permission_denied and authentication_failed with a hint that says what to allow, no_space, corrupt (what is stored is
// not what was sent), invalid_argument (an illegal key), client_missing. A stop throws the token's reason.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "async/buffers.hpp"
#include "base/clock.hpp"

namespace pgbakd::target {

// As a target tells it: "sha256" and 64 lower-case hexadecimal digits; "md5"; "sha1".
struct Checksum {
    std::string algorithm;
    std::string hex;
    friend bool operator==(const Checksum&, const Checksum&) = default;
};

struct Entry {
    std::string key;
    std::uint64_t size = 0;           // bytes
    base::Timestamp modified{};       // the epoch: the target does not tell
    std::vector<Checksum> checksums;  // of the whole object; only where they were asked for and the target knows some
};

// What may be taken for granted of a finished upload.
enum class Assurance {
    none,      // the target only said that it was done: read parts of it back
    size,      // and told the size of what it holds, which is right
    checksum,  // and it, or its client, compared a checksum of what it holds with what was sent
};

enum class Exclusive {
    atomic,   // of two that put the same key at once, the target refuses one
    checked,  // looked for first: two at the same instant may both succeed, and the later one stays
};

struct Facts {
    std::string name;                       // as the configuration has it
    std::string type;                       // "directory", "rclone", "s3", "sftp"
    std::string place;                      // for people, without any secret: "/mnt/nas/pgbakd", "gdrive:backups"
    Assurance assurance = Assurance::none;  // the least that finish() gives of what it was to be asked for
    Exclusive exclusive = Exclusive::checked;
    bool resumable = false;   // whether uploads have checkpoints
    std::size_t at_once = 1;  // how many short objects are best put at a time
};

enum class Existing { refuse, replace };

struct PutOptions {
    // No aggregate: g++ 12 destroys the members of one twice that is written inside a co_await expression.
    PutOptions() {}  // NOLINT(modernize-use-equals-default)

    Existing existing = Existing::refuse;
    // The length of the whole stream, where it is known: a hint for the size of parts, not a promise.
    std::optional<std::uint64_t> size;
    // What a stream may come to whose length is not known, in bytes; 0: nobody can tell. It may be wrong.
    std::uint64_t guess = 0;
    // checkpoint() of an earlier upload to this key, to go on behind what arrived of it. If that is gone the upload
    // begins anew: look at begins_at().
    std::string checkpoint;
    // Whether the target is asked what it holds once it has taken the object. Not needed by those who list what they
    // sent, and read back what came with less than a checksum: for many short objects it is half of the requests.
    // finish() may then give `none`.
    bool ask_after = true;
};

struct Receipt {
    Entry entry;
    Assurance assurance = Assurance::none;
};

// One object on its way. Nobody sees it under its key before finish(), and then whole. Ends with exactly one of a
// finish() that did not throw, suspend() or abort(); one of them is due before it is destroyed. One call at a time.
class Upload {
  public:
    Upload() = default;
    Upload(const Upload&) = delete;
    Upload& operator=(const Upload&) = delete;
    virtual ~Upload() = default;

    // How many bytes the target has from before: write() goes on behind them. 0 but for a resumed upload.
    [[nodiscard]] virtual std::uint64_t begins_at() const noexcept { return 0; }
    // How long the whole stream will be, once that is known: for those who show it. What is sent decides.
    virtual void expect(std::uint64_t /*size*/) {}
    // Takes the chunk; returns once there is room for another, so that memory stays bounded. The chunk may be kept
    // until it has been sent. A failure is the upload's, and may be that of an earlier chunk.
    virtual asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) = 0;
    // No more comes: the object appears under its key, durably. When this throws the object may still be there, whole
    // (the answer was lost), so that stat() tells; abort() is then due. Error: conflict if it was to be refused.
    virtual asio::awaitable<Receipt> finish(async::StopToken stop) = 0;
    // By which a later put() goes on behind what has arrived by now; empty if it cannot. Text without secrets, to be
    // kept across restarts. It grows: ask after each write().
    [[nodiscard]] virtual std::string checkpoint() const { return {}; }
    // Stops sending and leaves what arrived for that later put(), or removes it where there are no checkpoints. Never
    // throws.
    virtual asio::awaitable<void> suspend() { return abort(); }
    // Removes what arrived; what cannot be removed is left to sweep(). Never throws.
    virtual asio::awaitable<void> abort() = 0;
};

// Where the bytes of an object go, in order.
class Sink {
  public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;
    // Takes all of `bytes` before it returns; nothing refers to them afterwards.
    virtual asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) = 0;
};

struct Range {
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> length;  // absent: to the end
};

struct Page {
    std::vector<Entry> entries;
    std::string next;  // the cursor of the page that follows; empty: this was the last
};

// Whether checksums are wanted: a target may have to read the whole object for them.
enum class Detail { plain, checksums };

struct Refusal {
    std::string key;
    base::Error error;
};

struct Swept {
    std::size_t uploads = 0;
    std::uint64_t bytes = 0;  // as far as the target tells
};

// Of the file system or the account that the objects lie on.
struct Room {
    std::uint64_t total = 0;      // bytes, without what is reserved for others; 0: not known
    std::uint64_t available = 0;  // bytes, to us
    std::string file_system{};    // its mount point on this host; empty: it is another's
};

// What try_parts() found. Failures that could pass are thrown instead.
struct PartsTried {
    bool tried = false;                     // there is something to try
    std::vector<base::Error> sending;       // what keeps a long object from being sent, or from being tidied away
    std::optional<base::Error> sweeping{};  // what keeps sweep() from finding uploads
};

// Keys are those of check_key(), prefixes those of check_prefix() (key.hpp); else invalid_argument.
class Target {
  public:
    Target() = default;
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    virtual ~Target() = default;

    // May have to ask the target, once.
    virtual asio::awaitable<Facts> facts(async::StopToken stop) = 0;

    // Begins an object of any length. Error: conflict, here or in finish(), if it exists and was to be refused.
    virtual asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options,
                                                         async::StopToken stop) = 0;
    // The bytes of that range, as far as the object has them (none from its end on); gives how many those were. An
    // answer that ends early is an error, never a short range. Error: not_found.
    virtual asio::awaitable<std::uint64_t> get(std::string key, Range range, Sink& sink, async::StopToken stop) = 0;
    // The objects under a prefix, at all depths, in the order of their keys' bytes; at most `limit` (1 to 1,000) of
    // them. `cursor` is empty or the last page's `next`; it does not outlive the process. A prefix without any is no
    // error. What appears or goes meanwhile may be missed or not; everything else comes exactly once.
    virtual asio::awaitable<Page> list(std::string prefix, std::string cursor, std::size_t limit,
                                       async::StopToken stop) = 0;
    // Nothing if there is no such object.
    virtual asio::awaitable<std::optional<Entry>> stat(std::string key, Detail detail, async::StopToken stop) = 0;
    // Removes them; a key that is not there is no error. Gives those that the target refused to remove (a lock, a
    // missing permission); throws where it could not be asked.
    virtual asio::awaitable<std::vector<Refusal>> remove(std::vector<std::string> keys, async::StopToken stop) = 0;
    // Removes what interrupted uploads left and nothing was added to since `older_than`. Objects are never touched.
    virtual asio::awaitable<Swept> sweep(base::Timestamp older_than, async::StopToken stop) = 0;
    // How much room there is; nothing where it has no bounds, or cannot be asked for them.
    virtual asio::awaitable<std::optional<Room>> room(async::StopToken /*stop*/) { co_return std::nullopt; }
    // Whether all is allowed that long uploads to that key would take, where that is more than a put(): begins one,
    // sends nothing, lists it and aborts it.
    virtual asio::awaitable<PartsTried> try_parts(std::string /*key*/, async::StopToken /*stop*/) {
        co_return PartsTried{};
    }
};

}  // namespace pgbakd::target
