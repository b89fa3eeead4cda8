#include "unit/model/support.hpp"

using namespace pgbakd;
namespace json = boost::json;

TEST_CASE("JSON is parsed strictly and within bounds") {
    CHECK(model::parse_json(R"({"a":[1,2.5,"x",null,true]})", 100).value().as_object().contains("a"));
    struct Row {
        std::string text;
        std::string fact;
    };
    for (const auto& [text, fact] : std::vector<Row>{
             {"", "not JSON at byte 0"},
             {"{\"a\":1", "not JSON at byte 6"},
             {"{\"a\":1}x", "not JSON at byte 7"},
             {"{\"a\":x}", "not JSON at byte 5"},
             {"{'a':1}", "not JSON at byte 1"},
             {"[1,]", "not JSON at byte 3"},
             {"[01]", "not JSON at byte"},
             {"[NaN]", "not JSON at byte"},
             {"\"\xff\"", "not JSON at byte"},
             {"// c\n1", "not JSON at byte 0"},
             {std::string(101, ' '), "the JSON text is larger than 100 B"},
             {std::string(17, '[') + std::string(17, ']'), "not JSON at byte"},
         }) {
        INFO(text);
        const auto value = model::parse_json(text, 100);
        REQUIRE_FALSE(value);
        CHECK(value.error().code() == base::ErrorCode::corrupt);
        CHECK(value.error().message().find(fact) == 0);
    }
    CHECK(model::parse_json(std::string(16, '[') + std::string(16, ']'), 100));
}

TEST_CASE("JSON is printed for people, and for machines on one line") {
    const json::value value = {
        {"b", 1}, {"a", json::array{1, 4.1, "x\"y\n"}}, {"empty", json::object()}, {"none", json::array()}};
    CHECK(model::pretty(value) ==
          "{\n  \"b\": 1,\n  \"a\": [\n    1,\n    4.1,\n    \"x\\\"y\\n\"\n  ],\n  \"empty\": {},\n  \"none\": []\n}");
    CHECK(model::compact(value) == R"({"b":1,"a":[1,4.1,"x\"y\n"],"empty":{},"none":[]})");
    CHECK(model::parse_json(model::pretty(value), 1000).value() == value);
    CHECK(model::compact(json::value(1234567.125)) == "1234567.125");
    CHECK(model::compact(json::value(0.001)) == "0.001");
}

TEST_CASE("text that is no UTF-8 is percent-encoded, other text is left alone") {
    CHECK(model::json_text("größe \t\n%41") == "größe \t\n%41");
    CHECK(model::json_text("a\xe4\xff z") == "a%E4%FF z");
    CHECK(model::json_text("\u202eshöp\u2028\xe2\u2066") == "\u202eshöp\u2028%E2\u2066");
    CHECK(model::json_text("") == "");
    CHECK(model::json_text_or_null("").is_null());
    CHECK(model::json_text_or_null("x") == json::value("x"));
}

TEST_CASE("times in JSON") {
    CHECK(model::json_time({}).is_null());
    CHECK(model::json_time(at("2026-01-13T00:00:01+08:00")) == json::value("2026-01-12T16:00:01Z"));
    CHECK(model::json_time(at("2026-01-13T00:00:01.05Z")) == json::value("2026-01-13T00:00:01.050Z"));
    CHECK(at("2026-01-13T00:00:01.123456+01:00") == at("2026-01-12T23:00:01.123Z"));
    CHECK(model::json_time(at("1969-12-31T23:59:59.750Z")) == json::value("1969-12-31T23:59:59.750Z"));
    for (const char* text : {"", "2026-01-13", "2026-01-13T00:00:01", "2026-13-13T00:00:01Z", "yesterday"})
        CHECK_FALSE(model::parse_time(text));
}
