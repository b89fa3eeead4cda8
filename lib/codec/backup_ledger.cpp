#include "codec/backup_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::size_t block = std::size_t{64} << 10U;

std::string shown(std::string_view path) {
    return base::printable(base::clamp_utf8(path, 512));
}

Error not_in_manifest(std::string_view path) {
    return {ErrorCode::corrupt, fmt::format("the server sent {}, which is not in its backup manifest", shown(path))};
}

// The four bytes of a CRC-32C in the memory of the server, which is little-endian but for a few.
bool is_crc(std::string_view hex, std::uint32_t crc) {
    const auto swapped = ((crc & 0xffU) << 24U) | ((crc & 0xff00U) << 8U) | ((crc >> 8U) & 0xff00U) | (crc >> 24U);
    const auto stated = base::to_lower(hex);
    return stated == fmt::format("{:08x}", swapped) || stated == fmt::format("{:08x}", crc);
}

bool is_wal(std::string_view path) {
    return path.starts_with("pg_wal/");
}

}  // namespace

void BackupLedger::put_number(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7U) buffer_.push_back(static_cast<std::byte>((number & 0x7fU) | 0x80U));
    buffer_.push_back(static_cast<std::byte>(number));
}

void BackupLedger::add(std::string_view path, std::uint64_t size, std::uint32_t crc) {
    const auto common = std::mismatch(path.begin(), path.end(), last_.path.begin(), last_.path.end()).first;
    const auto shared = static_cast<std::size_t>(common - path.begin());
    put_number(shared);
    put_number(path.size() - shared);
    for (const char c : path.substr(shared)) buffer_.push_back(static_cast<std::byte>(c));
    put_number(size);
    for (unsigned shift = 0; shift < 32; shift += 8) buffer_.push_back(static_cast<std::byte>((crc >> shift) & 0xffU));
    last_.path = path;
    ++files_;
    if (buffer_.size() >= block) flush();
}

void BackupLedger::flush() {
    store_->write(buffer_);
    buffer_.clear();
}

bool BackupLedger::fill() {
    buffer_.resize(block);
    buffer_.resize(store_->read(buffer_));
    used_ = 0;
    return !buffer_.empty();
}

std::byte BackupLedger::take() {
    if (used_ == buffer_.size() && !fill())
        throw Error(ErrorCode::internal, "the list of the backup's files ended inside an entry");
    return buffer_[used_++];
}

std::uint64_t BackupLedger::take_number() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const auto byte = static_cast<std::uint64_t>(take());
        number |= (byte & 0x7fU) << shift;
        if ((byte & 0x80U) == 0) break;
    }
    return number;
}

// Reads a record into last_; false at the end.
bool BackupLedger::next() {
    if (!reading_) {
        flush();
        reading_ = true;
        last_.path.clear();
    }
    if (used_ == buffer_.size() && !fill()) return false;
    last_.path.resize(take_number());
    for (auto more = take_number(); more > 0; --more) last_.path += static_cast<char>(take());
    last_.size = take_number();
    last_.crc = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) last_.crc |= static_cast<std::uint32_t>(take()) << shift;
    return true;
}

Status BackupLedger::compare(const ManifestFile& file) {
    const auto missing = [&file] {
        return Error(ErrorCode::corrupt,
                     fmt::format("{} is in the backup manifest, but the server did not send it", shown(file.path)));
    };
    // Of pg_wal the manifest need not tell, and pg_verifybackup does not look.
    bool there = next();
    while (there && last_.path != file.path && is_wal(last_.path)) there = next();
    if (!there) return missing();
    if (last_.path != file.path) {
        const auto surplus = last_.path;
        while (next())
            if (last_.path == file.path) return not_in_manifest(surplus);
        return missing();
    }
    if (last_.size != file.size)
        return Error(ErrorCode::corrupt, fmt::format("{} has {} bytes, and {} in the backup manifest", shown(file.path),
                                                     last_.size, file.size));
    if (file.algorithm != "CRC32C")
        return Error(ErrorCode::unsupported,
                     fmt::format("{} has a checksum of the kind \"{}\" in the backup manifest, and not CRC32C",
                                 shown(file.path), shown(file.algorithm)));
    if (!is_crc(file.checksum, last_.crc))
        return Error(ErrorCode::corrupt,
                     fmt::format("{} has another checksum than the backup manifest says", shown(file.path)));
    return {};
}

Status BackupLedger::finish() {
    while (next())
        if (!is_wal(last_.path)) return not_in_manifest(last_.path);
    return {};
}

}  // namespace pgbakd::codec
