#include "hung_mount.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

namespace contract {
namespace {

struct Gate {
    std::atomic<bool> closed{false};  // a look at it costs every other call nothing
    std::mutex mutex;
    std::condition_variable opened;
    HungMount::Call call{};
    std::string path;
    std::function<void()> when_hung;

    void pass(HungMount::Call called, const std::string& at) {
        std::unique_lock lock(mutex);
        if (!closed || called != call || !at.starts_with(path)) return;
        if (when_hung) when_hung();
        opened.wait(lock, [this] { return !closed; });
    }
    void pass(HungMount::Call called, int file, const std::string& below = {}) {
        std::array<char, 4096> path_of{};
        const auto length = ::readlink(fmt::format("/proc/self/fd/{}", file).c_str(), path_of.data(), path_of.size());
        if (length > 0) pass(called, std::string(path_of.data(), static_cast<std::size_t>(length)) + below);
    }
};

Gate& gate() {
    static Gate only;
    return only;
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

HungMount::HungMount(std::filesystem::path path) {
    gate().path = path.native();
}

HungMount::~HungMount() {
    come_back();
    gate().when_hung = {};
}

void HungMount::hang(Call call) {
    const std::lock_guard lock(gate().mutex);
    gate().call = call;
    gate().closed = true;
}

void HungMount::when_hung(std::function<void()> call) {
    const std::lock_guard lock(gate().mutex);
    gate().when_hung = std::move(call);
}

void HungMount::come_back() {
    const std::lock_guard lock(gate().mutex);
    gate().closed = false;
    gate().opened.notify_all();
}

}  // namespace contract

// In place of the C library's, for all of this program.
extern "C" {

ssize_t write(int file, const void* bytes, size_t count) {
    static auto* const real = contract::next<ssize_t(int, const void*, size_t)>("write");
    if (contract::gate().closed) contract::gate().pass(contract::HungMount::Call::write, file);
    return real(file, bytes, count);
}

int fsync(int file) {
    static auto* const real = contract::next<int(int)>("fsync");
    if (contract::gate().closed) contract::gate().pass(contract::HungMount::Call::flush, file);
    return real(file);
}

int fstatat(int directory, const char* path, struct stat* found, int flags) {
    static auto* const real = contract::next<int(int, const char*, struct stat*, int)>("fstatat");
    if (contract::gate().closed && directory == AT_FDCWD)
        contract::gate().pass(contract::HungMount::Call::look, path);
    else if (contract::gate().closed)
        contract::gate().pass(contract::HungMount::Call::look, directory, "/" + std::string(path));
    return real(directory, path, found, flags);
}

}  // extern "C"
