#include "source/unpack.hpp"

#include "source/database_commands.hpp"

namespace pgbakd::source {

std::string print_command(const std::string& file) {
    const auto word = shell_word(file);
    if (file.ends_with(".gz")) return "gunzip --stdout " + word;
    if (file.ends_with(".zst")) return "zstd --decompress --stdout " + word;
    return "cat " + word;
}

std::string unpack_command(const std::string& file) {
    const auto word = shell_word(file);
    if (file.ends_with(".gz")) return "gunzip --keep " + word;
    if (file.ends_with(".zst")) return "zstd --decompress " + word;
    return {};
}

}  // namespace pgbakd::source
