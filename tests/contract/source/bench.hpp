// What the cases of this suite are written with: a source of some kind on a reactor of its own, plain calls for what
// coroutines do, and what must not be there afterwards.
#pragma once

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "fixture.hpp"
#include "support/error_of.hpp"
#include "support/wait_for.hpp"

namespace contract {

inline base::Error called_off() {
    return {base::ErrorCode::cancelled, "somebody called it off"};
}

constexpr std::size_t large = std::size_t{64} << 10U;
constexpr std::size_t most_by_piece = 300'000;

template <class Fixture>
class Bench {
  public:
    // Whether this kind can be tried here; if not, prints the line by which ctest knows a skipped test.
    [[nodiscard]] bool ready() {
        const auto reason = Fixture::missing();
        if (!reason.empty()) {
            std::cout << "SKIPPED: " << reason << '\n';
            return false;
        }
        fixture.emplace();
        return true;
    }
    [[nodiscard]] std::unique_ptr<source::Source> open_source() { return fixture->open(io_.get_executor(), pool_); }
    [[nodiscard]] std::unique_ptr<source::Source> failing_source() {
        return fixture->failing(io_.get_executor(), pool_);
    }

    // To the end of the task alone: what it has started goes on, as long as somebody waits for something else.
    template <class T>
    T run(asio::awaitable<T> task) {
        std::exception_ptr failure;
        bool ended = false;
        if constexpr (std::is_void_v<T>) {
            asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& thrown) {
                failure = thrown;
                ended = true;
            });
            run_until(ended);
            if (failure) std::rethrow_exception(failure);
        } else {
            std::optional<T> result;
            asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& thrown, T value) {
                failure = thrown;
                if (!thrown) result.emplace(std::move(value));
                ended = true;
            });
            run_until(ended);
            if (failure) std::rethrow_exception(failure);
            return std::move(*result);
        }
    }
    void run_until(const bool& ended) {
        io_.restart();
        while (!ended) io_.run_one();
    }

    // Reads at most `bytes`, in pieces of `piece`.
    static asio::awaitable<std::string> read_on(source::Stream& stream, std::size_t piece, std::size_t bytes,
                                                async::StopToken stop) {
        std::string text;
        std::vector<std::byte> buffer(piece);
        while (text.size() < bytes) {
            const auto wanted = std::span(buffer).first(std::min(piece, bytes - text.size()));
            const auto count = co_await stream.read(wanted, stop);
            if (count == 0) break;
            REQUIRE(count <= wanted.size());
            text.append(reinterpret_cast<const char*>(buffer.data()), count);
        }
        co_return text;
    }
    std::string read(source::Stream& stream, std::size_t piece, std::size_t bytes = std::string::npos,
                     const async::StopToken& stop = {}) {
        return run(read_on(stream, piece, bytes, stop));
    }
    // The parts of an attempt, in the order in which they are opened.
    std::vector<source::Part> begin_attempt(source::Source& opened, const source::Prepared& prepared,
                                            const async::StopToken& stop = {}) {
        return prepared.together ? run(opened.begin(directory_.path(), stop)).parts : prepared.parts;
    }
    // The first of them, in an attempt of its own.
    std::unique_ptr<source::OpenPart> open_first(source::Source& opened, const source::Prepared& prepared,
                                                 const async::StopToken& stop = {}) {
        return run(opened.open(begin_attempt(opened, prepared, stop).front(), work(), stop));
    }
    // To its end, and found right: in pieces of `piece`, but for what is beyond the first bytes of a large one.
    std::string read_to_end(source::OpenPart& open, const source::Part& part, std::size_t piece) {
        auto own = open.content_check();
        const auto check = own ? codec::make_check(std::move(own), codec::Method::none)
                               : codec::make_check(part.content, codec::Method::none);
        auto bytes = read(open.stream(), piece, most_by_piece);
        bytes += read(open.stream(), std::max(piece, large));
        CHECK(read(open.stream(), large).empty());
        run(open.stream().finish({}));
        CHECK(check->write(std::as_bytes(std::span(bytes))));
        const auto whole = check->finish();
        CHECK((whole ? "" : whole.error().message()) == std::string());
        return bytes;
    }
    // The first part, or where they come together all of them: then the first one's bytes.
    std::string read_whole(source::Source& opened, const source::Prepared& prepared, std::size_t piece) {
        auto parts = begin_attempt(opened, prepared);
        if (!prepared.together) parts.resize(1);
        std::string first;
        for (const auto& part : parts) {
            const auto open = run(opened.open(part, work(), {}));
            auto bytes = read_to_end(*open, part, piece);
            if (first.empty()) first = std::move(bytes);
        }
        return first;
    }
    template <class Call>
    base::Error error_of(const Call& call) {
        return pgbakd::testing::error_of(call);
    }
    template <class Call>
    void must_be_called_off(const Call& call) {
        const auto error = error_of(call);
        CHECK(error.code() == base::ErrorCode::cancelled);
        CHECK(error.message() == called_off().message());
    }

    // For one part; not there yet.
    [[nodiscard]] std::filesystem::path work() const { return directory_ / "part.work"; }
    // Neither processes of the run, nor anything on the disk.
    void check_nothing_left() {
        // What the producer had started was killed with it, and is gone a moment later.
        CHECK(support::wait_for([] { return marked_processes() == 0; }, std::chrono::seconds(30)));
        CHECK(std::filesystem::is_empty(directory_.path()));
    }
    static std::size_t marked_processes() {
        const std::string mark = "PGAPPNAME=pgbakd/" + run_name();
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
            std::ifstream file(entry.path() / "environ", std::ios::binary);
            for (std::string variable; std::getline(file, variable, '\0');)
                if (variable == mark) ++count;
        }
        return count;
    }
    static std::size_t descriptors() {
        const std::filesystem::directory_iterator listing("/proc/self/fd");
        return static_cast<std::size_t>(std::distance(begin(listing), end(listing)));
    }

    [[nodiscard]] asio::io_context& io() { return io_; }
    std::optional<Fixture> fixture;

  private:
    support::TemporaryDirectory directory_;
    asio::io_context io_;
    async::Pool pool_{2, 0};
};

}  // namespace contract
