// Waiting for what another process does, of which nothing tells when: asked again and again, ever more slowly, up to a
// deadline. The one place where tests sleep.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace support {

// What `condition` gave in the end: something true, or what it gave when `patience` was over.
template <class Condition>
auto wait_for(Condition condition, std::chrono::milliseconds patience = std::chrono::seconds(120)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    auto pause = std::chrono::milliseconds(2);
    for (;;) {
        auto found = condition();
        if (found || std::chrono::steady_clock::now() >= deadline) return found;
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds(100));
    }
}

}  // namespace support
