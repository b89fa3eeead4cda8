// Checks that an artifact is readable to its very end. Each is a sink: hand it the artifact's bytes in order, and
// finish() says whether it was whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "codec/compress.hpp"
#include "codec/sink.hpp"

namespace pgbakd::codec {

enum class Content {
    custom_archive,     // pg_dump -Fc: header, every TOC entry, every data block inflated to its end
    directory_archive,  // pg_dump -Fd, tarred: toc.dat read, every data file of the TOC there and inflated to its end
    plain_dump,         // pg_dump as SQL: must end with "-- PostgreSQL database dump complete"
    plain_globals,      // pg_dumpall --globals-only: "-- PostgreSQL database cluster dump complete"
    tar,                // any tar: its headers and its end mark
    backup_manifest,    // of a base backup: its syntax and its own checksum
    taosdump,           // a tar of what taosdump wrote: dbs.sql, by which it begins to restore, must be in it
    raw,                // nothing to parse: only the compression is checked
};

// What the check learnt; valid after finish() succeeded.
struct CheckResult {
    std::uint64_t raw_bytes = 0;         // after decompression (of the data blocks, for archives)
    std::uint64_t tables_with_data = 0;  // archives: TOC entries of TABLE DATA
    std::uint64_t large_objects = 0;     // archives: blobs read
    std::uint64_t members = 0;           // tars: files, directories, links; manifests: files
    std::string archive_version;         // archives: "1.14"
    std::string server_version;          // archives: the server's version string in the header
    std::string database;                // archives: the database's name in the header
};

// What write() and finish() fail with: `corrupt` and a message that says what is wrong and where (byte, table, file),
// or `unsupported` for an archive version or compression that this program does not know. A flipped bit is found
// wherever the format has a checksum: everywhere in gzip's and our own zstd's files and in zlib's data blocks (but not
// in the OID of a large object), nowhere in the uncompressed data of an archive, and not for sure in the zstd and lz4
// data that pg_dump writes, as it asks neither for checksums. Any chunking gives the same verdict; nothing is thrown
// for bad input.
class Check : public Sink {
  public:
    [[nodiscard]] virtual const CheckResult& result() const noexcept = 0;
};

// `method` is the outer compression of the file (none for custom archives and directory tars, whose blocks carry their
// own).
[[nodiscard]] std::unique_ptr<Check> make_check(Content content, Method method);
// The same with a check of its own for what is inside.
[[nodiscard]] std::unique_ptr<Check> make_check(std::unique_ptr<Check> content, Method method);

// Of a custom archive whose data blocks were inflated already, when they were compressed (ArchiveCompressor): reads all
// that is around them. It does not know raw_bytes.
[[nodiscard]] std::unique_ptr<Check> make_archive_frame_check();

}  // namespace pgbakd::codec
