// Which keys there are: those that every kind of target can hold.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace pgbakd::target {

// S3 has room for 1,024 bytes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html); the rest is for
// the target's own prefix.
inline constexpr std::size_t key_bytes = 768;
// NAME_MAX of Linux's file systems.
inline constexpr std::size_t segment_bytes = 255;
// Where targets that need one keep uploads until they are finished: never listed, and no key of anybody's.
inline constexpr std::string_view uploads_folder = ".pgbakd-uploads";

// A key is 1 to 768 bytes of UTF-8 without control characters: segments of 1 to 255 bytes, with one "/" between any
// two. No segment is "." or "..", the first is not uploads_folder. Case matters, and nothing is normalised. Error:
// invalid_argument.
[[nodiscard]] base::Status check_key(std::string_view key);
// Empty, or a key and a "/".
[[nodiscard]] base::Status check_prefix(std::string_view prefix);

// A name for an unfinished upload in the uploads_folder: 128 random bits.
[[nodiscard]] std::string upload_name();

}  // namespace pgbakd::target
