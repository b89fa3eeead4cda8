#include "codec/tar_writer.hpp"

#include <archive_entry.h>
#include <fmt/format.h>

namespace pgbakd::codec {

using base::Error;
using base::ErrorCode;
using base::Status;

Status TarWriter::begin_file(const std::string& path, std::uint64_t size, base::Timestamp modified) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(modified);
    archive_entry* entry = output_.new_entry();
    archive_entry_set_pathname(entry, path.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, static_cast<la_int64_t>(size));
    archive_entry_set_mtime(entry, static_cast<time_t>(seconds.time_since_epoch().count()), 0);
    path_ = path;
    missing_ = size;
    return output_.write_header(path);
}

Status TarWriter::write(Bytes bytes) {
    if (bytes.size() > missing_) return Error(ErrorCode::conflict, fmt::format("{} grew while it was read", path_));
    if (auto status = output_.write(bytes, path_); !status) return status;
    missing_ -= bytes.size();
    return {};
}

Status TarWriter::end_file() {
    if (missing_ > 0)
        return Error(ErrorCode::conflict,
                     fmt::format("{} shrank while it was read: {} bytes are missing", path_, missing_));
    return output_.end_member(path_);
}

}  // namespace pgbakd::codec
