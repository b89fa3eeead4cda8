// What the tests of lib/offsite share: a reactor, a pool, a target in memory, and files and sets to send there.
#pragma once

#include <unistd.h>

#include "async/pool.hpp"
#include "offsite/growing_file.hpp"
#include "offsite/keys.hpp"
#include "offsite/send_set.hpp"
#include "support/common.hpp"
#include "support/memory_target.hpp"
#include "support/noise.hpp"
#include "support/nouns.hpp"
#include "unit/repository/support.hpp"

namespace pgbakd::testing {

class Bench {
  public:
    asio::io_context io;
    async::Pool pool{2, 0};
    support::MemoryTarget target;

    template <class T>
    T run(asio::awaitable<T> task) {
        std::exception_ptr failure;
        io.restart();
        if constexpr (std::is_void_v<T>) {
            asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& thrown) { failure = thrown; });
            io.run();
            if (failure) std::rethrow_exception(failure);
        } else {
            std::optional<T> result;
            asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& thrown, T value) {
                failure = thrown;
                if (!thrown) result.emplace(std::move(value));
            });
            io.run();
            if (failure) std::rethrow_exception(failure);
            return std::move(*result);
        }
    }
    [[nodiscard]] offsite::Means means() {
        return {target, pool, [this] { return random_ += 0x9E3779B97F4A7C15U; }};
    }

    // --- files ---
    support::TemporaryDirectory directory;
    std::filesystem::path file(const std::string& name, const std::string& content) {
        write(directory / name, content);
        return directory / name;
    }
    std::shared_ptr<offsite::GrowingFile> growing(const std::string& name, const std::string& content) {
        return std::make_shared<offsite::GrowingFile>(io.get_executor(), file(name, content));
    }
    std::shared_ptr<offsite::GrowingFile> whole(const std::string& name, const std::string& content) {
        auto result = growing(name, content);
        result->complete(content.size());
        return result;
    }

    // --- sets ---
    Place place;
    model::SetId add_set(std::string_view started_at, const std::string& job = "shop") {
        return testing::add_set(place.repository, job, started_at);
    }
    // What a target is to hold of a set: by key, the content.
    [[nodiscard]] std::map<std::string, std::string> objects_of(const model::SetId& id) const {
        std::map<std::string, std::string> objects;
        for (const auto& entry : std::filesystem::directory_iterator(place / id.job / id.set))
            objects[offsite::key_of(id, entry.path().filename().native())] = contents(entry.path());
        return objects;
    }
    [[nodiscard]] std::map<std::string, std::string> objects_there() const {
        std::map<std::string, std::string> objects;
        for (const auto& [key, object] : target.objects) objects[key] = object.content;
        return objects;
    }
    // A copy of it, as if it had been sent.
    void put_there(const model::SetId& id) {
        for (const auto& [key, content] : objects_of(id)) target.add(key, content);
    }
    offsite::Assured send(const model::SetId& id, offsite::Way& way, async::StopToken stop = {}) {
        const auto set = place.repository.find(id);
        return run(offsite::send_set(means(), io.get_executor(), set.directory, set.manifest, way, std::move(stop)));
    }

  private:
    std::uint64_t random_ = 0;
};

// What must hold at any moment, whatever failed: a manifest is there only with all that it names, whole.
inline void check_no_half_set(const Bench& bench, const model::SetId& id) {
    CHECK(bench.target.open_uploads == 0);
    if (!bench.target.objects.contains(offsite::key_of(id, model::manifest_file))) return;
    CHECK(bench.objects_there() == bench.objects_of(id));
}

}  // namespace pgbakd::testing
