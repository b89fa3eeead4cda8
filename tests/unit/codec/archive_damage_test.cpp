// Damaged archives: each must be found, and the message must say where.
#include <malloc.h>

#include "archive_writer.hpp"
#include "codec/stream_decoder.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;
using pgbakd::base::ErrorCode;

namespace {

std::size_t find(Bytes archive, std::string_view wanted, std::size_t from = 0) {
    const auto at = text_of(archive).find(wanted, from);
    REQUIRE(at != std::string::npos);
    return at;
}

// Where the data blocks begin and what they say, told by the reader itself.
class Watcher final : public ArchiveHandler {
  public:
    explicit Watcher(Bytes archive) { feed(reader_, archive).value(); }
    std::uint64_t data_begins = 0;
    std::vector<std::uint64_t> oid_ends;
    CollectingSink content;  // each large object's OID before its bytes

  private:
    using Status = pgbakd::base::Status;
    Status on_header(const ArchiveHeader& header) override {
        decoder_ = make_block_decoder(header.compression).value();
        return {};
    }
    Status on_toc_entry(ArchiveEntry&) override { return {}; }
    Status on_toc_end() override {
        data_begins = reader_.offset();
        return {};
    }
    Status on_data_begin(std::int32_t) override { return {}; }
    Status on_large_object_begin(std::uint32_t oid) override {
        oid_ends.push_back(reader_.offset());
        return content.write(bytes_of(std::to_string(oid)));
    }
    Status on_data(Bytes stored) override { return decoder_->write(stored, content); }
    Status on_stream_end() override { return decoder_->end(content); }
    Status on_data_end(std::int32_t) override { return {}; }
    std::unique_ptr<StreamDecoder> decoder_;
    ArchiveReader reader_{ArchiveForm::custom, *this};
};

// Whether the integer around this byte is the OID of a large object.
bool in_large_object_id(Bytes archive, std::size_t at) {
    const Watcher watcher(archive);
    return std::any_of(watcher.oid_ends.begin(), watcher.oid_ends.end(),
                       [&](auto end) { return at < end && at + 5 >= end; });
}

std::size_t data_begins(Bytes archive) {
    return static_cast<std::size_t>(Watcher(archive).data_begins);
}
Buffer content_of(Bytes archive) {
    return Watcher(archive).content.content;
}

Buffer joined(std::initializer_list<Bytes> parts) {
    Buffer all;
    for (const auto part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

}  // namespace

TEST_CASE("an archive cut at any byte is corrupt, and the message says at which") {
    struct Row {
        std::string_view file;
        std::size_t step;
    };
    for (const auto& [file, step] :
         {Row{"pg15-empty.dump", 1}, Row{"pg15-tiny.dump", 1}, Row{"pg17-tiny.dump", 1}, Row{"pg15-blobs-6.dump", 7},
          Row{"pg17-blobs-zstd.dump", 7}, Row{"pg17-blobs-0.dump", 61}}) {
        const auto archive = sample(file);
        for (std::size_t size = 0; size < archive.size(); size += step) {
            const auto status = check(Content::custom_archive, Bytes(archive).first(size));
            const auto place = "byte " + std::to_string(size);
            const bool corrupt = !status && status.error().code() == ErrorCode::corrupt;
            if (!corrupt || (size != 0 && status.error().message().find(place) == std::string::npos))
                FAIL_CHECK(file << " cut at " << place << ": " << verdict(status));
        }
    }
    SUCCEED();
}

TEST_CASE("the second table of contents of a redirected dump must be whole and like the first") {
    const auto archive = sample("pg17-redirected.dump");
    const auto second = text_of(archive).rfind("SET client_encoding");
    REQUIRE(second > archive.size() / 2);
    for (std::size_t size = second; size < archive.size(); size += 31)
        REQUIRE(verdict(Content::custom_archive, Bytes(archive).first(size)).starts_with("corrupt: "));
    for (std::size_t at = second; at < archive.size(); at += 11) {
        auto damaged = archive;
        damaged[at] ^= std::byte{0x10};
        // The unused offsets of entries without data may be anything.
        const auto said = verdict(Content::custom_archive, damaged);
        if (said != "good") CHECK_THAT(said, mentions("second table of contents"));
    }
    auto longer = archive;
    longer.push_back(std::byte{0});
    CHECK(verdict(Content::custom_archive, longer).starts_with("corrupt: "));
}

TEST_CASE("any bit flipped in the compressed data of an archive is found") {
    // zlib ends each stream with an Adler-32. pg_dump's zstd frames carry no checksum, so only their structure protects
    // them.
    auto archive = sample("pg15-tiny.dump");
    const auto begins = data_begins(archive);
    REQUIRE(begins + 50 < archive.size());
    const auto content = content_of(archive);
    for (std::size_t at = begins; at < archive.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            archive[at] ^= static_cast<std::byte>(1U << bit);
            const auto status = check(Content::custom_archive, archive);
            // The OIDs of large objects stand outside of the compressed streams, and no checksum covers them; the
            // bits that fill up a stream's last byte say nothing.
            const bool undetectable = status && in_large_object_id(archive, at);
            const bool harmless = status && content_of(archive) == content;
            archive[at] ^= static_cast<std::byte>(1U << bit);
            if (harmless || undetectable) continue;
            if (status || status.error().code() != ErrorCode::corrupt)
                FAIL_CHECK("bit " << bit << " of byte " << at << ": " << verdict(status));
        }
    }
}

TEST_CASE("a bit flipped anywhere in the data of several tables and large objects is found") {
    auto archive = sample("pg17-blobs-6.dump");
    const auto content = content_of(archive);
    for (std::size_t at = data_begins(archive); at < archive.size(); at += 3) {
        archive[at] ^= static_cast<std::byte>(1U << (at % 8));
        const auto status = check(Content::custom_archive, archive);
        const bool excused = status && (in_large_object_id(archive, at) || content_of(archive) == content);
        archive[at] ^= static_cast<std::byte>(1U << (at % 8));
        if (status && !excused) FAIL_CHECK("byte " << at);
    }
    SUCCEED();
}

TEST_CASE("damage in the data names the table and the place") {
    auto archive = sample("pg15-Z6.dump");
    const auto begins = data_begins(archive);
    archive[begins + 60] ^= std::byte{0x40};
    CHECK_THAT(verdict(Content::custom_archive, archive), mentions("corrupt: the data of ") &&
                                                              mentions("before byte ") &&
                                                              mentions("the compressed data is damaged"));
    const auto whole = sample("pg15-Z6.dump");
    CHECK_THAT(verdict(Content::custom_archive, Bytes(whole).first(begins)),
               mentions("cut off at byte " + std::to_string(begins) + ", before the data of ") &&
                   mentions("public.customers"));
    CHECK_THAT(verdict(Content::custom_archive, Bytes(whole).first(begins + 50)),
               mentions("cut off at byte " + std::to_string(begins + 50) + ", inside the data of "));
}

TEST_CASE("what is no archive, or goes on after its end, is corrupt") {
    CHECK(verdict(Content::custom_archive, {}) == "corrupt: the file is empty");
    CHECK_THAT(verdict(Content::custom_archive, bytes_of("--\n-- PostgreSQL database dump\n--\n")),
               mentions("not a pg_dump archive"));
    const auto archive = sample("pg15-Z6.dump");
    for (const std::string_view tail : {std::string_view("\0", 1), std::string_view("\1"), std::string_view("\n")})
        CHECK(verdict(Content::custom_archive, joined({archive, bytes_of(tail)})).starts_with("corrupt: "));
    CHECK_THAT(verdict(Content::custom_archive, joined({archive, archive})),
               mentions("no block of data begins with 80"));
}

TEST_CASE("a block that comes twice, is missing or unknown is corrupt") {
    const auto archive = sample("pg15-Z6.dump");
    const auto begins = data_begins(archive);
    const auto head = Bytes(archive).first(begins);
    const auto data = Bytes(archive).subspan(begins);
    CHECK_THAT(verdict(Content::custom_archive, joined({head, data, data})), mentions("for a second time"));

    auto unknown = archive;
    unknown[begins + 3] ^= std::byte{0x40};  // the second byte of the first block's entry
    CHECK_THAT(verdict(Content::custom_archive, unknown), mentions("which the table of contents does not announce"));

    auto kind = archive;
    kind[begins] = std::byte{3};
    CHECK_THAT(verdict(Content::custom_archive, kind), mentions("the wrong kind of block"));
}

TEST_CASE("a table of contents that contradicts itself or the data is corrupt") {
    const auto archive = sample("pg15-seekable.dump");
    const auto with = [&](const std::function<void(ArchiveEntry&)>& edit) {
        return verdict(Content::custom_archive, rewritten(archive, 14, edit));
    };
    CHECK(with([](ArchiveEntry&) {}) == "good");
    CHECK_THAT(with([](ArchiveEntry& entry) { entry.dump_id = entry.has_data ? entry.dump_id : 77'777; }),
               mentions("have the id 77777"));
    CHECK_THAT(with([](ArchiveEntry& entry) {
                   if (entry.has_data) entry.data_offset += 1;
               }),
               mentions("the table of contents says that it begins at byte"));
    CHECK_THAT(with([](ArchiveEntry& entry) {
                   if (entry.has_data) entry.data_position = DataPosition::no_data;
               }),
               mentions("announces data and says that it has none"));
    CHECK_THAT(with([](ArchiveEntry& entry) { entry.dump_id = 0; }), mentions("an entry with the id 0"));
    CHECK_THAT(with([](ArchiveEntry& entry) { entry.section = 9; }), mentions("section 9"));
    CHECK_THAT(with([](ArchiveEntry& entry) { entry.description.reset(); }), mentions("without a name"));
}

TEST_CASE("lengths that a hostile archive claims cost nothing until the bytes come") {
    const auto archive = sample("pg15-Z0.dump");
    const auto huge = [&](std::size_t at, unsigned char sign, std::uint32_t value) {
        auto changed = archive;
        changed[at] = static_cast<std::byte>(sign);
        for (unsigned i = 0; i < 4; ++i) changed[at + 1 + i] = static_cast<std::byte>(value >> (8 * i));
        return verdict(Content::custom_archive, changed);
    };
    const auto tag = find(archive, "ENCODING");
    CHECK_THAT(huge(tag - 5, 0, 0x7fff'ffff), mentions("a string of 2147483647 bytes"));
    CHECK_THAT(huge(tag - 5, 0, 200'000'000), mentions("is cut off"));
    CHECK_THAT(huge(tag - 5, 2, 8), mentions("whose length is no number"));
    const auto count = find(archive, std::string_view("ENCODING")) - 5 - 6 - 6 - 5 - 5 - 5;
    CHECK_THAT(huge(count, 0, 10'000'001), mentions("a table of contents of 10000001 entries"));
    CHECK_THAT(huge(count, 0, 10'000'000), mentions("inside its table of contents"));
    CHECK_THAT(huge(count, 1, 1), mentions("a table of contents of -1 entries"));
    const auto chunk = data_begins(archive) + 6;
    CHECK_THAT(huge(chunk, 0, 0x7fff'ffff), mentions("is cut off"));
    CHECK_THAT(huge(chunk, 1, 1), mentions("a chunk of -1 bytes"));
}

TEST_CASE("a string that claims to be huge is not allocated before it comes") {
    const auto archive = sample("pg15-Z0.dump");
    const auto tag = find(archive, "ENCODING");
    auto hostile = Buffer(archive.begin(), archive.begin() + static_cast<std::ptrdiff_t>(tag));
    for (unsigned i = 0; i < 4; ++i) hostile[tag - 4 + i] = static_cast<std::byte>(200'000'000U >> (8 * i));
    const auto check = make_check(Content::custom_archive, Method::none);
    const auto allocated = [] {
        const auto info = mallinfo2();
        return info.uordblks + info.hblkhd;
    };
    const auto before = allocated();
    REQUIRE(check->write(hostile));
    REQUIRE(check->write(bytes_of(std::string(10'000, 'x'))));
    CHECK(allocated() - before < 1'000'000);
}
