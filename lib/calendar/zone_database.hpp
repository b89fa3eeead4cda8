// Where zones come from: a directory of TZif files (/usr/share/zoneinfo), each read once and kept.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/zone.hpp"

namespace pgbakd::calendar {

// What says which zone a host is in.
struct HostZoneSources {
    std::optional<std::string> tz;  // $TZ
    std::filesystem::path localtime = "/etc/localtime";
    std::filesystem::path timezone = "/etc/timezone";
    std::filesystem::path zoneinfo = "/usr/share/zoneinfo";
};

class ZoneDatabase {
  public:
    explicit ZoneDatabase(std::filesystem::path directory = host_directory());

    // $TZDIR if it is an absolute path, as for glibc (tzset(3)), else /usr/share/zoneinfo.
    [[nodiscard]] static std::filesystem::path host_directory();

    // The zone of that IANA name ("Europe/Berlin", "UTC"). Errors: not_found (with the nearest name as hint),
    // invalid_argument (absolute, "..", control characters, over 255 bytes), corrupt, unsupported, io_failed. Files
    // over 1 MiB are refused.
    [[nodiscard]] base::Result<ZonePtr> find(std::string_view name);
    // Forgets what it read, so that the next find() reads again; zones handed out stay as they are.
    void forget();
    // The names this directory offers, sorted (for hints and for tests that go through all zones).
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

    // The host's zone by name: $TZ if it names one, else where /etc/localtime points below a zoneinfo directory, else
    // /etc/timezone, else "UTC". Never fails.
    [[nodiscard]] static std::string host_zone_name();
    [[nodiscard]] static std::string host_zone_name(const HostZoneSources& sources);

  private:
    std::filesystem::path directory_;
    std::map<std::string, ZonePtr, std::less<>> zones_;
};

}  // namespace pgbakd::calendar
