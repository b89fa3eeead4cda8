#include "target/live_upload.hpp"

#include <functional>
#include <mutex>
#include <set>
#include <utility>

namespace pgbakd::target {
namespace {

// Work that was left behind may outlive all else of the process, and so do these.
struct Live {
    std::mutex mutex;
    std::multiset<std::string, std::less<>> names;

    static Live& get() {
        static auto* const only = new Live;  // NOLINT(cppcoreguidelines-owning-memory)
        return *only;
    }
};

}  // namespace

LiveUpload::LiveUpload(std::string name) : name_(std::move(name)) {
    auto& live = Live::get();
    const std::lock_guard lock(live.mutex);
    live.names.insert(name_);
}

LiveUpload::~LiveUpload() {
    auto& live = Live::get();
    const std::lock_guard lock(live.mutex);
    live.names.erase(live.names.find(name_));
}

bool LiveUpload::is_live(std::string_view name) {
    auto& live = Live::get();
    const std::lock_guard lock(live.mutex);
    return live.names.find(name) != live.names.end();
}

}  // namespace pgbakd::target
