#include "holdings/identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

namespace pgbakd::holdings {
namespace {

Identity another(const std::filesystem::path& directory, const std::optional<std::string>& id) {
    const std::string_view which = id ? "is another one than" : "has no id, and is not";
    return {Whose::another, fmt::format("{} {} what the state file is about", directory.native(), which),
            fmt::format("is its file system mounted (findmnt --target {})? if this is what the state file is to be "
                        "about from now on: pgbakctl rescan",
                        directory.native())};
}

bool belong_together(const repository::Repository& repository, catalog::Catalog& catalog) {
    if (knows_nothing(catalog)) return true;
    std::set<model::SetId> here;
    bool known = false;
    for (const auto& set : repository.sets()) {
        here.insert(set.manifest.id);
        known = known || (!set.manifest.run.empty() && catalog.run(set.manifest.run).has_value());
    }
    const auto owed = catalog.owed_copies();
    return known && std::all_of(owed.begin(), owed.end(), [&here](const auto& copy) { return here.contains(copy.id); });
}

}  // namespace

Identity identify(const repository::Repository& repository, catalog::Catalog& catalog) {
    const auto known = catalog.repository_id();
    if (!known) return {};
    const auto top = repository.identity();
    if (top != known) return another(repository.directory(), top);
    return {Whose::ours, {}, {}};
}

Identity identify(const repository::Repository& repository, catalog::Catalog& catalog, const std::string& job) {
    auto whole = identify(repository, catalog);
    if (whole.whose != Whose::ours || !repository.has_directory(job)) return whole;
    const auto part = repository.identity(job);
    if (!part) return {};  // a mount point, perhaps, on which nothing is mounted
    if (part != catalog.repository_id()) return another(repository.directory() / job, part);
    return whole;
}

std::string new_identity(base::Timestamp now, const std::function<std::uint64_t()>& random) {
    std::array<std::byte, 10> bytes{};
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const auto number = random();
        bytes.at(i) = static_cast<std::byte>(number & 0xffU);
        bytes.at(i + 1) = static_cast<std::byte>(number >> 8U & 0xffU);
    }
    return base::RunId::make(now, bytes).text();
}

bool knows_nothing(catalog::Catalog& catalog) {
    return catalog.count_runs({}) == 0 && catalog.copies().empty() && catalog.set_states().empty();
}

void become_acquainted(const repository::Repository& repository, catalog::Catalog& catalog, const std::string& fresh) {
    if (catalog.repository_id() || !belong_together(repository, catalog)) return;
    take_over(repository, catalog, fresh);
}

void take_over(const repository::Repository& repository, catalog::Catalog& catalog, const std::string& fresh) {
    auto id = repository.identity();
    if (!id) id = catalog.repository_id();
    if (!id) id = fresh;
    // First the repository: a catalog that knows an id which was never written would hold all that is owed.
    repository.set_identity(*id);
    if (catalog.repository_id() != id) catalog.put_repository_id(*id);
}

}  // namespace pgbakd::holdings
