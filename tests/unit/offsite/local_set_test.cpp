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
          Row{"found corrupt on one", KeepLocal::until_copied, {"r2", "nas"}, {"r2", "nas corrupt"}, false, false},
          Row{"another host's on one", KeepLocal::until_copied, {"r2", "nas"}, {"r2", "nas foreign"}, false, false},
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
            if (text.ends_with(" corrupt")) copy.verified = model::Verification::none;
            if (text.ends_with(" foreign")) copy.host = "db2";
            catalog->put_copy(copy);
        }
        catalog->put_set_state({id, model::Verification::decoded, today, false, {}});
        if (row.pinned) bench.place.repository.pin(id, true);
        const auto job = job_spec("shop", row.targets, row.keep);
        CHECK(offsite::drop_if_copied(bench.place.repository, *catalog, job, id) == row.dropped);
        CHECK(bench.place.repository.ids() == (row.dropped ? std::vector{other} : std::vector{id, other}));
        CHECK(catalog->set_states().empty() == row.dropped);
        CHECK(catalog->copies_of(id).size() == row.copies.size());  // where it is stays known
        if (row.dropped) CHECK_FALSE(offsite::drop_if_copied(bench.place.repository, *catalog, job, id));
    }
}

TEST_CASE("a local set that was found corrupt stays, whoever has a copy of it") {
    Bench bench;
    const auto catalog = catalog::Catalog::open(bench.directory / "state.db", today);
    const auto id = bench.add_set("2026-01-13T00:00:01Z");
    auto copy = offsite::owed_copy("r2", bench.place.repository.find(id).manifest, today);
    copy.owed = false;
    catalog->put_copy(copy);
    const auto job = job_spec("shop", {"r2"}, model::KeepLocal::until_copied);
    SECTION("marked") {
        bench.place.repository.mark_corrupt(id, repository::Corruption{today, "cut off"});
    }
    SECTION("in the catalog alone") {
        catalog->put_set_state({id, model::Verification::none, today, true, "cut off"});
    }
    SECTION("not to be read") {
        write(bench.place / id.job / id.set / "manifest.json", "x");
    }
    CHECK_FALSE(offsite::drop_if_copied(bench.place.repository, *catalog, job, id));
    CHECK_FALSE(offsite::droppable(bench.place.repository, *catalog, job, id));
    CHECK(bench.place.repository.ids() == std::vector{id});
}
