#include "source/table_choice.hpp"

#include <exception>
#include <utility>

#include "codec/archive_reader.hpp"
#include "source/program_stream.hpp"

namespace pgbakd::source {
namespace {

using base::Status;

class Contents final : public codec::ArchiveHandler {
  public:
    Status on_header(const codec::ArchiveHeader& /*header*/) override { return {}; }
    Status on_toc_entry(codec::ArchiveEntry& entry) override {
        if (!entry.has_data || !entry.is("TABLE DATA")) return {};
        // By OID: the names are in the encoding of the dump, which an option may choose.
        const auto id = postgres::table_id(entry.oid.value_or(""));
        if (!id) return base::Error(base::ErrorCode::corrupt, "an archive names no OID for " + entry.qualified_name());
        tables.push_back(*id);
        return {};
    }
    Status on_toc_end() override {
        complete = true;
        return {};
    }
    // Data may come in the same piece as the end of the table of contents.
    Status on_data_begin(std::int32_t /*dump_id*/) override { return {}; }
    Status on_large_object_begin(std::uint32_t /*oid*/) override { return {}; }
    Status on_data(codec::Bytes /*stored*/) override { return {}; }
    Status on_stream_end() override { return {}; }
    Status on_data_end(std::int32_t /*dump_id*/) override { return {}; }

    std::vector<postgres::TableId> tables;
    bool complete = false;
};

asio::awaitable<void> read_contents(Stream& stream, Contents& contents, async::StopToken stop) {
    codec::ArchiveReader reader(codec::ArchiveForm::custom, contents);
    std::vector<std::byte> buffer(std::size_t{64} << 10U);
    while (!contents.complete) {
        const auto count = co_await stream.read(buffer, stop);
        if (count == 0) break;
        reader.write(std::span(buffer).first(count)).value();
    }
    if (contents.complete) co_return;
    // Whoever failed says so first.
    co_await stream.finish(stop);
    reader.finish().value();
}

}  // namespace

asio::awaitable<std::vector<postgres::TableId>> tables_with_data(asio::any_io_executor executor, os::Command command,
                                                                 std::string what, model::ClientSpec client,
                                                                 async::StopToken stop) {
    const auto stream = open_program_stream(std::move(executor), command, std::move(what), std::move(client));
    Contents contents;
    std::exception_ptr failure;
    try {
        co_await read_contents(*stream, contents, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await stream->abort();
    if (failure) std::rethrow_exception(failure);
    co_return std::move(contents.tables);
}

}  // namespace pgbakd::source
