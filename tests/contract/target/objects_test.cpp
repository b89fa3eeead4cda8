// What every target promises of objects: what was put is what is got.
#include "bench.hpp"

using namespace contract;
using base::ErrorCode;
using target::Existing;
using target::Range;

TEMPLATE_TEST_CASE("streams of any length come back as they were", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{3'000'001}}) {
        const auto key = "job/set/" + std::to_string(size);
        const auto content = noise(size);
        const auto receipt = bench.put(key, content);
        CHECK(receipt.entry.key == key);
        CHECK(receipt.entry.size == size);
        CHECK(receipt.assurance != target::Assurance::none);
        CHECK(bench.get(key) == content);
        const auto entry = bench.stat(key);
        REQUIRE(entry);
        CHECK(entry->key == key);
        CHECK(entry->size == size);
        CHECK(std::chrono::abs(entry->modified - base::SystemClock().now()) < std::chrono::hours(1));
    }
    CHECK(bench.place.leftovers() == 0);
}

TEMPLATE_TEST_CASE("who asks afterwards himself is told the same", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    target::PutOptions options;
    options.ask_after = false;
    for (const std::size_t size : {std::size_t{0}, std::size_t{4096}, std::size_t{9'000'000}}) {
        const auto key = "job/set/" + std::to_string(size);
        const auto content = noise(size);
        const auto receipt = bench.put(key, content, options);
        CHECK(receipt.entry.key == key);
        CHECK(receipt.entry.size == size);
        CHECK(bench.get(key) == content);
        CHECK(bench.error_of([&] { bench.put(key, noise(size + 1, 7), options); }).code() == ErrorCode::conflict);
        CHECK(bench.stat(key)->size == size);
    }
    CHECK(bench.place.leftovers() == 0);
}

TEMPLATE_TEST_CASE("a range is just that part of an object", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto content = noise(300'000);
    bench.put("object", content);
    struct Row {
        Range range;
        std::string expected;
    };
    for (const auto& [range, expected] : {
             Row{{0, 1}, content.substr(0, 1)},
             Row{{0, 300'000}, content},
             Row{{299'999, std::nullopt}, content.substr(299'999)},
             Row{{123'456, 100'000}, content.substr(123'456, 100'000)},
             Row{{299'990, 100}, content.substr(299'990)},
             Row{{300'000, std::nullopt}, ""},
             Row{{300'001, 5}, ""},
             Row{{5, 0}, ""},
         }) {
        INFO(range.offset << " " << (range.length ? *range.length : 0));
        CHECK(bench.get("object", range) == expected);
    }
}

TEMPLATE_TEST_CASE("keys may have blanks, percent signs and any letter", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    std::vector<std::string> keys{
        "-rf",
        "--config=x",
        ".hidden",
        "a b/c  d",
        "a:b/c:d",
        "percent %2F/100%",
        "plus+and&?=#[x]*{y}",
        "quote'\"`$(id)\\n",
        "zażółć/gęślą/日本語",
        std::string(200, 'n'),
    };
    for (const auto& key : keys) bench.put(key, "content of " + key);
    for (const auto& key : keys) {
        INFO(key);
        CHECK(bench.get(key) == "content of " + key);
        CHECK(bench.stat(key));
    }
    std::sort(keys.begin(), keys.end());
    CHECK(bench.keys() == keys);
    CHECK(bench.remove(keys).empty());
    CHECK(bench.keys().empty());
}

TEMPLATE_TEST_CASE("keys that are none are refused", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    for (const std::string key : {"", "/a", "a/", "a//b", "../a", "a/./b", ".pgbakd-uploads/a"}) {
        INFO(key);
        CHECK(bench.error_of([&] { bench.put(key, "x"); }).code() == ErrorCode::invalid_argument);
        CHECK(bench.error_of([&] { bench.get(key); }).code() == ErrorCode::invalid_argument);
        CHECK(bench.error_of([&] { bench.stat(key); }).code() == ErrorCode::invalid_argument);
        CHECK(bench.error_of([&] { bench.remove({key}); }).code() == ErrorCode::invalid_argument);
    }
    CHECK(bench.error_of([&] { bench.keys("no-slash"); }).code() == ErrorCode::invalid_argument);
}

TEMPLATE_TEST_CASE("an object is overwritten only where that was asked for", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    bench.put("a/manifest.json", "first");
    const auto error = bench.error_of([&] { bench.put("a/manifest.json", "other"); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK_FALSE(error.is_passing());
    CHECK(bench.get("a/manifest.json") == "first");
    // Of the same size, at the same instant: a client that compares only those must not skip it.
    target::PutOptions options;
    options.existing = Existing::replace;
    bench.put("a/manifest.json", "third", options);
    CHECK(bench.get("a/manifest.json") == "third");
    CHECK(bench.keys() == std::vector<std::string>{"a/manifest.json"});
    CHECK(bench.place.leftovers() == 0);
}

TEMPLATE_TEST_CASE("an object that is not there is told apart", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    CHECK_FALSE(bench.stat("nowhere/at/all"));
    CHECK(bench.error_of([&] { bench.get("nowhere/at/all"); }).code() == ErrorCode::not_found);
    CHECK(bench.remove({"nowhere/at/all", "nothing"}).empty());
    bench.put("folder/object", "x");
    CHECK_FALSE(bench.stat("folder"));
    CHECK(bench.error_of([&] { bench.get("folder"); }).code() == ErrorCode::not_found);
    CHECK(bench.remove({"folder"}).empty());
    CHECK(bench.get("folder/object") == "x");
}

TEMPLATE_TEST_CASE("a target that has bounds tells of its room, and one that has none does not", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    bench.put("job/set/a", "x");
    const auto type = bench.run(bench.target().facts({})).type;
    const auto room = bench.run(bench.target().room({}));
    REQUIRE(room.has_value() == (type != "s3"));
    if (!room) return;
    CHECK(room->available > 0);
    CHECK(room->available <= room->total);
    CHECK(room->file_system.empty() == (type != "directory"));
}

TEMPLATE_TEST_CASE("removing takes just the keys named, and what is missing does not keep it from the others", "",
                   CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    for (const std::string key : {"job/one/a", "job/one/b", "job/two/a", "job2/one/a"}) bench.put(key, key);
    CHECK(bench.remove({"job/one/a", "job/one/missing", "job/one/b"}).empty());
    CHECK(bench.keys() == std::vector<std::string>{"job/two/a", "job2/one/a"});
    CHECK(bench.remove({"job/two/a", "job2/one/a"}).empty());
    CHECK(bench.keys().empty());
    bench.put("job/one/a", "again");
    CHECK(bench.get("job/one/a") == "again");
}
