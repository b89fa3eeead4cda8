#include "offsite/local_set.hpp"

#include "offsite/backlog.hpp"
#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;

TEST_CASE("the local set goes when every target has it, and not before") {
    struct Row {
        std::string name;
        model::KeepLocal keep;
        std::vector<std::string> targets;
        std::vector<std::string> copies;  // "r2", "nas owed"
        bool pinned;
        bool dropped;
    };
    using model::KeepLocal;
    for (const auto& row :
         {Row{"all have it", KeepLocal::until_copied, {"r2", "nas"}, {"r2", "nas"}, false, true},
          Row{"one is owed", KeepLocal::until_copied, {"r2", "nas"}, {"r2", "nas owed"}, false, false},
          Row{"one never heard of it", KeepLocal::until_copied, {"r2", "nas"}, {"r2"}, false, false},
          Row{"nobody knows", KeepLocal::until_copied, {"r2"}, {}, false, false},
          Row{"pinned", KeepLocal::until_copied, {"r2"}, {"r2"}, true, false},
          Row{"owed to a former target", KeepLocal::until_copied, {"r2"}, {"r2", "former owed"}, false, false},
          Row{"a former target has it too", KeepLocal::until_copied, {"r2"}, {"r2", "former"}, false, true},
          Row{"only a former one has it", KeepLocal::until_copied, {"r2"}, {"former"}, false, false},
          Row{"it is to be kept", KeepLocal::always, {"r2"}, {"r2"}, false, false},
          Row{"no targets", KeepLocal::until_copied, {}, {"r2"}, false, false}}) {
        CAPTURE(row.name);
        Bench bench;
        const auto catalog = catalog::Catalog::open(bench.directory / "state.db", today);
        const auto id = bench.add_set("2026-01-13T00:00:01Z");
        const auto other = bench.add_set("2026-01-14T00:00:01Z");
        const auto set = bench.place.repository.find(id).manifest;
        for (const auto& text : row.copies) {
            const bool owed = text.ends_with(" owed");
            auto copy = offsite::owed_copy(text.substr(0, text.find(' ')), set, today);
            copy.owed = owed;
            catalog->put_copy(copy);
        }
        catalog->put_set_state({id, model::Verification::decoded, today, false, {}});
        if (row.pinned) bench.place.repository.pin(id, true);
        model::JobSpec job{.name = "shop",
                           .schedule = calendar::Schedule::parse("daily at 02:00").value(),
                           .timezone = "UTC",
                           .zone = calendar::Zone::utc(),
                           .milestones = {},
                           .catch_up = {},
                           .source = {},
                           .compression = {},
                           .targets = row.targets,
                           .keep_local = row.keep,
                           .local_retention = {},
                           .target_retention = {},
                           .retries = {}};
        CHECK(offsite::drop_if_copied(bench.place.repository, *catalog, job, id) == row.dropped);
        CHECK(bench.place.repository.ids() == (row.dropped ? std::vector{other} : std::vector{id, other}));
        CHECK(catalog->set_states().empty() == row.dropped);
        CHECK(catalog->copies_of(id).size() == row.copies.size());  // where it is stays known
    }
}
