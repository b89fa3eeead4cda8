#include "offsite/fetch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "codec/sha256.hpp"
#include "offsite/keys.hpp"
#include "offsite/remote_sets.hpp"
#include "os/file.hpp"
#include "repository/artifact_check.hpp"
#include "repository/names.hpp"
#include "target/listing.hpp"
#include "target/whole.hpp"

namespace pgbakd::offsite {
namespace {

constexpr std::size_t largest_manifest = std::size_t{64} << 20U;

// What is done with the bytes of one artifact, on the pool.
using Consume = std::function<void(std::span<const std::byte>)>;

// Takes what the manifest says and no more: an object that never ends must not fill the disk.
class ConsumingSink final : public target::Sink {
  public:
    ConsumingSink(async::Pool& pool, std::uint64_t most, Consume consume, BytesCome come, std::uint64_t& total)
        : pool_(pool), left_(most), consume_(std::move(consume)), come_(std::move(come)), total_(total) {}

    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override {
        stop.check();
        if (bytes.size() > left_) throw base::Error(base::ErrorCode::corrupt, "is longer than its manifest says");
        left_ -= bytes.size();
        const auto consume = [this, bytes] { consume_(bytes); };
        co_await async::run_blocking(pool_, consume);
        total_ += bytes.size();
        if (come_) come_(total_);
    }

  private:
    async::Pool& pool_;
    std::uint64_t left_;
    Consume consume_;
    BytesCome come_;
    std::uint64_t& total_;
};

base::Error differs(const model::Artifact& artifact, std::uint64_t bytes) {
    if (bytes != artifact.bytes)
        return {base::ErrorCode::corrupt, fmt::format("has {} bytes, the manifest says {}", bytes, artifact.bytes)};
    return {base::ErrorCode::corrupt, "its SHA-256 is not the manifest's"};
}

// One artifact, hashed and handed on as it comes. Throws corrupt if it is not what the manifest says.
asio::awaitable<void> read_artifact(target::Target& target, async::Pool& pool, std::string key,
                                    model::Artifact artifact, Consume consume, BytesCome come, std::uint64_t& total,
                                    async::StopToken stop) {
    codec::Sha256 hash;
    const Consume both = [&hash, consume](std::span<const std::byte> bytes) {
        hash.update(bytes);
        consume(bytes);
    };
    ConsumingSink sink(pool, artifact.bytes, both, std::move(come), total);
    const auto bytes = co_await target.get(std::move(key), {}, sink, stop);
    if (bytes != artifact.bytes || hash.hex_digest() != artifact.sha256) throw differs(artifact, bytes);
}

// Of a file that was not found. One answer of that kind can be a mistake of a proxy or a gateway, and a good copy that
// is called bad is removed one day: it is missing if a list of its set, with the manifest, does not show it either.
asio::awaitable<repository::ArtifactVerdict> verify_absence(target::Target& target, model::SetId id, std::string file,
                                                            async::StopToken stop) {
    std::set<std::string, std::less<>> shown;
    std::optional<base::Error> failure;
    try {
        const auto prefix = prefix_of(id);
        target::Listing listing(target, prefix, most_in_a_set);
        while (co_await listing.next(stop))
            for (const auto& entry : listing.entries()) shown.insert(entry.key);
    } catch (const base::Error& error) {
        failure = error;
    }
    stop.check();
    std::string message = "is missing";
    if (failure)
        message = "was not found, and a list of its set failed: " + failure->message();
    else if (shown.contains(key_of(id, file)))
        message = "was not found, but a list of its set shows it";
    else if (!shown.contains(key_of(id, model::manifest_file)))
        message = "was not found, and neither was its set";
    else
        co_return repository::ArtifactVerdict{std::move(file), repository::Finding::bad, std::move(message), {}};
    co_return repository::ArtifactVerdict{std::move(file), repository::Finding::unread, std::move(message), {}};
}

// The check of an artifact's content, while it comes. What it throws is kept: what came may be damaged, and then that
// is the cause.
struct Decoding {
    std::unique_ptr<codec::Check> check;
    std::optional<base::Error> unknown;

    template <class Step>
    void take(const Step& step) {
        if (!check || unknown) return;
        base::Status status;
        try {
            status = step();
        } catch (const base::Error& error) {
            unknown = error;
        }
        status.value();
    }
    void write(std::span<const std::byte> bytes) {
        take([&] { return check->write(bytes); });
    }
    std::optional<std::uint64_t> finish() {
        take([&] { return check->finish(); });
        if (unknown) throw base::Error(*unknown);
        return check ? std::optional(check->result().raw_bytes) : std::nullopt;
    }
};

asio::awaitable<repository::ArtifactVerdict> verify_artifact(target::Target& target, async::Pool& pool, model::SetId id,
                                                             model::Artifact artifact, repository::Decrypt decrypt,
                                                             BytesCome come, std::uint64_t& total,
                                                             async::StopToken stop) {
    const auto reading = repository::reading_of(artifact);
    const auto open = [reading, decrypt, file = artifact.file] {
        try {
            return std::make_shared<Decoding>(Decoding{repository::check_of(reading, decrypt), {}});
        } catch (const base::Error& error) {
            throw base::Error(error.during(file));
        }
    };
    const auto decoding = co_await async::run_blocking(pool, open);
    const Consume decode = [decoding](std::span<const std::byte> bytes) { decoding->write(bytes); };
    std::exception_ptr failure;
    std::optional<std::uint64_t> raw_bytes;
    try {
        co_await read_artifact(target, pool, key_of(id, artifact.file), artifact, decode, std::move(come), total, stop);
        const auto finish = [decoding] { return decoding->finish(); };
        raw_bytes = co_await async::run_blocking(pool, finish);
    } catch (...) {
        failure = std::current_exception();
    }
    // What still decrypts is ended where it may take a moment.
    const auto found = raw_bytes.has_value();
    const auto end = [decoding] { decoding->check.reset(); };
    co_await async::run_blocking(pool, end);
    stop.check();
    if (!failure)
        co_return repository::ArtifactVerdict{
            artifact.file, repository::Finding::good,
            found ? reading.encrypted ? "decrypted and decoded" : "decoded" : "read back (it is encrypted)", raw_bytes};
    const auto error = base::to_error(failure);
    if (error.code() == base::ErrorCode::not_found) {
        auto verdict = co_await verify_absence(target, id, artifact.file, stop);
        co_return verdict;
    }
    if (decoding->unknown && error.code() == base::ErrorCode::authentication_failed)
        throw base::Error(error.during(artifact.file));
    co_return repository::ArtifactVerdict{artifact.file, repository::finding_of(error), error.message(), {}};
}

// The sidecar as it lies there. What the target cannot give is a verdict too.
asio::awaitable<std::optional<repository::ArtifactVerdict>> look_beside(target::Target& target, model::SetId id,
                                                                        model::Artifact artifact,
                                                                        async::StopToken stop) {
    const auto name = artifact.file + std::string(repository::sidecar_extension);
    const auto key = key_of(id, name);
    std::optional<base::Error> wrong;
    try {
        const auto text = co_await target::get_text(target, key, repository::largest_sidecar, stop);
        const auto status = repository::check_sidecar(text, artifact.sha256, artifact.file);
        if (!status) wrong = status.error();
    } catch (const base::Error& error) {
        wrong = error;
    }
    stop.check();
    if (!wrong) co_return std::nullopt;
    if (wrong->code() == base::ErrorCode::not_found) {
        auto verdict = co_await verify_absence(target, id, name, stop);
        co_return verdict;
    }
    co_return repository::ArtifactVerdict{name, repository::finding_of(*wrong), wrong->message(), std::nullopt};
}

// A directory that becomes the set, or is gone.
class Arriving {
  public:
    explicit Arriving(std::filesystem::path into)
        : into_(std::move(into)), partial_(into_.parent_path() / ("." + into_.filename().native() + ".partial")) {}

    [[nodiscard]] const std::filesystem::path& partial() const noexcept { return partial_; }
    // Blocks.
    void begin() const {
        if (os::file_status(into_))
            throw base::Error(base::ErrorCode::conflict, fmt::format("{} exists already", into_.native()),
                              "name another directory with --into, or move this one away");
        os::make_directories(into_.parent_path());
        os::remove_tree(partial_);
        if (!os::make_directory(partial_))
            throw base::Error(base::ErrorCode::conflict, fmt::format("{} exists already", partial_.native()));
    }
    void commit() const {
        os::sync_directory(partial_);
        os::rename_durably(partial_, into_);
    }

  private:
    std::filesystem::path into_;
    std::filesystem::path partial_;
};

asio::awaitable<void> bring(target::Target& target, async::Pool& pool, model::BackupSet set,
                            std::filesystem::path directory, BytesCome come, async::StopToken stop) {
    std::uint64_t total = 0;
    for (const auto& artifact : set.artifacts) {
        const auto path = directory / artifact.file;
        const auto create = [path] { return std::make_shared<os::Descriptor>(os::create_file(path)); };
        const auto file = co_await async::run_blocking(pool, create);
        const Consume write = [file, path](std::span<const std::byte> bytes) { os::write_all(*file, bytes, path); };
        std::optional<base::Error> failure;
        try {
            co_await read_artifact(target, pool, key_of(set.id, artifact.file), artifact, write, come, total, stop);
        } catch (const base::Error& error) {
            failure = error;
        }
        if (failure) throw base::Error(failure->during(artifact.file));
        const auto finish = [file, path, artifact] {
            os::sync_file(*file, path);
            os::write_new_file(path.native() + std::string(repository::sidecar_extension),
                               repository::sidecar_text(artifact.sha256, artifact.file));
        };
        co_await async::run_blocking(pool, finish);
    }
    const auto key = key_of(set.id, model::manifest_file);
    const auto manifest = co_await target::get_text(target, key, largest_manifest, stop);
    const auto write = [manifest, directory] { os::write_new_file(directory / model::manifest_file, manifest); };
    co_await async::run_blocking(pool, write);
}

}  // namespace

asio::awaitable<model::BackupSet> newest_remote(target::Target& target, std::string job, LeftOut left_out,
                                                async::StopToken stop) {
    auto sets = co_await remote_sets(target, job, stop);
    std::reverse(sets.begin(), sets.end());
    for (const auto& set : sets) {
        if (!set.exists || set.corrupt) continue;
        std::optional<base::Error> unreadable;
        model::BackupSet manifest;
        try {
            manifest = co_await remote_manifest(target, set.id, stop);
        } catch (const base::Error& error) {
            unreadable = error;
        }
        stop.check();
        if (unreadable) {
            // Not asked for now, rather than broken.
            if (unreadable->is_passing()) throw base::Error(unreadable->during(set.id.text()));
            if (left_out) left_out(set.id, *unreadable);
        } else if (manifest.complete) {
            co_return manifest;
        }
    }
    const auto facts = co_await target.facts(stop);
    throw base::Error(base::ErrorCode::not_found, fmt::format("there is no good set of {} in {}", job, facts.place),
                      fmt::format("pgbakctl list --from {} shows what is there", facts.name));
}

asio::awaitable<repository::Verdict> verify_remote(target::Target& target, async::Pool& pool, model::BackupSet set,
                                                   repository::Decrypt decrypt, BytesCome come, async::StopToken stop) {
    repository::Verdict verdict;
    verdict.level = model::Verification::decoded;
    std::uint64_t total = 0;
    for (const auto& artifact : set.artifacts) {
        auto found = co_await verify_artifact(target, pool, set.id, artifact, decrypt, come, total, stop);
        // Only of an artifact that is good: else there is nothing that they could be held against.
        const bool good = found.ok();
        if (auto wrong = repository::check_raw_bytes(artifact, found)) verdict.beside.push_back(std::move(*wrong));
        verdict.artifacts.push_back(std::move(found));
        if (good) {
            auto wrong = co_await look_beside(target, set.id, artifact, stop);
            if (wrong) verdict.beside.push_back(std::move(*wrong));
        }
        if (!decrypt && repository::reading_of(artifact).encrypted)
            verdict.level = std::min(verdict.level, model::Verification::read_back);
    }
    if (!verdict.ok()) verdict.level = model::Verification::none;
    co_return verdict;
}

asio::awaitable<void> download(target::Target& target, async::Pool& pool, model::BackupSet set,
                               std::filesystem::path into, BytesCome come, async::StopToken stop) {
    const Arriving arriving(std::move(into));
    const auto begin = [arriving] { arriving.begin(); };
    co_await async::run_blocking(pool, begin);
    std::exception_ptr failure;
    try {
        co_await bring(target, pool, std::move(set), arriving.partial(), std::move(come), stop);
        const auto commit = [arriving] { arriving.commit(); };
        co_await async::run_blocking(pool, commit);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    const auto remove = [arriving] { os::remove_tree(arriving.partial()); };
    co_await async::run_blocking(pool, remove);
    std::rethrow_exception(failure);
}

}  // namespace pgbakd::offsite
