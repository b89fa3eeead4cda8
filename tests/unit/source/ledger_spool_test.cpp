#include "source/ledger_spool.hpp"

#include <string>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace pgbakd;

namespace {

std::string through(const std::filesystem::path& directory, std::size_t in_memory) {
    source::LedgerSpool spool(directory, in_memory);
    for (int i = 0; i < 1000; ++i) {
        const auto line = std::to_string(i) + "\n";
        spool.write(std::as_bytes(std::span(line)));
    }
    std::string read;
    std::vector<std::byte> buffer(333);
    for (;;) {
        const auto count = spool.read(buffer);
        if (count == 0) return read;
        read.append(reinterpret_cast<const char*>(buffer.data()), count);
    }
}

}  // namespace

TEST_CASE("a list of files comes back as it was written, from memory or from a file without a name") {
    const support::TemporaryDirectory directory;
    std::string expected;
    for (int i = 0; i < 1000; ++i) expected += std::to_string(i) + "\n";
    for (const std::size_t in_memory : {std::size_t{0}, std::size_t{100}, std::size_t{100'000}})
        CHECK(through(directory.path(), in_memory) == expected);
    CHECK(std::filesystem::is_empty(directory.path()));
}
