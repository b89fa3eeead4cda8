#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;

TEST_CASE("plain dumps that pg_dump and pg_dumpall wrote are good") {
    for (const auto* version : {"pg15", "pg17"}) {
        const std::string prefix = version;
        for (const std::size_t chunk : {0, 1, 7, 4096}) {
            CHECK(verdict(Content::plain_dump, sample(prefix + "-plain.sql"), chunk) == "good");
            CHECK(verdict(Content::plain_dump, sample(prefix + "-verbose.sql"), chunk) == "good");
            CHECK(verdict(Content::plain_globals, sample(prefix + "-globals.sql"), chunk) == "good");
        }
        CHECK(verdict(Content::plain_globals, sample(prefix + "-plain.sql")).starts_with("corrupt: "));
        CHECK(verdict(Content::plain_dump, sample(prefix + "-globals.sql")).starts_with("corrupt: "));
    }
}

TEST_CASE("a plain dump ends with its last comment, whatever follows of blank lines and \\unrestrict") {
    struct Row {
        std::string_view ending;
        bool good;
    };
    const std::string body = "--\n-- PostgreSQL database dump\n--\n\nSELECT 1;\n\n";
    const Row rows[] = {
        {"--\n-- PostgreSQL database dump complete\n--\n\n", true},
        {"--\n-- PostgreSQL database dump complete\n--", true},
        {"--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n", true},
        {"--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc", true},
        {"", false},
        {"--\n-- PostgreSQL database dump complete\n", false},
        {"--\n-- PostgreSQL database dump complet", false},
        {"-- PostgreSQL database dump complete\n--\n", false},
        {"--\n-- PostgreSQL database dump complete\n--\nSELECT 2;\n", false},
        {"--\n-- PostgreSQL database dump complete\n--\n\\unrestrict a\n\\unrestrict b\n", false},
        {"--\n-- PostgreSQL database cluster dump complete\n--\n", false},
    };
    for (const auto& row : rows) {
        for (const std::size_t length : {0, 5000, 100'000}) {
            const auto text = body + std::string(length, 'x') + "\n" + std::string(row.ending);
            for (const std::size_t chunk : {0, 1, 4096}) {
                INFO(row.ending);
                const auto said = verdict(Content::plain_dump, bytes_of(text), chunk);
                CHECK((said == "good") == row.good);
                if (!row.good) CHECK_THAT(said, mentions("\"-- PostgreSQL database dump complete\""));
            }
        }
    }
    CHECK(verdict(Content::plain_dump, {}) == "corrupt: the file is empty");
    PieceCompressor compressor({Method::gzip, 6});
    CHECK(verdict(Content::plain_dump, compressor.compress({}), 0, Method::gzip) == "corrupt: the dump is empty");
    CHECK_THAT(verdict(Content::plain_dump, bytes_of("--\n-- PostgreSQL database dump complete\n--\n")),
               mentions("does not begin with"));
}

TEST_CASE("raw content is only decompressed") {
    PieceCompressor compressor({Method::zstd, 3});
    const auto file = compressor.compress(bytes_of("anything"));
    const auto check = make_check(Content::raw, Method::zstd);
    CHECK(verdict(feed(*check, file, 3)) == "good");
    CHECK(check->result().raw_bytes == 8);
    CHECK(verdict(Content::raw, Bytes(file).first(file.size() - 1), 0, Method::zstd).starts_with("corrupt: "));
    CHECK(verdict(Content::raw, bytes_of("x")) == "good");
    CHECK(verdict(Content::raw, {}) == "corrupt: the file is empty");
}
