// Sends as the daemon does, for tests/bench/bench.py to measure beside the stock tools.
//   bench_upload prepare DIRECTORY COUNT BYTES   a set with COUNT artifacts of BYTES random bytes each
//   bench_upload files DIRECTORY URL/BUCKET/PREFIX    its artifacts
//   bench_upload set DIRECTORY URL/BUCKET/PREFIX      all of it: artifacts, checksum files and the manifest
// Credentials and region: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

#include "async/pool.hpp"
#include "base/clock.hpp"
#include "codec/sha256.hpp"
#include "host/identity.hpp"
#include "host/secrets.hpp"
#include "model/backup_set.hpp"
#include "offsite/send_set.hpp"
#include "offsite/targets.hpp"
#include "os/file.hpp"
#include "repository/names.hpp"

namespace {

using namespace pgbakd;
namespace fs = std::filesystem;

constexpr std::size_t largest_manifest = std::size_t{64} << 20U;

void write_file(const fs::path& path, std::span<const char> bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.flush();
    if (!file) throw base::Error(base::ErrorCode::io_failed, "cannot write " + path.native());
}

void prepare(const fs::path& directory, std::size_t count, std::size_t size) {
    fs::create_directories(directory);
    model::BackupSet set;
    set.id = {"bench", "20260101_000000"};
    set.run = base::RunId::make(base::SystemClock().now(), {});
    set.host = "bench";
    set.trigger = "manual";
    set.timezone = "UTC";
    set.started_at = base::SystemClock().now();
    set.finished_at = set.started_at;
    set.started_at_local = "2026-01-01T00:00:00+00:00";
    set.finished_at_local = set.started_at_local;
    // A small number of each is enough to make no two files alike; nobody compresses them.
    std::mt19937_64 random(count);
    std::vector<char> bytes(size);
    for (std::size_t i = 0; i + sizeof(std::uint64_t) <= size; i += sizeof(std::uint64_t)) {
        const auto word = random();
        std::copy_n(reinterpret_cast<const char*>(&word), sizeof word, bytes.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto number = fmt::format("{:06}", i);
        std::copy(number.begin(), number.end(), bytes.begin());
        model::Artifact artifact;
        artifact.file = fmt::format("db{}.dump", number);
        artifact.kind = "database";
        artifact.database = "db" + number;
        artifact.format = "custom";
        artifact.bytes = size;
        artifact.raw_bytes = size;
        artifact.compression = "none";
        artifact.sha256 = codec::sha256_hex(std::as_bytes(std::span(bytes)));
        write_file(directory / artifact.file, bytes);
        write_file(directory / (artifact.file + std::string(repository::sidecar_extension)),
                   fmt::format("{}  {}\n", artifact.sha256, artifact.file));
        set.artifacts.push_back(std::move(artifact));
    }
    write_file(directory / model::manifest_file, model::to_manifest(set));
}

model::SecretReference of_environment(const char* name) {
    model::SecretReference reference;
    reference.kind = model::SecretReference::Kind::environment;
    reference.name = name;
    return reference;
}

// Of "http://host:port/bucket/prefix". The profile is one with conditional writes.
model::TargetSpec spec_of(const std::string& where) {
    const auto host = where.find("//") + 2;
    const auto bucket = where.find('/', host);
    const auto prefix = where.find('/', bucket + 1);
    if (prefix == std::string::npos) throw base::Error(base::ErrorCode::invalid_argument, "URL/BUCKET/PREFIX");
    model::S3Place place;
    place.provider = "minio";
    place.endpoint = where.substr(0, bucket);
    place.bucket = where.substr(bucket + 1, prefix - bucket - 1);
    place.prefix = where.substr(prefix + 1);
    place.access_key_id = of_environment("AWS_ACCESS_KEY_ID");
    place.secret_access_key = of_environment("AWS_SECRET_ACCESS_KEY");
    return {"bench", place};
}

class Sender {
  public:
    Sender(fs::path directory, const std::string& where)
        : directory_(std::move(directory)),
          set_(model::parse_manifest(os::read_file(directory_ / model::manifest_file, largest_manifest)).value()),
          // As lib/service/core.cpp has it.
          pool_(static_cast<std::size_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))) + 18, 0),
          targets_({io_.get_executor(), pool_, clock_, host::random_number,
                    [](const model::SecretReference& secret) { return host::resolve_secret(secret); }, "/usr/bin:/bin",
                    "/tmp"}) {
        targets_.configure({{"bench", spec_of(where)}}, 0);
    }

    void run(bool whole) {
        std::exception_ptr failure;
        asio::co_spawn(io_, send(whole), [&failure](const std::exception_ptr& thrown) { failure = thrown; });
        io_.run();
        if (failure) std::rethrow_exception(failure);
    }

  private:
    asio::awaitable<void> send(bool whole) {
        const auto target = co_await targets_.open("bench");
        const offsite::Means means{*target, pool_, host::random_number};
        const async::StopSource stop;
        offsite::Way way;
        if (whole) {
            co_await offsite::send_set(means, io_.get_executor(), directory_, set_, way, stop.token());
            co_return;
        }
        co_await offsite::send_artifacts(means, io_.get_executor(), directory_, set_, way, stop.token());
    }

    fs::path directory_;
    model::BackupSet set_;
    base::SystemClock clock_;
    asio::io_context io_;
    async::Pool pool_;
    offsite::Targets targets_;
};

std::size_t number(std::string_view text) {
    std::size_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

int main(int argc, char* argv[]) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    try {
        if (what == "prepare" && argc == 5) {
            prepare(argv[2], number(argv[3]), number(argv[4]));
            return 0;
        }
        if ((what == "files" || what == "set") && argc == 4) {
            Sender(argv[2], argv[3]).run(what == "set");
            return 0;
        }
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "bench_upload: %s\n", failure.what());
        return 1;
    }
    std::fprintf(stderr, "usage: bench_upload prepare DIRECTORY COUNT BYTES | files|set DIRECTORY URL/BUCKET/PREFIX\n");
    return 2;
}
