// What every target promises of lists.
#include "bench.hpp"

using namespace contract;

namespace {

// Keys for more than two pages, or as many as a place that is slow to fill takes.
template <class PlaceType>
constexpr int many() {
    if constexpr (requires { PlaceType::many; }) return PlaceType::many;
    return 2500;
}

}  // namespace

TEMPLATE_TEST_CASE("a list has every key once, in order, whatever the length of its pages", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    // "-" sorts before "/", and "0" after it.
    std::vector<std::string> keys{"a", "job-b/x", "job/manifest", "job0/x", "job/set/1/a"};
    for (int i = 0; i < 40; ++i) keys.push_back("job/set/" + std::to_string(i * 7) + ".dump");
    bench.place.fill(keys);
    std::sort(keys.begin(), keys.end());
    for (const std::size_t limit : {std::size_t{1}, std::size_t{7}, std::size_t{45}, std::size_t{1000}}) {
        INFO(limit);
        CHECK(bench.keys("", limit) == keys);
    }
}

TEMPLATE_TEST_CASE("many keys come in many pages", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    std::vector<std::string> keys;
    for (int i = 0; i < many<TestType>(); ++i)
        keys.push_back("set-" + std::to_string(i % 10) + "/" + std::to_string(i) + ".dump");
    bench.place.fill(keys);
    std::sort(keys.begin(), keys.end());
    CHECK(bench.keys() == keys);
    CHECK(bench.keys("set-1/").size() == keys.size() / 10);
}

TEMPLATE_TEST_CASE("a list is of its prefix only", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    for (const std::string key : {"job/a", "job/b/c", "job2/a", "jo"}) bench.put(key, "12345");
    CHECK(bench.keys("job/") == std::vector<std::string>{"job/a", "job/b/c"});
    CHECK(bench.keys("job/b/") == std::vector<std::string>{"job/b/c"});
    CHECK(bench.keys("job/a/").empty());
    CHECK(bench.keys("nothing/here/").empty());
    const auto page = bench.run(bench.target().list("job2/", "", 10, {}));
    REQUIRE(page.entries.size() == 1);
    CHECK(page.next.empty());
    CHECK(page.entries[0].size == 5);
    CHECK(std::chrono::abs(page.entries[0].modified - base::SystemClock().now()) < std::chrono::hours(1));
}

TEMPLATE_TEST_CASE("a list goes on where it was when keys come and go meanwhile", "", CONTRACT_PLACES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    for (const std::string key : {"a", "b", "c", "d", "e"}) bench.put(key, "x");
    const auto first = bench.run(bench.target().list("", "", 2, {}));
    REQUIRE(first.entries.size() == 2);
    bench.remove({"a", "b"});
    // Another list meanwhile does not disturb it either.
    CHECK(bench.keys() == std::vector<std::string>{"c", "d", "e"});
    std::vector<std::string> rest;
    for (auto cursor = first.next; !cursor.empty();) {
        const auto page = bench.run(bench.target().list("", cursor, 2, {}));
        for (const auto& entry : page.entries) rest.push_back(entry.key);
        cursor = page.next;
    }
    CHECK(rest == std::vector<std::string>{"c", "d", "e"});
}
