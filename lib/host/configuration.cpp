#include "host/configuration.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "os/file.hpp"

namespace pgbakd::host {
namespace {

constexpr std::size_t largest_file = std::size_t{4} << 20U;
constexpr std::size_t most_files = 1000;

std::vector<std::filesystem::path> fragments(const std::filesystem::path& file) {
    auto directory = file;
    directory.replace_extension(".d");
    std::vector<std::filesystem::path> paths;
    std::error_code ignored;  // no directory: no fragments; one that cannot be read is found below
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
        const auto& path = entry.path();
        if (path.extension() == ".yaml" && !path.filename().string().starts_with(".")) paths.push_back(path);
        if (paths.size() > most_files) break;
    }
    if (ignored && ignored != std::errc::no_such_file_or_directory)
        throw base::error_from_errno(ignored.value(), "reading the directory " + directory.string());
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace

config::LoadResult load_configuration(const std::filesystem::path& file, calendar::ZoneDatabase& zones,
                                      base::Instant now) {
    std::vector<config::Document> documents;
    config::LoadResult unreadable;
    const auto add = [&](const std::filesystem::path& path) {
        try {
            config::Document document;
            document.file = path.string();
            document.text = os::read_file(path, largest_file);
            const auto status = os::target_status(path);
            document.readable_by_others = !status || (status->mode & (S_IRWXG | S_IRWXO)) != 0;
            documents.push_back(std::move(document));
        } catch (const base::Error& error) {
            unreadable.problems.push_back(
                {config::Problem::Severity::error, path.string(), 0, 0, {}, error.message(), error.hint()});
        }
    };
    add(file);
    try {
        for (const auto& path : fragments(file)) add(path);
    } catch (const base::Error& error) {
        unreadable.problems.push_back(
            {config::Problem::Severity::error, file.string(), 0, 0, {}, error.message(), error.hint()});
    }
    if (!unreadable.problems.empty()) return unreadable;
    const config::Host host{[&zones](std::string_view name) { return zones.find(name); },
                            calendar::ZoneDatabase::host_zone_name(), now};
    return config::load(documents, host);
}

}  // namespace pgbakd::host
