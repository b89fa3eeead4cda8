#include "os/children.hpp"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "os/file.hpp"

namespace pgbakd::os {
namespace {

constexpr std::size_t largest_stat = 65536;

std::optional<pid_t> number_in(std::string_view text) {
    pid_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

// proc(5): "PID (NAME) STATE PARENT …". The name may hold anything, ")" too; nothing behind it does.
std::optional<pid_t> parent_in(std::string_view stat) {
    const auto name_end = stat.rfind(')');
    constexpr std::string_view state = ") S ";
    if (name_end == std::string_view::npos || stat.size() < name_end + state.size()) return std::nullopt;
    stat.remove_prefix(name_end + state.size());
    return number_in(stat.substr(0, stat.find(' ')));
}

bool is_child(pid_t pid) {
    try {
        return parent_in(read_file("/proc/" + std::to_string(pid) + "/stat", largest_stat)) == ::getpid();
    } catch (const base::Error&) {
        return false;  // gone since /proc was listed: then it was none of ours, as those wait to be reaped
    }
}

}  // namespace

std::size_t kill_children() {
    std::size_t killed = 0;
    for (const auto& name : list_directory("/proc")) {
        const auto pid = number_in(name);
        if (!pid || !is_child(*pid)) continue;
        // A child that left its group (setsid) is still told itself.
        if (::kill(-*pid, SIGKILL) != 0) (void)::kill(*pid, SIGKILL);
        ++killed;
    }
    return killed;
}

}  // namespace pgbakd::os
