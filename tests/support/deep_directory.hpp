// A directory in which nothing can be looked at but what has a name of one letter, whoever asks: any longer name makes
// a path that the kernel does not take (PATH_MAX, 4096 with its end). As on a failing disk, and without root.
#pragma once

#include <filesystem>
#include <string>

namespace support {

inline std::filesystem::path deep_directory(std::filesystem::path path) {
    constexpr std::size_t length = 4093;
    while (length - path.native().size() > 256) path /= std::string(200, 'd');
    path /= std::string(length - path.native().size() - 1, 'd');
    std::filesystem::create_directories(path);
    return path;
}

}  // namespace support
