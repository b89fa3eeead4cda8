#include "codec/tar_writer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <new>
#include <optional>

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

struct FreeArchive {
    void operator()(archive* handle) const noexcept { archive_write_free(handle); }
};
struct FreeEntry {
    void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};

}  // namespace

struct TarWriter::State {
    explicit State(Sink& sink) : out(&sink), handle(archive_write_new()), entry(archive_entry_new()) {
        if (!handle || !entry) throw std::bad_alloc();
        // "Restricted" pax: extended headers only for what ustar cannot say (long paths, sizes above 8 GiB).
        archive_write_set_format_pax_restricted(handle.get());
        archive_write_add_filter_none(handle.get());
        // No tape records: the stream ends right after the two zero blocks, so that a cut anywhere can be found.
        archive_write_set_bytes_per_block(handle.get(), 0);
        archive_write_set_bytes_in_last_block(handle.get(), 1);
        if (archive_write_open2(handle.get(), this, nullptr, &State::take, nullptr, nullptr) != ARCHIVE_OK)
            throw std::bad_alloc();
    }

    // libarchive is never told of a refusal: a writer in its failed state does not free what it holds (seen in 3.6.2).
    // The refusal is kept, nothing more is written, and each operation looks for it.
    static la_ssize_t take(archive* /*handle*/, void* self, const void* bytes, std::size_t size) {
        auto& state = *static_cast<State*>(self);
        if (state.abandoned) return -1;
        if (!state.failure)
            if (const auto status = state.out->write({static_cast<const std::byte*>(bytes), size}); !status)
                state.failure = status.error();
        return static_cast<la_ssize_t>(size);
    }

    // The outcome of a call to libarchive: what the sink said, when it was the sink; else what libarchive says.
    [[nodiscard]] Status outcome(bool success, std::string_view activity) const {
        if (failure) return *failure;
        if (success) return {};
        const char* reason = archive_error_string(handle.get());
        return Error(ErrorCode::internal,
                     fmt::format("{}: {}", activity, reason != nullptr ? reason : "libarchive failed"));
    }

    Sink* out;
    bool abandoned = false;
    std::optional<Error> failure;
    std::string path;
    std::uint64_t missing = 0;  // bytes of the current file still to come
    std::unique_ptr<archive, FreeArchive> handle;
    std::unique_ptr<archive_entry, FreeEntry> entry;
};

TarWriter::TarWriter(Sink& out) : state_(std::make_unique<State>(out)) {}

TarWriter::~TarWriter() {
    // Freeing an unfinished archive fills up its last file with zeros and writes the end marks. None of it may reach a
    // sink that may be gone, and a refusal now ends it at once, however large the file was to be.
    if (state_) state_->abandoned = true;
}

Status TarWriter::begin_file(const std::string& path, std::uint64_t size, base::Timestamp modified) {
    State& state = *state_;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(modified);
    archive_entry* entry = archive_entry_clear(state.entry.get());
    archive_entry_set_pathname(entry, path.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, static_cast<la_int64_t>(size));
    archive_entry_set_mtime(entry, static_cast<time_t>(seconds.time_since_epoch().count()), 0);
    state.path = path;
    state.missing = size;
    const bool written = archive_write_header(state.handle.get(), entry) >= ARCHIVE_WARN;
    return state.outcome(written, "writing the tar header of " + path);
}

Status TarWriter::write(Bytes bytes) {
    State& state = *state_;
    if (bytes.size() > state.missing)
        return Error(ErrorCode::conflict, fmt::format("{} grew while it was read", state.path));
    while (!bytes.empty()) {
        const auto written = archive_write_data(state.handle.get(), bytes.data(), bytes.size());
        if (auto status = state.outcome(written > 0, "writing " + state.path + " to the tar"); !status) return status;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        state.missing -= static_cast<std::uint64_t>(written);
    }
    return {};
}

Status TarWriter::end_file() {
    State& state = *state_;
    if (state.missing > 0)
        return Error(ErrorCode::conflict,
                     fmt::format("{} shrank while it was read: {} bytes are missing", state.path, state.missing));
    const bool ended = archive_write_finish_entry(state.handle.get()) >= ARCHIVE_WARN;
    return state.outcome(ended, "ending " + state.path + " in the tar");
}

Status TarWriter::finish() {
    State& state = *state_;
    const bool closed = archive_write_close(state.handle.get()) >= ARCHIVE_WARN;
    if (auto status = state.outcome(closed, "ending the tar"); !status) return status;
    return state.out->finish();
}

}  // namespace pgbakd::codec
