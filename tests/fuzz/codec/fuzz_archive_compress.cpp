// Whatever comes for an archive of pg_dump: an error, or an archive that is as good and says the same.
#include <vector>

#include "codec/archive_compressor.hpp"
#include "fuzz_check.hpp"

namespace {

using namespace pgbakd::codec;
using Buffer = std::vector<std::byte>;

bool compress(Bytes archive, std::size_t chunk, Buffer& output) {
    const Compression compression{Method::gzip, 6};
    ArchiveSplitter splitter(compression);
    const bool good = fuzzing::feed(splitter, archive, chunk);
    ArchiveCompressor compressor(compression);
    ArchiveJoiner joiner;
    // Also of a bad one what came of it before that was found out.
    for (const auto& batch : splitter.take())
        joiner.add(compressor.compress(*batch),
                   [&output](Buffer bytes) { output.insert(output.end(), bytes.begin(), bytes.end()); });
    return good;
}

std::uint64_t raw_bytes(Bytes archive) {
    const auto check = make_check(Content::custom_archive, Method::none);
    if (!fuzzing::feed(*check, archive, archive.size() + 1)) std::abort();
    return check->result().raw_bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes archive(reinterpret_cast<const std::byte*>(data), size);
    Buffer whole, pieces;
    const bool good = compress(archive, size + 1, whole);
    if (compress(archive, 3, pieces) != good) std::abort();
    if (!good) return 0;
    if (pieces != whole || raw_bytes(archive) != raw_bytes(whole)) std::abort();
    const auto frames = make_archive_frame_check();
    if (!fuzzing::feed(*frames, whole, 7)) std::abort();
    return 0;
}
