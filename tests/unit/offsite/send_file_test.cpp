#include "offsite/send_file.hpp"

#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using offsite::Assured;
using offsite::SendOptions;
using target::Assurance;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20U;
const std::string key = "shop/20260113_000001/a.dump";

Assured send(Bench& bench, std::shared_ptr<offsite::GrowingFile> file, SendOptions options = {},
             async::StopToken stop = {}) {
    return bench.run(offsite::send_file(bench.means(), std::move(file), key, std::move(options), std::move(stop)));
}

base::Error failure_of(Bench& bench, std::shared_ptr<offsite::GrowingFile> file, SendOptions options = {},
                       async::StopToken stop = {}) {
    const auto error = error_of([&] { send(bench, std::move(file), std::move(options), std::move(stop)); });
    CHECK(bench.target.open_uploads == 0);
    return error;
}

}  // namespace

TEST_CASE("a file arrives whole, and what is known of it is what the target could tell") {
    struct Row {
        Assurance told;
        Assured expected;
        std::size_t size;
        std::vector<std::string> calls;  // behind the upload
    };
    for (const auto& row : {Row{Assurance::checksum, Assured::checksum, 2'500'000, {}},
                            Row{Assurance::size, Assured::read_back, 2'000'000, {"get"}},
                            Row{Assurance::none, Assured::read_back, 2'000'000, {"get"}},
                            Row{Assurance::none, Assured::read_back, 0, {"get"}}}) {
        CAPTURE(static_cast<int>(row.told), row.size);
        Bench bench;
        bench.target.assurance = row.told;
        const auto content = noise(row.size);
        CHECK(send(bench, bench.whole("a.dump", content)) == row.expected);
        CHECK(bench.target.objects.at(key).content == content);
        std::vector<std::string> calls{"put"};
        for (std::size_t at = 0; at < row.size; at += mebibyte) calls.emplace_back("write");
        calls.emplace_back("finish");
        calls.insert(calls.end(), row.calls.begin(), row.calls.end());
        std::vector<std::string> made;
        for (const auto& call : bench.target.calls) made.push_back(call.substr(0, call.find(' ')));
        CHECK(made == calls);
        CHECK(bench.target.open_uploads == 0);
    }
    CHECK(offsite::assured_text(Assured::checksum) == "checksum");
    CHECK(offsite::assured_text(Assured::read_back) == "read back");
}

TEST_CASE("a file is sent while it grows, and appears when it is known to be right") {
    Bench bench;
    const auto content = noise(3'000'000);
    const auto file = bench.growing("a.dump", content);
    file->grown_to(1'000'000);
    std::size_t writes = 0;
    bench.target.on_call = [&](const std::string& call) {
        CHECK(bench.target.objects.empty());
        if (!call.starts_with("write")) return;
        ++writes;
        if (writes == 1) file->grown_to(2'200'000);
        if (writes == 3) file->complete(content.size());
    };
    CHECK(send(bench, file) == Assured::checksum);
    CHECK(bench.target.objects.at(key).content == content);
    CHECK(writes == 4);
}

TEST_CASE("the same object that is there already is success, another is a conflict and stays") {
    const auto content = noise(3 * mebibyte);
    for (const bool late : {false, true}) {
        CAPTURE(late);
        Bench bench;
        bench.target.refuses_late = late;
        bench.target.add(key, content);
        CHECK(send(bench, bench.whole("a.dump", content)) == Assured::read_back);
        CHECK(bench.target.finished.empty());
        CHECK(bench.target.open_uploads == 0);
        for (const auto& other : {noise(3 * mebibyte, 2), content + "x", content.substr(1), std::string()}) {
            bench.target.add(key, other);
            const auto error = failure_of(bench, bench.whole("a.dump", content));
            CHECK(error.code() == ErrorCode::conflict);
            CHECK(error.message() == key + " exists already");
            CHECK(bench.target.objects.at(key).content == other);
        }
        // Unless it is to be replaced.
        SendOptions options;
        options.existing = target::Existing::replace;
        CHECK(send(bench, bench.whole("a.dump", content), options) == Assured::checksum);
        CHECK(bench.target.objects.at(key).content == content);
    }
}

TEST_CASE("an answer that is lost is found out by the next attempt") {
    Bench bench;
    const auto file = bench.whole("a.dump", noise(1000));
    bench.target.answer_lost = true;
    bench.target.fail_at = 3;  // finish
    CHECK(failure_of(bench, file).code() == ErrorCode::unreachable);
    CHECK(bench.target.keys() == std::vector{key});
    bench.target.fail_at = 0;
    CHECK(send(bench, file) == Assured::read_back);
}

TEST_CASE("a conflict whose object cannot be read is that failure, to be tried again") {
    Bench bench;
    const auto content = noise(1000);
    bench.target.add(key, content);
    bench.target.fail_at = 3;  // put, stat, get
    CHECK(failure_of(bench, bench.whole("a.dump", content)).code() == ErrorCode::unreachable);
}

TEST_CASE("an upload goes on from its checkpoint, and begins anew where that is gone") {
    Bench bench;
    bench.target.resumable = true;
    const auto content = noise(5 * mebibyte);
    const auto file = bench.whole("a.dump", content);
    SendOptions options;
    std::vector<std::string> told;
    options.on_checkpoint = [&told](const std::string& checkpoint) { told.push_back(checkpoint); };
    bench.target.fail_at = 5;  // the fourth write
    CHECK(failure_of(bench, file, options).code() == ErrorCode::unreachable);
    CHECK(bench.target.suspended == 1);
    CHECK(bench.target.aborted == 0);
    CHECK(bench.target.objects.empty());
    REQUIRE(bench.target.unfinished.size() == 1);
    CHECK(told == std::vector{key + "@1048576", key + "@2097152", key + "@3145728"});

    options.checkpoint = told.back();
    bench.target.fail_at = 0;
    SECTION("resumed") {
        const auto before = bench.target.calls.size();
        CHECK(send(bench, file, options) == Assured::checksum);
        CHECK(bench.target.calls.size() == before + 4);  // put, two writes, finish
        CHECK(told.size() == 6);                         // what it resumed from, once more
    }
    SECTION("swept meanwhile") {
        bench.target.unfinished.clear();
        CHECK(send(bench, file, options) == Assured::checksum);
    }
    CHECK(bench.target.objects.at(key).content == content);
    CHECK(bench.target.unfinished.empty());
}

TEST_CASE("what a target claims to have beyond the file is no success") {
    Bench bench;
    bench.target.resumable = true;
    bench.target.unfinished["lie"] = {key, noise(2000)};
    SendOptions options;
    options.checkpoint = "lie";
    const auto error = failure_of(bench, bench.whole("a.dump", noise(1000)), options);
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.message() == "the target claims 2000 bytes of 1000 from before");
    CHECK(bench.target.aborted == 1);
    CHECK(bench.target.unfinished.empty());
}

TEST_CASE("a file that is given up is aborted, and nothing is left") {
    Bench bench;
    bench.target.resumable = true;
    const auto file = bench.growing("a.dump", noise(2 * mebibyte));
    file->grown_to(2 * mebibyte);
    int writes = 0;
    bench.target.on_call = [&](const std::string& call) {
        if (call.starts_with("write") && ++writes == 2) file->abandon();
    };
    CHECK(failure_of(bench, file).code() == ErrorCode::cancelled);
    CHECK(bench.target.aborted == 1);
    CHECK(bench.target.suspended == 0);
    CHECK(bench.target.objects.empty());
    CHECK(bench.target.unfinished.empty());
    // Before it begins, too.
    CHECK(failure_of(bench, file).code() == ErrorCode::cancelled);
}

TEST_CASE("a file that became shorter is not sent") {
    Bench bench;
    bench.target.resumable = true;
    const auto file = bench.growing("a.dump", noise(1000));
    file->complete(2000);
    const auto error = failure_of(bench, file);
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.message() == (bench.directory / "a.dump").native() + " has become shorter");
    CHECK(bench.target.objects.empty());
    CHECK(bench.target.unfinished.empty());
    CHECK(bench.target.aborted == 1);
}

TEST_CASE("what arrived is kept for later or removed, as the file and the failure are") {
    struct Row {
        std::string name;
        bool whole;
        bool stopped;
        ErrorCode code;
        bool kept;
    };
    for (const auto& row : {Row{"the target goes away, artifact", true, false, ErrorCode::unreachable, true},
                            Row{"the target goes away, growing", false, false, ErrorCode::unreachable, true},
                            Row{"stopped, artifact", true, true, ErrorCode::interrupted, true},
                            Row{"stopped, growing", false, true, ErrorCode::interrupted, false},
                            Row{"no space", true, false, ErrorCode::no_space, true},
                            Row{"the target finds it corrupt", true, false, ErrorCode::corrupt, false}}) {
        CAPTURE(row.name);
        Bench bench;
        bench.target.resumable = true;
        const auto content = noise(2 * mebibyte);
        const auto file = bench.growing("a.dump", content);
        file->grown_to(content.size());
        if (row.whole) file->complete(content.size());
        async::StopSource source;
        bench.target.failure = {row.code, "as told"};
        bench.target.on_call = [&](const std::string& call) {
            if (row.stopped && call.starts_with("write") && bench.target.calls.size() == 3)
                source.stop({row.code, "as told"});
        };
        if (!row.stopped) bench.target.fail_at = 3;
        CHECK(failure_of(bench, file, {}, source.token()).code() == row.code);
        CHECK(bench.target.suspended == (row.kept ? 1 : 0));
        CHECK(bench.target.aborted == (row.kept ? 0 : 1));
        CHECK(bench.target.unfinished.size() == (row.kept ? 1U : 0U));
    }
}

TEST_CASE("a target that holds something else than was sent is found out where it vouches for nothing") {
    struct Row {
        Assurance told;
        std::function<void(std::string&)> spoil;
        std::int64_t lie;
        std::string message;
    };
    const auto flip = [](std::string& content) { content[1500] = static_cast<char>(content[1500] ^ 1); };
    const auto cut = [](std::string& content) { content.resize(1000); };
    const auto empty = [](std::string& content) { content.clear(); };
    const auto longer = [](std::string& content) { content += "more"; };
    for (const auto& row : {Row{Assurance::none, flip, 0, "it differs from what was sent at byte 1500"},
                            Row{Assurance::size, flip, 0, "it differs from what was sent at byte 1500"},
                            Row{Assurance::none, cut, 0, "only 1000 of 2000 bytes from 0 on could be read"},
                            Row{Assurance::none, empty, 0, "only 0 of 2000 bytes from 0 on could be read"},
                            Row{Assurance::size, cut, 0, "only 1000 of 2000 bytes from 0 on could be read"},
                            // It lies about the size.
                            Row{Assurance::none, cut, 1000, "only 1000 of 2000 bytes from 0 on could be read"},
                            Row{Assurance::none, longer, 0, "it is longer than the 2000 bytes that were sent"}}) {
        Bench bench;
        bench.target.assurance = row.told;
        bench.target.spoil = row.spoil;
        bench.target.size_lie = row.lie;
        const auto error = failure_of(bench, bench.whole("a.dump", noise(2000)));
        CHECK(error.code() == ErrorCode::corrupt);
        CHECK(error.message() == row.message);
    }
    Bench bench;
    bench.target.assurance = Assurance::none;
    bench.target.on_call = [&](const std::string& call) {
        if (call.starts_with("get")) bench.target.objects.clear();
    };
    CHECK(failure_of(bench, bench.whole("a.dump", noise(2000))).message() ==
          "the target holds nothing of 2000 bytes sent");
}

TEST_CASE("a file that is not there is not begun") {
    Bench bench;
    const auto file = std::make_shared<offsite::GrowingFile>(bench.io.get_executor(), bench.directory / "none");
    file->complete(10);
    CHECK(failure_of(bench, file).code() == ErrorCode::not_found);
    CHECK(bench.target.calls.empty());
}

TEST_CASE("a small object: the same text is success, another a conflict unless it is to be replaced") {
    Bench bench;
    const auto put = [&](const std::string& text, target::Existing existing = target::Existing::refuse) {
        target::PutOptions options;
        options.existing = existing;
        bench.run(offsite::send_text(bench.target, key, text, options, {}));
    };
    put("one");
    put("one");
    CHECK(bench.target.finished.size() == 1);
    for (const auto* other : {"two", "on", "one more", ""}) {
        CAPTURE(other);
        CHECK(error_of([&] { put(other); }).code() == ErrorCode::conflict);
        CHECK(bench.target.objects.at(key).content == "one");
    }
    put("two", target::Existing::replace);
    CHECK(bench.target.objects.at(key).content == "two");
    bench.target.away = true;
    CHECK(error_of([&] { put("two"); }).code() == ErrorCode::unreachable);
    bench.target.away = false;
    bench.target.fail_at = bench.target.calls.size() + 2;
    CHECK(error_of([&] { put("two"); }).code() == ErrorCode::unreachable);
    CHECK(bench.target.open_uploads == 0);
}

namespace {

std::string sha256_of(std::string_view text) {
    return codec::sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("a file that reads otherwise than it was written never appears, and is not taken up later") {
    struct Row {
        std::size_t size;
        std::size_t flipped;
        bool grows;
    };
    for (const auto& row :
         {Row{1, 0, false}, Row{65'536, 65'535, false}, Row{2'500'000, 1'300'000, false}, Row{2'500'000, 0, true}}) {
        CAPTURE(row.size, row.flipped, row.grows);
        Bench bench;
        bench.target.resumable = true;
        auto content = noise(row.size);
        const auto written = sha256_of(content);
        content[row.flipped] ^= 1;
        const auto file = bench.growing("a.dump", content);
        if (row.grows) {
            file->grown_to(1'000'000);
            bench.target.on_call = [&](const std::string& call) {
                if (call.starts_with("write")) file->complete(content.size(), written);
            };
        } else {
            file->complete(content.size(), written);
        }
        const auto error = failure_of(bench, file);
        CHECK(error.code() == ErrorCode::corrupt);
        CHECK_FALSE(error.is_passing());
        CHECK(error.message() == "a.dump reads otherwise than it was written: its SHA-256 is another one");
        CHECK(file->is_spoiled());
        CHECK(bench.target.finished.empty());
        CHECK(bench.target.aborted == 1);
        CHECK(bench.target.unfinished.empty());
        bench.target.on_call = nullptr;
        content[row.flipped] ^= 1;
        const auto good = bench.growing("a.dump", content);
        good->complete(content.size(), written);
        CHECK(send(bench, good) == Assured::checksum);
        CHECK_FALSE(good->is_spoiled());
    }
}

TEST_CASE("what arrived of an earlier attempt is compared with what was written too") {
    Bench bench;
    bench.target.resumable = true;
    auto content = noise(5 * mebibyte);
    const auto written = sha256_of(content);
    content[100] ^= 1;  // before what the second attempt sends
    auto file = bench.growing("a.dump", content);
    file->complete(content.size(), written);
    SendOptions options;
    options.on_checkpoint = [&options](const std::string& checkpoint) { options.checkpoint = checkpoint; };
    bench.target.fail_at = 5;  // the fourth write
    CHECK(failure_of(bench, file, options).code() == ErrorCode::unreachable);
    REQUIRE(bench.target.unfinished.size() == 1);
    bench.target.fail_at = 0;
    CHECK_FALSE(options.checkpoint.empty());
    SECTION("another") {
        CHECK(failure_of(bench, file, options).code() == ErrorCode::corrupt);
        CHECK(file->is_spoiled());
        CHECK(bench.target.finished.empty());
        CHECK(bench.target.unfinished.empty());
    }
    SECTION("the same") {
        content[100] ^= 1;
        file = bench.growing("a.dump", content);
        file->complete(content.size(), written);
        CHECK(send(bench, file, options) == Assured::checksum);
    }
}

TEST_CASE("an object that is there already is not taken for a file that is spoiled") {
    Bench bench;
    auto content = noise(5 * mebibyte);
    const auto written = sha256_of(content);
    content[2 * mebibyte + 7] ^= 1;
    bench.target.add(key, content);
    const auto file = bench.growing("a.dump", content);
    file->complete(content.size(), written);
    CHECK(failure_of(bench, file).code() == ErrorCode::corrupt);
    CHECK(file->is_spoiled());
}
