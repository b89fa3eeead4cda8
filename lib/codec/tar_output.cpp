#include "codec/tar_output.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/types.h>

#include <new>

namespace pgbakd::codec {

using base::Error;
using base::ErrorCode;
using base::Status;

void TarOutput::FreeArchive::operator()(archive* handle) const noexcept {
    archive_write_free(handle);
}

void TarOutput::FreeEntry::operator()(archive_entry* entry) const noexcept {
    archive_entry_free(entry);
}

TarOutput::TarOutput(Sink& out, Dialect dialect)
    : out_(&out), handle_(archive_write_new()), entry_(archive_entry_new()) {
    if (!handle_ || !entry_) throw std::bad_alloc();
    archive* handle = handle_.get();
    switch (dialect) {
        case Dialect::plain: archive_write_set_format_pax_restricted(handle); break;
        case Dialect::full:
            archive_write_set_format_pax(handle);
            // Without this, names go through the locale of the process.
            archive_write_set_format_option(handle, "pax", "hdrcharset", "BINARY");
            // The one that GNU tar reads, and not libarchive's own beside it.
            archive_write_set_format_option(handle, "pax", "xattrheader", "SCHILY");
            break;
    }
    archive_write_add_filter_none(handle);
    // No tape records: the stream ends right after the two zero blocks, so that a cut anywhere can be found. And what
    // libarchive is given it hands on at once.
    archive_write_set_bytes_per_block(handle, 0);
    archive_write_set_bytes_in_last_block(handle, 1);
    // libarchive is never told of a refusal: a writer in its failed state does not free what it holds (seen in 3.6.2).
    // The refusal is kept, nothing more is written, and each operation looks for it.
    const auto take = [](archive* /*handle*/, void* self, const void* bytes, std::size_t size) -> la_ssize_t {
        auto& output = *static_cast<TarOutput*>(self);
        if (output.abandoned_) return -1;
        (void)output.pass({static_cast<const std::byte*>(bytes), size});
        return static_cast<la_ssize_t>(size);
    };
    if (archive_write_open2(handle, this, nullptr, take, nullptr, nullptr) != ARCHIVE_OK) throw std::bad_alloc();
}

TarOutput::~TarOutput() {
    // Freeing an unfinished archive fills up its last file with zeros and writes the end marks. None of it may reach a
    // sink that may be gone, and a refusal now ends it at once, however large the file was to be.
    abandoned_ = true;
}

Status TarOutput::pass(Bytes bytes) {
    if (captured_ != nullptr) {
        captured_->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return {};
    }
    if (!failure_)
        if (const auto status = out_->write(bytes); !status) failure_ = status.error();
    if (failure_) return *failure_;
    return {};
}

// The outcome of a call to libarchive: what the sink said, when it was the sink; else what libarchive says.
Status TarOutput::outcome(bool success, std::string_view activity) const {
    if (failure_) return *failure_;
    if (success) return {};
    const char* reason = archive_error_string(handle_.get());
    return Error(ErrorCode::internal,
                 fmt::format("{}: {}", activity, reason != nullptr ? reason : "libarchive failed"));
}

archive_entry* TarOutput::new_entry() {
    return archive_entry_clear(entry_.get());
}

Status TarOutput::write_header(const std::string& path) {
    const bool written = archive_write_header(handle_.get(), entry_.get()) >= ARCHIVE_WARN;
    return outcome(written, "writing the tar header of " + path);
}

base::Result<std::string> TarOutput::format_header(const std::string& path) {
    std::string blocks;
    captured_ = &blocks;
    const auto status = write_header(path);
    captured_ = nullptr;
    if (!status) return status.error();
    return blocks;
}

Status TarOutput::write_raw(std::string_view bytes) {
    return pass({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
}

Status TarOutput::write(Bytes bytes, const std::string& path) {
    while (!bytes.empty()) {
        const auto written = archive_write_data(handle_.get(), bytes.data(), bytes.size());
        if (auto status = outcome(written > 0, "writing " + path + " to the tar"); !status) return status;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Status TarOutput::end_member(const std::string& path) {
    const bool ended = archive_write_finish_entry(handle_.get()) >= ARCHIVE_WARN;
    return outcome(ended, "ending " + path + " in the tar");
}

Status TarOutput::finish() {
    const bool closed = archive_write_close(handle_.get()) >= ARCHIVE_WARN;
    if (auto status = outcome(closed, "ending the tar"); !status) return status;
    return out_->finish();
}

}  // namespace pgbakd::codec
