// One part of an upload before it is sent: in memory while it is small, else in a file without a name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "async/buffers.hpp"
#include "async/pool.hpp"
#include "codec/sha256.hpp"
#include "http/body.hpp"
#include "os/descriptor.hpp"

namespace pgbakd::target {

class S3Part {
  public:
    // Takes `capacity` bytes, of which more than most_in_memory (s3_parts.hpp) go to a file in `directory`.
    S3Part(std::uint64_t capacity, std::filesystem::path directory);

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t room() const noexcept { return capacity_ - size_; }

    // Takes `count` bytes of the chunk, at most room(). Error: that of the file, no_space above all.
    asio::awaitable<void> append(async::Chunk chunk, std::size_t offset, std::size_t count, async::Pool& pool);
    // SHA-256 of all of it, in hexadecimal. Once; nothing is appended afterwards.
    asio::awaitable<std::string> hash(async::Pool& pool);
    // Content-MD5 of all of it, as often as need be; read for its own sake.
    asio::awaitable<std::string> content_md5(async::Pool& pool) const;
    // What sends it, as often as need be; holds what it needs of the part.
    [[nodiscard]] std::shared_ptr<http::BodySource> body(async::Pool& pool) const;

  private:
    struct Spool {
        std::filesystem::path directory;  // for messages
        os::Descriptor file;
        codec::Sha256 hash;
        void write(std::span<const std::byte> bytes);
    };
    class SpoolBody;
    asio::awaitable<void> spill(async::Pool& pool);

    std::uint64_t capacity_;
    std::filesystem::path directory_;
    std::uint64_t size_ = 0;
    std::shared_ptr<std::vector<std::byte>> memory_;
    std::shared_ptr<Spool> spool_;  // instead of memory_
};

}  // namespace pgbakd::target
