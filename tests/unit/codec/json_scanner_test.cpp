#include "codec/json_scanner.hpp"
#include "support.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;
using pgbakd::base::Status;

namespace {

// "{k:t}" for an object with a text under a key: one letter for each token, texts in between.
class Tokens final : public JsonHandler {
  public:
    Status on_token(JsonToken token, std::string_view text) override {
        switch (token) {
            case JsonToken::object_begin: told += "{"; break;
            case JsonToken::object_end: told += "}"; break;
            case JsonToken::array_begin: told += "["; break;
            case JsonToken::array_end: told += "]"; break;
            case JsonToken::key: told += std::string(text) + ":"; break;
            case JsonToken::text: told += "'" + std::string(text) + "' "; break;
            case JsonToken::number:
            case JsonToken::word: told += std::string(text) + " "; break;
        }
        return {};
    }
    std::string told;
};

std::string tokens(std::string_view text, std::size_t chunk = 0) {
    Tokens handler;
    JsonScanner scanner(handler, "the text");
    const auto status = feed(scanner, bytes_of(text), chunk);
    return status ? handler.told : verdict(status);
}

}  // namespace

TEST_CASE("JSON is told token by token, however it comes") {
    struct Row {
        const char* text;
        const char* told;
    };
    const Row rows[] = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {R"({"a": [1, -2.5e+3, true, null], "b": {"c": "d"}})", "{a:[1 -2.5e+3 true null ]b:{c:'d' }}"},
        {"17", "17 "},
        {"false\n", "false "},
        {R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00")", "'\"\\/\b\f\n\r\tAé€😀' "},
        {R"(["", "x"])", "['' 'x' ]"},
    };
    for (const auto& row : rows)
        for (const std::size_t chunk : {0U, 1U, 3U}) CHECK(tokens(row.text, chunk) == row.told);
}

TEST_CASE("what is no JSON is refused, with its place") {
    for (const auto* text :
         {"",      "{",         "[1",        "[1,]",        "{\"a\"}",     "{\"a\":}",      "{\"a\":1,}", "{a:1}",
          "[1 2]", "1 2",       "{}{}",      "[}",          "tru",         "nul",           "01",         "1.",
          "-",     "1e",        "+1",        "\"a",         "\"\\x\"",     "\"\\u12g4\"",   "\"\n\"",     ",",
          ":",     "[\"a\":1]", "{\"a\",1}", "\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83dx\"",  "[1]]",       "'a'",
          "\\",    "{1:2}",     "[,1]",      "\xff",        "[tru1]",      "\"\\ud83d\\n\""}) {
        INFO(text);
        for (const std::size_t chunk : {0U, 1U})
            CHECK_THAT(tokens(text, chunk), mentions("corrupt: the text is damaged at byte "));
    }
    CHECK(tokens("[[[[[[[[1]]]]]]]]") == "[[[[[[[[1 ]]]]]]]]");
    CHECK(tokens("[[[[[[[[[1]]]]]]]]]") == "corrupt: the text is damaged at byte 8: too many brackets in each other");
    CHECK(tokens("[1, }") == "corrupt: the text is damaged at byte 4: a bracket where none belongs");
}
