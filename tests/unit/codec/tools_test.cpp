// The stock programs accept what this folder writes. Each needs its program; without it the case is skipped.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "archive_writer.hpp"
#include "codec/tar_writer.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;

namespace {

class ScratchFile {
  public:
    explicit ScratchFile(const std::string& suffix, Bytes content) {
        std::string name = (std::filesystem::temp_directory_path() / "pgbakd-codec-XXXXXX").string() + suffix;
        const int descriptor = ::mkstemps(name.data(), static_cast<int>(suffix.size()));
        REQUIRE(descriptor >= 0);
        ::close(descriptor);
        path_ = name;
        std::ofstream(path_, std::ios::binary) << text_of(content);
    }
    ~ScratchFile() { std::filesystem::remove(path_); }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    [[nodiscard]] std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

bool present(const std::string& program) {
    if (std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0) return true;
    std::cout << "SKIPPED: " << program << " is not installed\n";
    return false;
}

bool accepts(const std::string& command, const ScratchFile& file) {
    return std::system((command + " '" + file.path() + "' >/dev/null").c_str()) == 0;
}

Buffer packed(const Compression& compression) {
    std::mt19937 random(11);
    PieceCompressor compressor(compression);
    Buffer file;
    for (const std::size_t size : {100'000, 0, 1, 50'000}) {
        const auto piece = compressor.compress(random_text(random, size));
        file.insert(file.end(), piece.begin(), piece.end());
    }
    return file;
}

}  // namespace

TEST_CASE("gunzip -t accepts our pieces", "[tools]") {
    if (!present("gunzip")) return;
    for (const int level : {1, 6, 9, 12})
        CHECK(accepts("gunzip -t", ScratchFile(".gz", packed({Method::gzip, level}))));
}

TEST_CASE("zstd -t accepts our pieces", "[tools]") {
    if (!present("zstd")) return;
    for (const int level : {1, 3, 19}) CHECK(accepts("zstd -q -t", ScratchFile(".zst", packed({Method::zstd, level}))));
}

TEST_CASE("tar -tf accepts our tars", "[tools]") {
    if (!present("tar")) return;
    CollectingSink sink;
    TarWriter writer(sink);
    for (const std::string path : {"a", "dir/toc.dat"}) {
        REQUIRE(writer.begin_file(path, 5, {}));
        REQUIRE(writer.write(bytes_of("abcde")));
        REQUIRE(writer.end_file());
    }
    REQUIRE(writer.begin_file(std::string(200, 'n'), 0, {}));
    REQUIRE(writer.end_file());
    REQUIRE(writer.finish());
    CHECK(accepts("tar -tvf", ScratchFile(".tar", sink.content)));
}

TEST_CASE("pg_restore -l accepts an archive written from the reader's events", "[tools]") {
    const std::string program = "pg_restore";
    if (!present(program)) return;
    for (const auto minor : {12, 13, 14}) {
        const ScratchFile file(".dump", rewritten(sample("pg15-blobs-6.dump"), minor));
        CHECK(accepts(program + " -l", file));
        CHECK(accepts(program + " -f -", file));
    }
}
