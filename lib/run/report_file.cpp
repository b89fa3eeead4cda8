#include "run/report_file.hpp"

#include "os/file.hpp"

namespace pgbakd::run {
namespace {

constexpr std::chrono::minutes unfinished_age{1};

}  // namespace

std::filesystem::path write_report(const std::filesystem::path& directory, const model::RunReport& report,
                                   const std::string& set_name) {
    os::make_directories(directory);
    auto path = directory / (report.job + "_" + set_name + ".json");
    // Two runs of a job may begin in one second (the second one refused): neither report replaces the other.
    if (os::file_status(path)) path = directory / (report.job + "_" + set_name + "_" + report.run.text() + ".json");
    os::replace_file(path, model::to_report(report));
    return path;
}

void sweep_reports(const std::filesystem::path& directory, base::Timestamp now) {
    if (!os::file_status(directory)) return;
    const auto latest = std::chrono::floor<std::chrono::seconds>(now - unfinished_age).time_since_epoch().count();
    for (const auto& name : os::list_directory(directory)) {
        // The names that os::replace_file gives to what it has not finished.
        if (!name.starts_with('.') || name.find(".json.") == std::string::npos || !name.ends_with(".new")) continue;
        const auto status = os::file_status(directory / name);
        if (status && status->is_regular && status->modified_seconds <= latest) os::remove_file(directory / name);
    }
}

}  // namespace pgbakd::run
