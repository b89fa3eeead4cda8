#include "services.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace contract {

Services& Services::get() {
    static Services only;
    return only;
}

Services::Services() : script_("alert_services.py", directory_.path()) {}

void Services::behave(const std::string& how) const {
    const auto path = directory_ / "behaviour";
    std::ofstream(path.native() + ".new") << how;
    std::filesystem::rename(path.native() + ".new", path);
}

std::vector<std::string> Services::taken() {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "taken"))
        if (entry.path().extension() != ".new") paths.push_back(entry.path());
    std::ranges::sort(paths);
    std::vector<std::string> messages;
    for (const auto& path : paths) {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        messages.push_back(text.str());
        std::filesystem::remove(path);
    }
    return messages;
}

}  // namespace contract
