#include "codec/hmac.hpp"

#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;

TEST_CASE("HMAC-SHA256 gives the digests of RFC 4231") {
    struct Row {
        std::string key;
        std::string message;
        std::string_view digest;
    };
    const Row rows[] = {
        {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        // Known from many libraries' tests: an empty key and an empty message.
        {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (const auto& row : rows) CHECK(hex(hmac_sha256(bytes_of(row.key), bytes_of(row.message))) == row.digest);
}

TEST_CASE("HMAC-SHA1 gives the digests of RFC 2202") {
    CHECK(hex(hmac_sha1(bytes_of(std::string(20, '\x0b')), bytes_of("Hi There"))) ==
          "b617318655057264e28bc0b6fb378c8ef146be00");
    CHECK(hex(hmac_sha1(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))) ==
          "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    CHECK(hex(hmac_sha1(bytes_of(""), bytes_of(""))) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

TEST_CASE("Base64 gives the texts of RFC 4648, 10") {
    struct Row {
        std::string_view bytes;
        std::string_view text;
    };
    constexpr Row rows[] = {{"", ""},
                            {"f", "Zg=="},
                            {"fo", "Zm8="},
                            {"foo", "Zm9v"},
                            {"foob", "Zm9vYg=="},
                            {"fooba", "Zm9vYmE="},
                            {"foobar", "Zm9vYmFy"}};
    for (const auto& row : rows) {
        CHECK(base64(bytes_of(row.bytes)) == row.text);
        const auto back = from_base64(row.text);
        REQUIRE(back);
        CHECK(std::ranges::equal(*back, bytes_of(row.bytes)));
    }
    for (const std::string_view text : {"Zg", "Zg=", "Zg==\n", " Zg==", "Z===", "====", "Zm9=Zg==", "Zm9v!m9v", "-_-_"})
        CHECK_FALSE(from_base64(text));
}

TEST_CASE("Content-MD5 is the Base64 of RFC 1321's digests") {
    CHECK(content_md5(bytes_of("")) == "1B2M2Y8AsgTpgAmY7PhCfg==");
    CHECK(content_md5(bytes_of("abc")) == "kAFQmDzST7DWlj99KOF/cg==");
    ContentMd5 pieces;
    for (const auto* piece : {"", "a", "bc"}) pieces.update(bytes_of(piece));
    CHECK(pieces.base64_digest() == "kAFQmDzST7DWlj99KOF/cg==");
}
