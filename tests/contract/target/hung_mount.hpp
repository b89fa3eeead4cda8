// A directory of this host that behaves as a hard mount whose server is away: what is called there does not return.
#pragma once

#include <filesystem>
#include <functional>

namespace contract {

// One at a time. The calls are caught in this program's own write(), fsync() and fstatat().
class HungMount {
  public:
    enum class Call { write, flush, look };

    explicit HungMount(std::filesystem::path path);
    HungMount(const HungMount&) = delete;
    HungMount& operator=(const HungMount&) = delete;
    ~HungMount();  // comes back

    // From now on such calls hang.
    void hang(Call call);
    // Called by the thread that hangs, when it begins to.
    void when_hung(std::function<void()> call);
    void come_back();
};

}  // namespace contract
