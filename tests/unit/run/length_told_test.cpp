#include "run/length_told.hpp"

#include "offsite/growing_file.hpp"
#include "support/common.hpp"
#include "support/memory_target.hpp"
#include "target/meter.hpp"

using namespace pgbakd;

TEST_CASE("an upload that began while its artifact was written has a length as soon as that is complete") {
    asio::io_context io;
    const auto memory = std::make_shared<support::MemoryTarget>();
    const auto meter = std::make_shared<target::Meter>();
    const base::ManualClock clock{base::Timestamp(std::chrono::seconds(1))};
    const auto file = std::make_shared<offsite::GrowingFile>(io.get_executor(), "shop.dump");
    const auto told = run::with_length_told(target::with_meter(memory, meter, clock), file);
    std::vector<std::optional<std::uint64_t>> lengths;
    const auto send = [&]() -> asio::awaitable<void> {
        const auto chunk = std::make_shared<const std::vector<std::byte>>(3);
        const auto upload = co_await told->put("job/a", {}, {});
        co_await upload->write(chunk, {});
        lengths.push_back(meter->sending.begin()->second.of);
        file->complete(6);
        co_await upload->write(chunk, {});
        lengths.push_back(meter->sending.begin()->second.of);
        co_await upload->finish({});
    };
    std::exception_ptr failure;
    asio::co_spawn(io, send(), [&](const std::exception_ptr& thrown) { failure = thrown; });
    io.run();
    CHECK_FALSE(failure);
    CHECK(lengths == std::vector<std::optional<std::uint64_t>>{std::nullopt, 6});
    CHECK(memory->objects.at("job/a").content.size() == 6);
}
