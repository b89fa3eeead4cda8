#include "base/text.hpp"

#include "base/error.hpp"
#include "base/identifier.hpp"
#include "base/secret.hpp"
#include "support/catch.hpp"

namespace base = pgbakd::base;

TEST_CASE("the nearest name is found, and nothing for a word that is far from all") {
    const std::vector<std::string> names{"nas", "r2", "retention", "schedule"};
    CHECK(base::closest("shedule", names) == "schedule");
    CHECK(base::closest("retenton", names) == "retention");
    CHECK(base::closest("r3", names) == "r2");
    CHECK(base::closest("Schedule", names) == "schedule");
    CHECK(base::closest("encryption", names) == std::nullopt);
    CHECK(base::closest(std::string(100'000, 'x'), names) == std::nullopt);
}

TEST_CASE("a text is cut between characters, never inside one") {
    const std::string text = "Grüße aus Zürich";
    for (std::size_t limit = 0; limit <= text.size() + 1; ++limit) {
        const auto cut = base::clamp_utf8(text, limit);
        CAPTURE(limit, cut);
        CHECK(cut.size() <= limit);
        CHECK(base::printable(cut) == cut);
    }
    CHECK(base::clamp_utf8(text, text.size()) == text);
}

TEST_CASE("what a terminal or a log could misread is made harmless") {
    CHECK(base::printable("a\x1b[31mb\nc") == "a?[31mb?c");
    CHECK(base::printable("\xff\xfe") == "??");
    CHECK(base::printable("\xc0\xaf") == "??");       // overlong
    CHECK(base::printable("\xed\xa0\x80") == "???");  // a surrogate
    CHECK(base::printable("naïve 数据 🐘") == "naïve 数据 🐘");
    CHECK(base::printable("\u2027\u202f\u2065\u206a\u200d\u2010\u061b") ==
          "\u2027\u202f\u2065\u206a\u200d\u2010\u061b");
    for (const char* misleading : {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b", "\u202c",
                                   "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"})
        CHECK(base::printable("a" + std::string(misleading) + "b") == "a?b");
}

TEST_CASE("a secret compares, copies and moves") {
    const base::Secret secret(std::string("s3cret"));
    CHECK(secret.equals("s3cret"));
    CHECK_FALSE(secret.equals("s3cre"));
    CHECK_FALSE(secret.equals("s3cret "));
    CHECK_FALSE(secret.equals(""));
    CHECK(base::Secret().equals(""));
    CHECK_FALSE(base::Secret().equals("x"));
    base::Secret copy = secret;
    const base::Secret moved = std::move(copy);
    CHECK(moved.reveal() == "s3cret");
}

TEST_CASE("run ids sort by time and read back") {
    const std::array<std::byte, 10> zeros{};
    std::array<std::byte, 10> ones{};
    ones.fill(std::byte{0xff});
    const base::Timestamp early{std::chrono::milliseconds{1'700'000'000'000}};
    const auto first = base::RunId::make(early, ones);
    const auto second = base::RunId::make(early + std::chrono::milliseconds{1}, zeros);
    CHECK(first < second);
    CHECK(first.text().size() == 26);
    CHECK(base::RunId::parse(first.text()).value() == first);
    CHECK_FALSE(base::RunId::parse("../../etc/passwd").has_value());
    CHECK_FALSE(base::RunId::parse(std::string(26, 'I')).has_value());  // not in the alphabet
}

TEST_CASE("a ULID has its published form") {
    // https://github.com/ulid/spec: the time is the first ten characters, most significant first.
    const std::array<std::byte, 10> zeros{};
    const auto id = base::RunId::make(base::Timestamp{std::chrono::milliseconds{1469918176385}}, zeros);
    CHECK(id.text() == "01ARYZ6S41" + std::string(16, '0'));
}

TEST_CASE("an error gains context in front and keeps what it is") {
    const base::Error error(base::ErrorCode::no_space, "writing /x: No space left on device", "free space",
                            base::Persistence::passing);
    const auto outer = error.during("uploading y");
    CHECK(outer.message() == "uploading y: writing /x: No space left on device");
    CHECK(outer.hint() == "free space");
    CHECK(outer.code() == base::ErrorCode::no_space);
    CHECK(outer.is_passing());
    CHECK(base::to_error(std::make_exception_ptr(std::runtime_error("odd"))).code() == base::ErrorCode::internal);
    CHECK(base::error_from_errno(ENOSPC, "writing /x").code() == base::ErrorCode::no_space);
}

TEST_CASE("things are counted in the singular and the plural") {
    CHECK(base::counted(0, "set") == "0 sets");
    CHECK(base::counted(1, "set") == "1 set");
    CHECK(base::counted(2, "set") == "2 sets");
}
