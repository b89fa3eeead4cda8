#include "run/report_file.hpp"

#include "os/file.hpp"

namespace pgbakd::run {

std::filesystem::path write_report(const std::filesystem::path& directory, const model::RunReport& report,
                                   const std::string& set_name) {
    os::make_directories(directory);
    auto path = directory / (report.job + "_" + set_name + ".json");
    // Two runs of a job may begin in one second (the second one refused): neither report replaces the other.
    if (os::file_status(path)) path = directory / (report.job + "_" + set_name + "_" + report.run.text() + ".json");
    os::replace_file(path, model::to_report(report));
    return path;
}

}  // namespace pgbakd::run
