#include "holdings/gaps.hpp"

#include "holdings/identity.hpp"
#include "unit/repository/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;

TEST_CASE("the newest set of each job tells whether an old state file was put back, but for one that is ahead") {
    struct Row {
        std::vector<std::string> sets;  // of "shop"
        bool gap;
    };
    for (const auto& row : {Row{{}, false}, Row{{"2026-01-10T00:00:00Z"}, false},  // known
                            Row{{"2026-01-10T00:00:00Z", "2026-01-12T00:00:00Z"}, true},
                            Row{{"2026-01-12T00:00:00Z", "2029-01-01T00:00:00Z"}, true}}) {
        CAPTURE(row.sets);
        Place place;
        const support::TemporaryDirectory directory;
        const auto catalog = catalog::Catalog::open(directory / "state.db", at("2026-01-01T00:00:00Z"));
        const auto known = add_set(place.repository, "shop", "2026-01-10T00:00:00Z");
        (void)catalog->add_runs({place.repository.find(known).manifest});
        catalog->put_asked("shop", "nas");
        for (const auto& set : row.sets)
            if (set != "2026-01-10T00:00:00Z") add_set(place.repository, "shop", set);
        holdings::notice_gaps(place.repository, *catalog, {"shop", "mail"}, today);
        CHECK(catalog->unasked_before("shop", "nas").has_value() == row.gap);
    }
}

TEST_CASE("a repository that is not the catalog's tells nothing of what it has missed") {
    Place place;
    const support::TemporaryDirectory directory;
    const auto catalog = catalog::Catalog::open(directory / "state.db", at("2026-01-01T00:00:00Z"));
    catalog->put_repository_id("ANOTHER");
    catalog->put_asked("shop", "nas");
    add_set(place.repository, "shop", "2026-01-10T00:00:00Z");
    holdings::notice_gaps(place.repository, *catalog, {"shop"}, today);
    CHECK_FALSE(catalog->unasked_before("shop", "nas"));
}
