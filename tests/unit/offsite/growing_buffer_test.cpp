#include "offsite/growing_buffer.hpp"

#include "codec/sha256.hpp"
#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using offsite::Assured;
using offsite::GrowingBuffer;
using target::Assurance;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20U;
const std::string key = "shop/20260113_000001/a.dump";

async::Chunk chunk(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
}

std::string hash_of(std::string_view text) {
    codec::Sha256 hash;
    hash.update(std::as_bytes(std::span(text)));
    return hash.hex_digest();
}

// A dump of that content in pieces, whose writer waits for its reader; counts the bytes that waited at most.
struct Dump {
    std::shared_ptr<async::Event> taken;
    std::shared_ptr<GrowingBuffer> buffer;
    std::string content;
    std::size_t piece;
    std::string sha256 = hash_of(content);

    asio::awaitable<void> write() {
        for (std::size_t at = 0; at < content.size(); at += piece) {
            buffer->push(chunk(std::string_view(content).substr(at, piece)));
            while (buffer->is_full()) co_await taken->wait({});
        }
        buffer->complete(content.size(), sha256);
    }
};

Dump dump(Bench& bench, std::string content, std::size_t piece) {
    const auto executor = bench.io.get_executor();
    auto taken = std::make_shared<async::Event>(executor);
    auto buffer = std::make_shared<GrowingBuffer>(executor, "a.dump", taken);
    return {std::move(taken), std::move(buffer), std::move(content), piece};
}

struct Sent {
    std::optional<Assured> assured;
    std::optional<base::Error> failure;
};

Sent send(Bench& bench, Dump& dump) {
    Sent sent;
    asio::co_spawn(bench.io, dump.write(), [](const std::exception_ptr& thrown) { CHECK_FALSE(thrown); });
    try {
        sent.assured = bench.run(offsite::send_file(bench.means(), dump.buffer, key, {}, {}));
    } catch (const base::Error& error) {
        sent.failure = error;
    }
    CHECK(bench.target.open_uploads == 0);
    return sent;
}

// Its end, while others wait for more.
template <class T>
T finish(Bench& bench, asio::awaitable<T> task) {
    std::optional<T> result;
    asio::co_spawn(bench.io, std::move(task), [&result](const std::exception_ptr& thrown, T value) {
        REQUIRE_FALSE(thrown);
        result.emplace(std::move(value));
    });
    bench.io.restart();
    while (!result) bench.io.run_one();
    return std::move(*result);
}

}  // namespace

TEST_CASE("what is on no disk arrives whole, and is read back where the target cannot tell what it holds") {
    struct Row {
        Assurance told;
        Assured expected;
        std::size_t size, piece;
    };
    for (const auto& row : {Row{Assurance::checksum, Assured::checksum, 3 * mebibyte + 5, mebibyte / 4},
                            Row{Assurance::size, Assured::read_back, 3 * mebibyte, 3 * mebibyte},  // above one write
                            Row{Assurance::none, Assured::read_back, 40 * mebibyte, mebibyte},     // above the limit
                            Row{Assurance::size, Assured::read_back, 0, 1}}) {
        CAPTURE(static_cast<int>(row.told), row.size);
        Bench bench;
        bench.target.assurance = row.told;
        auto written = dump(bench, noise(row.size), row.piece);
        const auto sent = send(bench, written);
        REQUIRE(sent.assured);
        CHECK(*sent.assured == row.expected);
        CHECK(bench.target.objects.at(key).content == written.content);
        CHECK(written.buffer->is_given_up());
    }
}

TEST_CASE("a target that holds something else is found out by the whole of it") {
    Bench bench;
    bench.target.assurance = Assurance::size;
    bench.target.spoil = [](std::string& content) { content[content.size() / 2] ^= 1; };
    auto written = dump(bench, noise(5 * mebibyte), mebibyte);
    const auto sent = send(bench, written);
    REQUIRE(sent.failure);
    CHECK(sent.failure->code() == ErrorCode::corrupt);
}

TEST_CASE("a writer waits for its reader above the limit, and for nobody who has given up") {
    Bench bench;
    auto written = dump(bench, noise(GrowingBuffer::limit + 3 * mebibyte), mebibyte);
    bool ended = false;
    asio::co_spawn(bench.io, written.write(), [&ended](const std::exception_ptr&) { ended = true; });
    bench.io.poll();
    CHECK_FALSE(ended);
    SECTION("it reads on") {
        auto reading = finish(bench, written.buffer->open(bench.pool));
        std::string read;
        while (!ended) {
            const auto piece = finish(bench, reading->read(read.size(), mebibyte));
            for (const auto byte : *piece) read += static_cast<char>(byte);
            bench.io.restart();
            bench.io.poll();
        }
        CHECK(written.content.starts_with(read));
        CHECK_FALSE(written.buffer->is_given_up());
        reading.reset();
        CHECK(written.buffer->is_given_up());
    }
    SECTION("it gives up") {
        written.buffer->give_up();
        bench.io.restart();
        bench.io.poll();
        CHECK(ended);
    }
}

TEST_CASE("an upload that fails lets its writer go on, and nothing of it stays") {
    Bench bench;
    bench.target.fail_at = 3;  // put, write, write
    auto written = dump(bench, noise(GrowingBuffer::limit * 2), mebibyte);
    const auto sent = send(bench, written);
    REQUIRE(sent.failure);
    CHECK(sent.failure->code() == ErrorCode::unreachable);
    CHECK(written.buffer->length() == written.content.size());
    CHECK(bench.target.objects.empty());
    CHECK(bench.target.suspended == 0);
}

TEST_CASE("an object of that name is another one, unless all of what was sent is there") {
    Bench bench;
    auto written = dump(bench, noise(2 * mebibyte), mebibyte);
    SECTION("another host's") {
        bench.target.add(key, noise(2 * mebibyte, 2));
        const auto sent = send(bench, written);
        REQUIRE(sent.failure);
        CHECK(sent.failure->code() == ErrorCode::conflict);
    }
    SECTION("ours, whose answer was lost") {
        bench.target.refuses_late = true;
        bench.target.add(key, written.content);
        const auto sent = send(bench, written);
        REQUIRE(sent.assured);
        CHECK(*sent.assured == Assured::read_back);
    }
    SECTION("ours, whose answer is lost now") {
        bench.target.answer_lost = true;
        bench.target.on_call = [&](const std::string& call) {
            if (call == "finish " + key) bench.target.fail_at = bench.target.calls.size();
        };
        SECTION("whole") {
            const auto sent = send(bench, written);
            REQUIRE(sent.assured);
            CHECK(*sent.assured == Assured::read_back);
        }
        SECTION("spoiled") {
            bench.target.spoil = [](std::string& content) { content[content.size() / 2] ^= 1; };
            const auto sent = send(bench, written);
            REQUIRE(sent.failure);
            CHECK(sent.failure->code() == ErrorCode::unreachable);
        }
    }
    SECTION("another host's that came meanwhile") {
        bench.target.refuses_late = true;
        bench.target.add(key, noise(2 * mebibyte, 2));
        const auto sent = send(bench, written);
        REQUIRE(sent.failure);
        CHECK(sent.failure->code() == ErrorCode::conflict);
    }
}

TEST_CASE("a set that is on no disk gets its manifest only where all of it is") {
    Bench bench;
    const auto id = bench.add_set("2026-01-13T00:00:01Z");
    const auto set = bench.place.repository.find(id).manifest;
    offsite::Way way;
    const auto close = [&] { return bench.run(offsite::close_set(bench.means(), set, way, {})); };
    REQUIRE_FALSE(set.artifacts.empty());
    CHECK(error_of(close).code() == ErrorCode::not_found);
    CHECK(bench.target.objects.empty());
    const auto there = bench.objects_of(id);
    for (const auto& artifact : set.artifacts) {
        bench.target.add(offsite::key_of(id, artifact.file), there.at(offsite::key_of(id, artifact.file)));
        way.sent[artifact.file] = Assured::checksum;
    }
    way.begun = true;
    CHECK(close() == Assured::checksum);
    CHECK(bench.objects_there() == there);
    CHECK(bench.target.finished.back() == offsite::key_of(id, model::manifest_file));
    CHECK(close() == Assured::checksum);  // once more: it is all there
    CHECK(bench.objects_there() == there);
    // With its manifest, but without what that names, it is no set, and nothing is left to make it one.
    const auto lost = offsite::key_of(id, set.artifacts.front().file);
    bench.target.objects.erase(lost);
    const auto error = error_of(close);
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.message() == set.artifacts.front().file + " was sent, and is gone now");
    CHECK(bench.target.removed == std::vector<std::string>{offsite::key_of(id, model::manifest_file)});
}

namespace {

// One attempt of a run at an artifact that is kept nowhere.
std::optional<base::Error> attempt(Bench& bench, offsite::Way& way, const std::string& content) {
    auto made = dump(bench, content, mebibyte);
    asio::co_spawn(bench.io, made.write(), [](const std::exception_ptr& thrown) { CHECK_FALSE(thrown); });
    std::optional<base::Error> failure;
    try {
        bench.run(offsite::send_artifact(bench.means(), {"shop", "20260113_000001"}, made.buffer, way, {}));
    } catch (const base::Error& error) {
        failure = error;
    }
    CHECK(bench.target.open_uploads == 0);
    return failure;
}

}  // namespace

TEST_CASE("of what is kept nowhere the next attempt takes away what the last one has left, and nothing else") {
    const auto first = noise(2 * mebibyte), second = noise(2 * mebibyte + 1, 2);
    Bench bench;
    offsite::Way way;
    bench.target.assurance = Assurance::size;
    const auto fail_at = [&](const std::string& call, bool for_good) {
        bench.target.on_call = [&bench, call, for_good](const std::string& made) {
            if (!made.starts_with(call)) return;
            if (for_good) bench.target.away = true;
            bench.target.fail_at = bench.target.calls.size();
        };
    };
    const auto works_again = [&] {
        bench.target.on_call = nullptr;
        bench.target.away = bench.target.answer_lost = bench.target.looks_after = false;
        bench.target.spoil = nullptr;
        bench.target.retains = nullptr;
    };
    const auto spoil = [](std::string& content) { content[content.size() / 2] ^= 1; };
    SECTION("it arrived wrong, as the target tells") {
        bench.target.looks_after = true;
        bench.target.spoil = spoil;
        REQUIRE(attempt(bench, way, first));
        CHECK(bench.target.objects.empty());
        // So it is however often.
        REQUIRE(attempt(bench, way, first));
        CHECK(bench.target.objects.empty());
    }
    SECTION("the same, and it cannot be taken back yet") {
        bench.target.looks_after = true;
        bench.target.spoil = spoil;
        bench.target.retains = [](const std::string&) { return true; };
        REQUIRE(attempt(bench, way, first));
        CHECK(bench.target.objects.size() == 1);
    }
    SECTION("it arrived wrong, as reading it back tells") {
        bench.target.spoil = spoil;
        REQUIRE(attempt(bench, way, first));
        CHECK(bench.target.objects.empty());
    }
    SECTION("it could not be read back") {
        fail_at("get", false);
        REQUIRE(attempt(bench, way, first));
        CHECK(bench.target.objects.empty());
    }
    SECTION("nor be taken back") {
        fail_at("get", true);
        REQUIRE(attempt(bench, way, first));
        CHECK(bench.target.objects.size() == 1);
    }
    SECTION("nobody could tell whether it came") {
        bench.target.answer_lost = true;
        fail_at("finish", true);
        REQUIRE(attempt(bench, way, first));
        REQUIRE(bench.target.objects.size() == 1);
        SECTION("and it is another one that did") {
            works_again();
            bench.target.objects.at(key).content = noise(2 * mebibyte, 3);
            const auto failure = attempt(bench, way, second);
            REQUIRE(failure);
            CHECK(failure->code() == ErrorCode::conflict);
            CHECK(bench.target.objects.at(key).content == noise(2 * mebibyte, 3));
            CHECK(bench.target.removed.empty());
            return;
        }
        SECTION("and it is somebody's set by now") {
            works_again();
            bench.target.add("shop/20260113_000001/manifest.json", "{}");
            const auto failure = attempt(bench, way, second);
            REQUIRE(failure);
            CHECK(failure->code() == ErrorCode::conflict);
            CHECK(bench.target.removed.empty());
            return;
        }
    }
    works_again();
    CHECK_FALSE(attempt(bench, way, second));
    CHECK(bench.target.objects.at(key).content == second);
    CHECK(way.unsure.empty());
}

TEST_CASE("another host's artifact refuses each attempt of a run that keeps nothing, and stays") {
    for (const bool late : {false, true}) {
        Bench bench;
        bench.target.refuses_late = late;
        bench.target.add(key, "another's");
        offsite::Way way;
        for (int attempts = 0; attempts < 3; ++attempts) {
            const auto failure = attempt(bench, way, noise(1000));
            REQUIRE(failure);
            CHECK(failure->code() == ErrorCode::conflict);
        }
        CHECK(bench.target.objects.at(key).content == "another's");
        CHECK(bench.target.removed.empty());
    }
}
