#include "calendar/zone_database.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/text.hpp"

namespace pgbakd::calendar {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_name_bytes = 255;
constexpr std::size_t max_file_bytes = std::size_t{1} << 20U;

// Names of IANA's zones are made of these; no dot, so neither ".." nor "zone.tab".
bool is_zone_name(std::string_view name) {
    if (name.empty() || name.size() > max_name_bytes || name.front() == '/' || name.back() == '/') return false;
    return name.find("//") == std::string_view::npos && std::all_of(name.begin(), name.end(), [](char c) {
               return base::is_letter(c) || base::is_digit(c) || c == '/' || c == '_' || c == '-' || c == '+';
           });
}

// Other readings of the same zones, and the host's own, are not names of a zone.
bool is_other_tree(std::string_view name) {
    return name.starts_with("posix/") || name.starts_with("right/") || name == "posixrules" || name == "localtime";
}

base::Result<std::vector<std::byte>> read_file(const fs::path& path, std::size_t limit) {
    std::ifstream stream(path, std::ios::binary);
    std::vector<char> bytes(limit + 1);
    if (stream) stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!stream.is_open() || stream.bad())
        return base::Error(base::ErrorCode::io_failed, fmt::format("{} cannot be read", path.string()));
    bytes.resize(static_cast<std::size_t>(stream.gcount()));
    if (bytes.size() > limit)
        return base::Error(base::ErrorCode::corrupt, fmt::format("{} is larger than {} bytes", path.string(), limit),
                           "reinstall the package tzdata");
    const auto raw = std::as_bytes(std::span(bytes));
    return std::vector<std::byte>(raw.begin(), raw.end());
}

bool is_zone_file(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return false;
    std::ifstream stream(path, std::ios::binary);
    std::string magic(4, '\0');
    return stream.read(magic.data(), 4) && magic == "TZif";
}

// What stands behind the last "zoneinfo/", without the trees that read the same zones in other ways.
std::optional<std::string> name_below_zoneinfo(std::string_view path) {
    constexpr std::string_view directory = "zoneinfo/";
    const auto found = path.rfind(directory);
    if (found == std::string_view::npos) return std::nullopt;
    auto name = path.substr(found + directory.size());
    for (const std::string_view tree : {"posix/", "right/"})
        if (name.starts_with(tree)) name.remove_prefix(tree.size());
    if (!is_zone_name(name) || is_other_tree(name)) return std::nullopt;
    return std::string(name);
}

}  // namespace

fs::path ZoneDatabase::host_directory() {
    // Read before there is a second thread.
    const char* named = std::getenv("TZDIR");  // NOLINT(concurrency-mt-unsafe)
    return named != nullptr && *named == '/' ? fs::path(named) : fs::path("/usr/share/zoneinfo");
}

ZoneDatabase::ZoneDatabase(fs::path directory) : directory_(std::move(directory)) {}

base::Result<ZonePtr> ZoneDatabase::find(std::string_view name) {
    if (const auto known = zones_.find(name); known != zones_.end()) return known->second;
    const auto shown = base::printable(base::clamp_utf8(name, 80));
    if (!is_zone_name(name))
        return base::Error(base::ErrorCode::invalid_argument,
                           fmt::format("\"{}\" is not the name of a time zone", shown),
                           "use an IANA name such as Europe/Berlin or UTC");
    const auto path = directory_ / fs::path(name);
    if (is_other_tree(name) || !is_zone_file(path)) {
        const auto nearest = base::closest(name, names());
        std::error_code error;
        const auto hint = nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                          : fs::is_directory(directory_, error)
                              ? "timedatectl list-timezones lists the names"
                              : fmt::format("install the package tzdata: there is no {}", directory_.string());
        return base::Error(base::ErrorCode::not_found, fmt::format("there is no time zone \"{}\"", shown), hint);
    }
    const auto bytes = read_file(path, max_file_bytes);
    if (!bytes) return bytes.error();
    auto zone = Zone::parse(std::string(name), *bytes);
    if (zone) zones_.emplace(name, *zone);
    return zone;
}

void ZoneDatabase::forget() {
    zones_.clear();
}

std::vector<std::string> ZoneDatabase::names() const {
    std::vector<std::string> result;
    std::error_code error;
    constexpr auto options = fs::directory_options::skip_permission_denied;
    for (auto entry = fs::recursive_directory_iterator(directory_, options, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        const auto name = entry->path().lexically_relative(directory_).generic_string();
        if (is_other_tree(name + "/"))
            entry.disable_recursion_pending();
        else if (is_zone_name(name) && !is_other_tree(name) && is_zone_file(entry->path()))
            result.push_back(name);
    }
    std::sort(result.begin(), result.end());
    return result;
}

std::string ZoneDatabase::host_zone_name() {
    HostZoneSources sources;
    sources.zoneinfo = host_directory();
    // Read once, before there is a second thread.
    if (const char* tz = std::getenv("TZ")) sources.tz = tz;  // NOLINT(concurrency-mt-unsafe)
    return host_zone_name(sources);
}

std::string ZoneDatabase::host_zone_name(const HostZoneSources& sources) {
    const auto exists = [&sources](std::string_view name) {
        return is_zone_name(name) && !is_other_tree(name) && is_zone_file(sources.zoneinfo / fs::path(name));
    };
    if (sources.tz) {
        std::string_view tz = *sources.tz;
        if (tz.starts_with(':')) tz.remove_prefix(1);
        const auto below = tz.starts_with('/') ? name_below_zoneinfo(tz) : std::optional<std::string>(tz);
        if (below && exists(*below)) return *below;
    }
    std::error_code error;
    const auto target = fs::read_symlink(sources.localtime, error);
    if (!error)
        if (const auto name = name_below_zoneinfo(target.generic_string()); name && exists(*name)) return *name;
    if (const auto bytes = read_file(sources.timezone, 1024)) {
        const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        const auto name = base::trim(text.substr(0, text.find('\n')));
        if (exists(name)) return std::string(name);
    }
    return "UTC";
}

}  // namespace pgbakd::calendar
