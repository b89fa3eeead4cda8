// What every source promises (source/source.hpp, source/stream.hpp), each over real data.
#include "basebackup_fixture.hpp"
#include "bench.hpp"
#include "codec/check.hpp"
#include "command_fixture.hpp"
#include "files_fixture.hpp"
#include "pg_dump_fixture.hpp"
#include "taosdump_fixture.hpp"

#define CONTRACT_SOURCES                                                                                   \
    contract::Command, contract::Files, contract::PgDump, contract::PgDumpDirectory, contract::Basebackup, \
        contract::Taosdump

namespace contract {
namespace {

async::StopToken stopped() {
    async::StopSource source;
    source.stop(called_off());
    return source.token();
}

// Where in a stream of that many bytes something happens.
struct Place {
    const char* name;
    std::size_t at;
};
std::vector<Place> places(std::size_t size) {
    return {
        {"before the first byte", 0}, {"behind the first byte", 1}, {"in the middle", size / 2}, {"at the end", size}};
}

}  // namespace

TEMPLATE_TEST_CASE("prepare() names what there is to save, and asks nothing twice", "", CONTRACT_SOURCES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto opened = bench.open_source();
    const auto prepared = bench.run(opened->prepare({}));
    REQUIRE_FALSE(prepared.parts.empty());
    CHECK(prepared.refused.empty());
    CHECK_FALSE(prepared.origin.type.empty());
    CHECK_FALSE(prepared.summary.empty());
    CHECK_FALSE(prepared.facts.empty());
    std::set<std::string> names;
    for (const auto& part : prepared.parts) {
        CHECK_FALSE(part.kind.empty());
        CHECK_FALSE(part.format.empty());
        CHECK_FALSE(part.program.empty());
        CHECK(part.extension.starts_with('.'));
        CHECK(names.insert(part.stem + part.extension).second);
    }
    if constexpr (requires { bench.fixture->check_questions(); }) bench.fixture->check_questions();
    bench.check_nothing_left();
}

TEMPLATE_TEST_CASE("a part streams to its end, and is what it says", "", CONTRACT_SOURCES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto opened = bench.open_source();
    const auto prepared = bench.run(opened->prepare({}));
    for (const auto& part : bench.begin_attempt(*opened, prepared)) {
        CAPTURE(part.stem);
        const auto open = bench.run(opened->open(part, bench.work(), {}));
        const auto bytes = bench.read_to_end(*open, part, large);
        CHECK(bytes.size() > 10'000);
        CHECK_FALSE(open->lacks());
        CHECK_FALSE(open->is_disturbed());
        CHECK(open->stream().remarks().empty());
        bench.check_nothing_left();
    }
    CHECK(bench.run(opened->end_leftovers({})) == 0);
    CHECK(bench.run(opened->end_leftovers({})) == 0);
}

TEMPLATE_TEST_CASE("pieces of any size bring the same bytes", "", CONTRACT_SOURCES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto opened = bench.open_source();
    const auto prepared = bench.run(opened->prepare({}));
    const auto whole = TestType::content_of(bench.read_whole(*opened, prepared, large));
    CHECK(whole.size() > 10'000);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
        CAPTURE(piece);
        CHECK(TestType::content_of(bench.read_whole(*opened, prepared, piece)) == whole);
    }
}

TEMPLATE_TEST_CASE("it can be called off at any byte by its token, and nothing lives on", "", CONTRACT_SOURCES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto opened = bench.open_source();
    const auto prepared = bench.run(opened->prepare({}));
    const auto size = bench.read_whole(*opened, prepared, large).size();
    bench.run(opened->end_leftovers({}));
    const auto before = bench.descriptors();
    for (const auto& place : places(size)) {
        CAPTURE(place.name);
        async::StopSource stop;
        {
            const auto open = bench.open_first(*opened, prepared, stop.token());
            CHECK(bench.read(open->stream(), large, place.at, stop.token()).size() == place.at);
            stop.stop(called_off());
            if (place.at < size)
                bench.must_be_called_off([&] { (void)bench.read(open->stream(), large, 1, stop.token()); });
            bench.must_be_called_off([&] { bench.run(open->stream().finish(stop.token())); });
            bench.run(open->stream().abort());
        }
        bench.check_nothing_left();
        bench.run(opened->end_leftovers({}));
        CHECK(bench.run(opened->end_leftovers({})) == 0);
    }
    CHECK(bench.descriptors() == before);
}

TEMPLATE_TEST_CASE("it can be called off while somebody waits for its bytes", "", CONTRACT_SOURCES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto opened = bench.open_source();
    const auto prepared = bench.run(opened->prepare({}));
    {
        async::StopSource stop;
        const auto open = bench.open_first(*opened, prepared, stop.token());
        // The reader runs first, until it has to wait; what has come by then it takes.
        std::exception_ptr thrown;
        bool ended = false;
        asio::co_spawn(bench.io(), bench.read_on(open->stream(), large, std::string::npos, stop.token()),
                       [&](const std::exception_ptr& failure, const std::string& /*bytes*/) {
                           thrown = failure;
                           ended = true;
                       });
        asio::post(bench.io(), [&] { stop.stop(called_off()); });
        bench.run_until(ended);
        REQUIRE(thrown);
        bench.must_be_called_off([&] { std::rethrow_exception(thrown); });
        bench.run(open->stream().abort());
    }
    bench.check_nothing_left();
}

TEMPLATE_TEST_CASE("abort() ends it at any byte, without a token", "", CONTRACT_SOURCES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto opened = bench.open_source();
    const auto prepared = bench.run(opened->prepare({}));
    const auto size = bench.read_whole(*opened, prepared, large).size();
    bench.run(opened->end_leftovers({}));
    const auto before = bench.descriptors();
    for (const auto& place : places(size)) {
        CAPTURE(place.name);
        {
            const auto open = bench.open_first(*opened, prepared);
            CHECK(bench.read(open->stream(), large, place.at).size() == place.at);
            bench.run(open->stream().abort());
        }
        bench.check_nothing_left();
        bench.run(opened->end_leftovers({}));
        CHECK(bench.run(opened->end_leftovers({})) == 0);
    }
    CHECK(bench.descriptors() == before);
    // And what comes after it is as good as the first.
    CHECK_FALSE(bench.read_whole(*opened, prepared, large).empty());
}

TEMPLATE_TEST_CASE("what was called off before it began does not begin", "", CONTRACT_SOURCES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    {
        const auto unprepared = bench.open_source();
        bench.must_be_called_off([&] { (void)bench.run(unprepared->prepare(stopped())); });
    }
    const auto opened = bench.open_source();
    const auto prepared = bench.run(opened->prepare({}));
    bench.must_be_called_off([&] { (void)bench.open_first(*opened, prepared, stopped()); });
    bench.check_nothing_left();
    {
        const auto open = bench.open_first(*opened, prepared);
        bench.must_be_called_off([&] { (void)bench.read(open->stream(), large, 1, stopped()); });
        bench.run(open->stream().abort());
    }
    bench.check_nothing_left();
}

TEMPLATE_TEST_CASE("a producer that fails is no end, and its cause is told", "", CONTRACT_SOURCES) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto opened = bench.failing_source();
    const auto prepared = bench.run(opened->prepare({}));
    bench.fixture->break_off();
    {
        const auto open = bench.open_first(*opened, prepared);
        const auto error = bench.error_of([&] {
            (void)bench.read(open->stream(), large);
            bench.run(open->stream().finish({}));
        });
        CAPTURE(error.message());
        CHECK(error.message().find(bench.fixture->cause()) != std::string::npos);
        CHECK(error.code() != base::ErrorCode::internal);
        bench.run(open->stream().abort());
    }
    bench.check_nothing_left();
}

}  // namespace contract
