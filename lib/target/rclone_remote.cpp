#include "target/rclone_remote.hpp"

#include <fmt/format.h>

#include <utility>

#include "target/key.hpp"

namespace pgbakd::target {

using base::Error;
using base::ErrorCode;

RcloneCall RcloneRemote::call(std::string verb, std::vector<std::string> flags, std::string_view path) const {
    RcloneCall call{.what = fmt::format("rclone {} of {}", verb, place(path)),
                    .arguments = {std::move(verb)},
                    .places = {place(path)}};
    call.arguments.insert(call.arguments.end(), flags.begin(), flags.end());
    return call;
}

asio::awaitable<RcloneFeatures> RcloneRemote::features(async::StopToken stop) {
    if (!features_) {
        auto asked = call("backend", {"features"}, "");
        const auto text = co_await program_.text_of(std::move(asked), std::move(stop));
        features_ = parse_rclone_features(text).value();
    }
    co_return *features_;
}

asio::awaitable<std::optional<Room>> RcloneRemote::room(async::StopToken stop) {
    const auto known = co_await features(stop);
    if (!known.about) co_return std::nullopt;
    auto asked = call("about", {"--json"}, "");
    const auto text = co_await program_.text_of(std::move(asked), std::move(stop));
    co_return parse_rclone_about(text).value();
}

asio::awaitable<std::optional<Entry>> RcloneRemote::stat(std::string path, Detail detail, async::StopToken stop) {
    // The time at which it was stored is what is wanted, and saves a request for each object of a bucket.
    std::vector<std::string> flags{"--stat", "--no-mimetype", "--use-server-modtime"};
    if (detail == Detail::checksums) flags.emplace_back("--hash");
    auto asked = call("lsjson", std::move(flags), path);
    std::exception_ptr failure;
    std::string text;
    try {
        text = co_await program_.text_of(std::move(asked), std::move(stop));
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        failure = std::current_exception();
    }
    if (failure) co_return std::nullopt;
    auto entry = parse_rclone_item(text, "").value();
    // Without its directory.
    if (entry) entry->key = std::move(path);
    co_return entry;
}

asio::awaitable<std::vector<Entry>> RcloneRemote::list(std::string prefix, async::StopToken stop) {
    const std::vector<std::string> flags{"--recursive", "--files-only", "--no-mimetype", "--use-server-modtime"};
    auto asked = call("lsjson", flags, prefix.empty() ? prefix : prefix.substr(0, prefix.size() - 1));
    std::vector<Entry> entries;
    RcloneListing listing(prefix, [&entries](Entry entry) { entries.push_back(std::move(entry)); });
    try {
        co_await program_.run(std::move(asked), listing, stop);
    } catch (const Error& error) {
        // A directory that is not there holds nothing.
        if (error.code() != ErrorCode::not_found) throw;
    }
    // Of a prefix that is an object itself lsjson prints that object, as if it were one below it.
    if (!prefix.empty() && entries.size() == 1) {
        auto itself = prefix.substr(0, prefix.size() - 1);
        const auto name = itself.substr(itself.rfind('/') + 1);
        if (entries.front().key == prefix + name) {
            const auto object = co_await stat(std::move(itself), Detail::plain, std::move(stop));
            if (object) entries.clear();
        }
    }
    co_return entries;
}

asio::awaitable<void> RcloneRemote::cat(std::string path, Range range, Sink& sink, async::StopToken stop) {
    std::vector<std::string> flags{"--offset", std::to_string(range.offset)};
    if (range.length) {
        flags.emplace_back("--count");
        flags.push_back(std::to_string(*range.length));
    }
    auto asked = call("cat", std::move(flags), path);
    co_await program_.run(std::move(asked), sink, std::move(stop));
}

asio::awaitable<std::unique_ptr<async::Child>> RcloneRemote::rcat(std::string path) {
    auto asked = call("rcat", {}, path);
    asked.feed_input = true;
    asked.is_slow = true;
    const auto command = co_await program_.prepare(std::move(asked));
    co_return std::make_unique<async::Child>(co_await asio::this_coro::executor, command);
}

asio::awaitable<void> RcloneRemote::move(std::string from, std::string to, Existing existing, async::StopToken stop) {
    // Two objects of one size may look the same to rclone, which would then keep the old one: --ignore-times.
    auto asked = call("moveto", {existing == Existing::refuse ? "--ignore-existing" : "--ignore-times"}, from);
    asked.is_slow = true;
    asked.places.push_back(place(to));
    (void)co_await program_.text_of(std::move(asked), std::move(stop));
}

asio::awaitable<void> RcloneRemote::remove(std::string path, async::StopToken stop) {
    auto asked = call("deletefile", {}, path);
    std::exception_ptr failure;
    try {
        (void)co_await program_.text_of(std::move(asked), stop);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    stop.check();
    // Its code and its words for "is not there" differ from remote to remote.
    const auto still_there = co_await stat(std::move(path), Detail::plain, std::move(stop));
    if (still_there) std::rethrow_exception(failure);
}

asio::awaitable<void> RcloneRemote::remove_empty(std::string directory, async::StopToken stop) {
    while (!directory.empty()) {
        auto asked = call("rmdir", {}, directory);
        bool removed = true;
        try {
            (void)co_await program_.text_of(std::move(asked), stop);
        } catch (const Error&) {
            removed = false;
        }
        stop.check();
        if (!removed) break;
        const auto end = directory.rfind('/');
        directory.resize(end == std::string::npos ? 0 : end);
    }
}

asio::awaitable<base::Timestamp> RcloneRemote::time_of_new_directory(std::string name, async::StopToken stop) {
    const auto directory = fmt::format("{}/{}", uploads_folder, name);
    auto made = call("mkdir", {}, directory);
    (void)co_await program_.text_of(std::move(made), stop);
    auto asked = call("lsjson", {"--stat", "--no-mimetype"}, directory);
    std::exception_ptr failure;
    std::string text;
    try {
        text = co_await program_.text_of(std::move(asked), stop);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await remove_empty(directory, stop);
    if (failure) std::rethrow_exception(failure);
    co_return parse_rclone_time(text);
}

}  // namespace pgbakd::target
