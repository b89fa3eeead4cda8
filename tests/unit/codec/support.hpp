// What the tests of lib/codec share: real archives beside the tests, and bytes handed over in pieces.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "codec/check.hpp"
#include "codec/sink.hpp"
#include "support/catch.hpp"

namespace pgbakd::codec::testing {

using Buffer = std::vector<std::byte>;

inline std::filesystem::path source_directory() {
    if (const char* directory = std::getenv("PGBAKD_SOURCE_DIR")) return directory;
#ifdef PGBAKD_SOURCE_DIR
    return PGBAKD_SOURCE_DIR;
#else
    throw std::runtime_error("set PGBAKD_SOURCE_DIR to the top of the source tree");
#endif
}

inline Buffer read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path.string());
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
    return {bytes, bytes + text.size()};
}

inline Buffer sample(std::string_view name) {
    return read_file(source_directory() / "tests/unit/codec/data" / name);
}

inline Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline Buffer buffer_of(std::string_view text) {
    const auto bytes = bytes_of(text);
    return {bytes.begin(), bytes.end()};
}

inline std::string text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Buffer random_bytes(std::mt19937& random, std::size_t size) {
    Buffer bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
}

// Words and numbers: compresses as tables do.
inline Buffer random_text(std::mt19937& random, std::size_t size) {
    static constexpr std::string_view words[] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "\t", "\n"};
    std::string text;
    while (text.size() < size) {
        text += words[random() % std::size(words)];
        text += std::to_string(random() % 1000);
    }
    text.resize(size);
    return buffer_of(text);
}

// A matcher for a text that has `part` in it; v3 of Catch2 calls it by another name than v2.
inline auto mentions(const std::string& part) {
#if __has_include(<catch2/catch_all.hpp>)
    return Catch::Matchers::ContainsSubstring(part);
#else
    return Catch::Matchers::Contains(part);
#endif
}

class CollectingSink final : public Sink {
  public:
    base::Status write(Bytes bytes) override {
        content.insert(content.end(), bytes.begin(), bytes.end());
        return {};
    }
    base::Status finish() override {
        ++finished;
        return {};
    }
    Buffer content;
    int finished = 0;
};

// Everything, in pieces of `chunk` bytes (0: all at once), then finish().
inline base::Status feed(Sink& sink, Bytes bytes, std::size_t chunk = 0) {
    if (chunk == 0) chunk = std::max<std::size_t>(bytes.size(), 1);
    while (!bytes.empty()) {
        const auto size = std::min(chunk, bytes.size());
        if (auto status = sink.write(bytes.first(size)); !status) return status;
        bytes = bytes.subspan(size);
    }
    return sink.finish();
}

// "good", or what was found.
inline std::string verdict(const base::Status& status) {
    return status ? "good" : std::string(base::code_text(status.error().code())) + ": " + status.error().message();
}

inline base::Status check(Content content, Bytes bytes, std::size_t chunk = 0, Method method = Method::none) {
    return feed(*make_check(content, method), bytes, chunk);
}

inline std::string verdict(Content content, Bytes bytes, std::size_t chunk = 0, Method method = Method::none) {
    return verdict(check(content, bytes, chunk, method));
}

}  // namespace pgbakd::codec::testing
