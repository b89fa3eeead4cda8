// What only S3 promises: parts, signatures, regions, clocks, and answers that say what to do.
#include "bench.hpp"
#include "codec/hmac.hpp"
#include "support/small_disk.hpp"
#include "wrong_clock.hpp"

using namespace contract;
using base::ErrorCode;

namespace {

constexpr std::size_t mib = 1024UL * 1024;

// A target on a server, with options and credentials of the test's own choice.
template <class PlaceType>
class Custom : public PlaceType {
  public:
    std::shared_ptr<target::Target> open(const asio::any_io_executor& executor, async::Pool& pool) {
        auto changed = this->options;
        auto credentials = this->server().credentials("tester");
        if (change) change(changed, credentials);
        static const base::SystemClock right;
        return target::make_s3_target(executor, changed, target::fixed_credentials(credentials), pool,
                                      clock != nullptr ? *clock : right);
    }
    inline static std::function<void(target::S3Options&, target::Credentials&)> change;
    inline static const base::Clock* clock = nullptr;
};

template <class PlaceType>
struct CustomBench : Bench<Custom<PlaceType>> {
    explicit CustomBench(std::function<void(target::S3Options&, target::Credentials&)> change,
                         const base::Clock* clock = nullptr) {
        Custom<PlaceType>::change = std::move(change);
        Custom<PlaceType>::clock = clock;
    }
};

void small_parts(target::S3Options& options, target::Credentials&) {
    options.part_size = 5 * mib;
}

// Writes `content` from where the upload begins, without an end.
asio::awaitable<std::string> put_and_suspend(target::Target& target, std::string key, const std::string& content,
                                             target::PutOptions options) {
    const auto upload = co_await target.put(std::move(key), std::move(options), {});
    for (auto at = static_cast<std::size_t>(upload->begins_at()); at < content.size(); at += mib) {
        const auto chunk = chunk_of(std::string_view(content).substr(at, mib));
        co_await upload->write(chunk, {});
    }
    auto checkpoint = upload->checkpoint();
    co_await upload->suspend();
    co_return checkpoint;
}

asio::awaitable<std::uint64_t> put_rest(target::Target& target, std::string key, const std::string& content,
                                        target::PutOptions options) {
    const auto upload = co_await target.put(std::move(key), std::move(options), {});
    const auto begins_at = upload->begins_at();
    const auto chunk = chunk_of(std::string_view(content).substr(static_cast<std::size_t>(begins_at)));
    co_await upload->write(chunk, {});
    co_await upload->finish({});
    co_return begins_at;
}

}  // namespace

TEMPLATE_TEST_CASE("a stream in parts comes back as it was", "", S3OnRgw, S3OnSwift) {
    CustomBench<TestType> bench(small_parts);
    if (!bench.ready()) return;
    for (const std::size_t size : {5 * mib, 5 * mib + 1, 10 * mib, 12 * mib + 345}) {
        INFO(size);
        const auto key = "job/set/" + std::to_string(size);
        const auto content = noise(size);
        const auto receipt = bench.put(key, content, {}, 700'000);
        CHECK(receipt.entry.size == size);
        CHECK(receipt.assurance == target::Assurance::size);
        CHECK(bench.get(key) == content);
        CHECK(bench.get(key, {5 * mib - 10, 20}) == content.substr(5 * mib - 10, 20));
    }
    CHECK(bench.place.leftovers() == 0);
    CHECK(bench.keys().size() == 4);
}

TEMPLATE_TEST_CASE("only a service that is known to compare hashes is believed to have done so", "", S3OnRgw) {
    using target::Assurance;
    using target::Provider;
    for (const auto& [provider, asked, unasked] :
         {std::tuple(Provider::minio, Assurance::checksum, Assurance::checksum),
          std::tuple(Provider::other, Assurance::size, Assurance::none)}) {
        CustomBench<TestType> bench([provider = provider](target::S3Options& options, target::Credentials&) {
            options.profile = &target::s3_profile(provider);
        });
        if (!bench.ready()) return;
        CHECK(bench.run(bench.target().facts({})).assurance == asked);
        CHECK(bench.put("asked/short", noise(1000)).assurance == asked);
        CHECK(bench.put("asked/long", noise(9 * mib)).assurance == asked);
        target::PutOptions options;
        options.ask_after = false;
        CHECK(bench.put("short", noise(1000), options).assurance == unasked);
        CHECK(bench.put("long", noise(9 * mib), options).assurance == unasked);
    }
}

TEMPLATE_TEST_CASE("a Content-MD5 that is not the content's is refused", "", S3OnRgw, S3OnSwift) {
    Bench<TestType> bench;
    if (!bench.ready()) return;
    const auto content = noise(1000);
    bench.place.put_with_md5("right", content, pgbakd::codec::content_md5(std::as_bytes(std::span(content))));
    CHECK(bench.get("right") == content);
    const auto error = bench.error_of([&] {
        bench.place.put_with_md5("wrong", content,
                                 pgbakd::codec::content_md5(std::as_bytes(std::span(content).first(999))));
    });
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.is_passing());
    CHECK_FALSE(bench.stat("wrong"));
}

TEMPLATE_TEST_CASE("parts replace an object only where that was asked for, and are not sent for nothing", "", S3OnRgw,
                   S3OnSwift) {
    CustomBench<TestType> bench(small_parts);
    if (!bench.ready()) return;
    bench.put("a", "short");
    const auto error = bench.error_of([&] { bench.put("a", noise(6 * mib)); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(bench.get("a") == "short");
    CHECK(bench.place.leftovers() == 0);
    target::PutOptions options;
    options.existing = target::Existing::replace;
    const auto content = noise(6 * mib, 7);
    bench.put("a", content, options);
    CHECK(bench.get("a") == content);
}

TEMPLATE_TEST_CASE("an upload goes on behind the parts that arrived, and begins anew when those are gone", "", S3OnRgw,
                   S3OnSwift) {
    CustomBench<TestType> bench([](target::S3Options& options, target::Credentials& credentials) {
        small_parts(options, credentials);
        options.concurrent_parts = 1;  // so that the first has arrived when the third is begun
    });
    if (!bench.ready()) return;
    const auto content = noise(13 * mib);
    target::PutOptions options;
    options.checkpoint = bench.run(put_and_suspend(bench.target(), "job/set/a", content, {}));
    CHECK_FALSE(options.checkpoint.empty());
    CHECK(bench.place.leftovers() == 1);
    CHECK_FALSE(bench.stat("job/set/a"));
    const auto begins_at = bench.run(put_rest(bench.target(), "job/set/a", content, options));
    CHECK((begins_at == 5 * mib || begins_at == 10 * mib));
    CHECK(bench.get("job/set/a") == content);
    CHECK(bench.place.leftovers() == 0);
    // That upload is over.
    CHECK(bench.run(put_rest(bench.target(), "job/set/b", content, options)) == 0);
    CHECK(bench.get("job/set/b") == content);
}

TEMPLATE_TEST_CASE("an upload whose equal parts are too small for what follows begins anew", "", S3OnRgw) {
    // As a set that was streamed before its length was known, to a provider whose parts are equal; with few parts.
    auto few = *target::find_s3_profile("r2");
    few.most_parts = 4;
    std::uint64_t part_size = 5 * mib;
    CustomBench<TestType> bench([&](target::S3Options& options, target::Credentials&) {
        few.no_replace = options.profile->no_replace;
        options.profile = &few;
        options.part_size = part_size;
        options.concurrent_parts = 1;  // so that the first has arrived when the third is begun
    });
    if (!bench.ready()) return;
    const auto content = noise(21 * mib);
    target::PutOptions options;
    options.checkpoint = bench.run(put_and_suspend(bench.target(), "job/set/a", content.substr(0, 13 * mib), {}));
    CHECK(bench.place.leftovers() == 1);
    part_size = 0;
    REQUIRE(bench.ready());
    options.size = 20 * mib;
    CHECK(bench.run(bench.target().put("job/set/a", options, {}))->begins_at() >= 5 * mib);
    options.size = content.size();
    CHECK(bench.run(put_rest(bench.target(), "job/set/a", content, options)) == 0);
    CHECK(bench.get("job/set/a") == content);
    CHECK(bench.place.leftovers() == 0);
}

TEMPLATE_TEST_CASE("an upload that goes on is not swept, however long ago it was begun", "", S3OnRgw, S3OnSwift) {
    CustomBench<TestType> bench(small_parts);
    if (!bench.ready()) return;
    const auto content = noise(13 * mib);
    target::PutOptions options;
    options.checkpoint = bench.run(put_and_suspend(bench.target(), "job/set/a", content, {}));
    const auto upload = bench.run(bench.target().put("job/set/a", options, {}));
    // Nothing is newer than tomorrow.
    const auto tomorrow = base::SystemClock().now() + std::chrono::hours(24);
    CHECK(bench.run(bench.target().sweep(tomorrow, {})).uploads == 0);
    const auto chunk = chunk_of(std::string_view(content).substr(static_cast<std::size_t>(upload->begins_at())));
    bench.run(upload->write(chunk, {}));
    bench.run(upload->finish({}));
    CHECK(bench.get("job/set/a") == content);
    // One that nobody goes on with is.
    bench.run(put_and_suspend(bench.target(), "job/set/b", content, {}));
    CHECK(bench.run(bench.target().sweep(tomorrow, {})).uploads == 1);
    CHECK(bench.place.leftovers() == 0);
}

TEMPLATE_TEST_CASE("an upload in parts that is aborted or stopped leaves none of them", "", S3OnRgw, S3OnSwift) {
    CustomBench<TestType> bench(small_parts);
    if (!bench.ready()) return;
    async::StopSource source;
    const auto put = [&] {
        const auto upload = bench.run(bench.target().put("job/set/a", {}, {}));
        const auto chunk = chunk_of(noise(11 * mib));
        bench.run(upload->write(chunk, source.token()));
        source.stop({ErrorCode::cancelled, "somebody asked to stop"});
        const auto error = bench.error_of([&] { bench.run(upload->finish(source.token())); });
        CHECK(error.code() == ErrorCode::cancelled);
        bench.run(upload->abort());
    };
    put();
    CHECK(bench.place.leftovers() == 0);
    CHECK(bench.keys().empty());
}

TEMPLATE_TEST_CASE("credentials that are wrong are refused for good, and never shown", "", S3OnRgw, S3OnSwift) {
    struct Row {
        std::function<void(target::S3Options&, target::Credentials&)> change;
        std::string_view hint;
    };
    for (const auto& row : {
             Row{[](auto&, auto& credentials) { credentials.secret_access_key = base::Secret("hunter2"); },
                 "secret_access_key"},
             Row{[](auto&, auto& credentials) { credentials.access_key_id = "nobody:knows"; }, "access_key_id"},
         }) {
        CustomBench<TestType> bench(row.change);
        if (!bench.ready()) return;
        for (const auto& error :
             {bench.error_of([&] { bench.put("a", "x"); }), bench.error_of([&] { bench.keys(); }),
              bench.error_of([&] { bench.remove({"a"}); }), bench.error_of([&] { bench.get("a"); })}) {
            INFO(error.message() << " / " << error.hint());
            CHECK(error.code() == ErrorCode::authentication_failed);
            CHECK_FALSE(error.is_passing());
            CHECK(error.hint().find(row.hint) != std::string::npos);
            CHECK((error.message() + error.hint()).find("hunter2") == std::string::npos);
        }
    }
}

TEMPLATE_TEST_CASE("clocks that differ are recognised, and both times are told", "", S3OnRgw, S3OnSwift) {
    for (const auto by : {std::chrono::minutes(25), std::chrono::minutes(-25)}) {
        const WrongClock clock(by);
        CustomBench<TestType> bench({}, &clock);
        if (!bench.ready()) return;
        for (const auto& error : {bench.error_of([&] { bench.put("a", "x"); }), bench.error_of([&] { bench.keys(); }),
                                  bench.error_of([&] { bench.stat("a"); })}) {
            INFO(error.message());
            CHECK(error.code() == ErrorCode::authentication_failed);
            CHECK(error.message().find("the clocks differ too much: 20") != std::string::npos);
            CHECK(error.message().find(" here, 20") != std::string::npos);
            CHECK(error.message().find(by.count() > 0 ? " ahead" : " behind") != std::string::npos);
            CHECK(error.hint().find("chronyc") != std::string::npos);
        }
    }
}

TEMPLATE_TEST_CASE("a bucket that is not there is told apart from an object", "", S3OnRgw, S3OnSwift) {
    CustomBench<TestType> bench(
        [](target::S3Options& options, target::Credentials&) { options.endpoint.bucket = "missing-bucket"; });
    if (!bench.ready()) return;
    for (const auto& error : {bench.error_of([&] { bench.put("a", "x"); }), bench.error_of([&] { bench.keys(); }),
                              bench.error_of([&] { bench.get("a"); }), bench.error_of([&] { bench.stat("a"); })}) {
        INFO(error.message());
        CHECK(error.code() == ErrorCode::not_found);
        CHECK(error.message().find("bucket") != std::string::npos);
        CHECK(error.hint().find("create it") != std::string::npos);
    }
}

TEMPLATE_TEST_CASE("the bucket may stand in the host's name", "", S3OnRgw, S3OnSwift) {
    const auto& server = TestType().server();
    CustomBench<TestType> bench([&server](target::S3Options& options, target::Credentials&) {
        options.endpoint = target::parse_endpoint(*options.profile, server.value("host"), options.region,
                                                  server.value("bucket"), target::Addressing::virtual_host)
                               .value();
        small_parts(options, *std::make_unique<target::Credentials>());
    });
    if (!bench.ready()) return;
    const auto content = noise(6 * mib);
    bench.put("job/a b/ü+%", content);
    CHECK(bench.get("job/a b/ü+%") == content);
    CHECK(bench.keys() == std::vector<std::string>{"job/a b/ü+%"});
    CHECK(bench.remove({"job/a b/ü+%"}).empty());
    CHECK(bench.keys().empty());
}

TEMPLATE_TEST_CASE("a region that is wrong is corrected by the service's answer", "", S3OnSwift) {
    CustomBench<TestType> bench(
        [](target::S3Options& options, target::Credentials&) { options.region = "eu-central-1"; });
    if (!bench.ready()) return;
    bench.put("a", "x");
    CHECK(bench.get("a") == "x");
    CHECK(bench.keys() == std::vector<std::string>{"a"});
}

TEMPLATE_TEST_CASE("over TLS an authority of one's own is believed, and no other", "", S3OnRgw) {
    const auto& server = TestType().server();
    const auto with_tls = [&server](target::S3Options& options, target::Credentials&) {
        options.endpoint = target::parse_endpoint(*options.profile, server.value("tls"), options.region,
                                                  server.value("bucket"), target::Addressing::path)
                               .value();
        options.part_size = 5 * mib;
    };
    {
        CustomBench<TestType> bench([&](target::S3Options& options, target::Credentials& credentials) {
            with_tls(options, credentials);
            options.http.ca_file = server.value("authority");
        });
        if (!bench.ready()) return;
        const auto content = noise(6 * mib);
        bench.put("a", content);
        CHECK(bench.get("a") == content);
    }
    CustomBench<TestType> bench(with_tls);
    REQUIRE(bench.ready());
    const auto error = bench.error_of([&] { bench.put("a", "x"); });
    INFO(error.message());
    CHECK(error.code() == ErrorCode::authentication_failed);
    CHECK(error.hint().find("ca_file") != std::string::npos);
}

TEMPLATE_TEST_CASE("where the service can refuse to replace an object, nothing is looked for first", "", S3OnRgw) {
    CustomBench<TestType> bench([](target::S3Options& options, target::Credentials&) {
        options.profile = &target::s3_profile(target::Provider::minio);
    });
    if (!bench.ready()) return;
    bench.put("a", "first");
    const auto error = bench.error_of([&] { bench.put("a", "other"); });
    INFO(error.message());
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message().find("PreconditionFailed") != std::string::npos);
    CHECK(bench.get("a") == "first");
    CHECK(bench.run(bench.target().facts({})).exclusive == target::Exclusive::atomic);
}

TEMPLATE_TEST_CASE("what a service does not know is told with the setting to take out", "", S3OnSwift) {
    CustomBench<TestType> bench(
        [](target::S3Options& options, target::Credentials&) { options.encryption = "AES256"; });
    if (!bench.ready()) return;
    const auto error = bench.error_of([&] { bench.put("a", "x"); });
    INFO(error.message() << " / " << error.hint());
    CHECK(error.code() == ErrorCode::unsupported);
    CHECK_FALSE(error.hint().empty());
    CHECK(bench.keys().empty());
}

TEMPLATE_TEST_CASE("a part that the disk has no room for says so, and the upload leaves nothing", "", S3OnRgw) {
    const support::SmallDisk disk;
    if (!disk.mounted()) return;
    CustomBench<TestType> bench([&disk](target::S3Options& options, target::Credentials&) {
        options.part_size = 64 * mib;
        options.spool_directory = disk.path();
    });
    if (!bench.ready()) return;
    const auto content = noise(25 * mib);
    const auto error = bench.error_of([&] { bench.put("a", content, {}, mib); });
    INFO(error.message() << " / " << error.hint());
    CHECK(error.code() == ErrorCode::no_space);
    CHECK(error.message().find(disk.path().native()) != std::string::npos);
    CHECK_FALSE(error.hint().empty());
    CHECK(bench.keys().empty());
    CHECK(bench.place.leftovers() == 0);
    // What memory holds needs no disk.
    bench.put("a", content.substr(0, 20 * mib), {}, mib);
}
