// What the catalog knows of what is older than it.
#include <sqlite3.h>

#include "unit/catalog/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;

namespace {

model::BackupSet set_at(unsigned number, base::Timestamp started_at, const std::string& job = "shop") {
    model::BackupSet set;
    set.id = {job, "20260101_" + std::to_string(100000 + number)};
    set.run = run_id(number);
    set.started_at = started_at;
    return set;
}

constexpr auto hour = std::chrono::hours(1);

}  // namespace

TEST_CASE("until a target was asked, what began before the catalog was is unknown to it") {
    Place place;
    CHECK(place.catalog->unasked_before("shop", "nas") == today);
    place.reopen();
    CHECK(place.catalog->unasked_before("shop", "nas") == today);
    place.catalog->put_asked("shop", "nas");
    CHECK_FALSE(place.catalog->unasked_before("shop", "nas"));
    CHECK(place.catalog->unasked_before("shop", "vault") == today);
    CHECK(place.catalog->unasked_before("mail", "nas") == today);
    // What tells of runs is no answer of a target.
    (void)place.catalog->rescan({set_at(1, today - hour)});
    (void)place.catalog->add_runs({set_at(2, today - hour)});
    CHECK(place.catalog->unasked_before("shop", "vault") == today);
}

TEST_CASE("a target that a job gets later is none of those that are to be asked") {
    Place place;
    place.catalog->know_targets({{"shop", {"nas", "vault"}}, {"mail", {}}});
    place.catalog->put_asked("shop", "vault");
    place.catalog->know_targets({{"shop", {"nas", "vault", "new"}}, {"mail", {"new"}}, {"web", {"new"}}});
    place.reopen();
    CHECK(place.catalog->unasked_before("shop", "nas") == today);
    CHECK_FALSE(place.catalog->unasked_before("shop", "vault"));
    CHECK_FALSE(place.catalog->unasked_before("shop", "new"));
    CHECK_FALSE(place.catalog->unasked_before("mail", "new"));
    CHECK(place.catalog->unasked_before("web", "new") == today);
    // Nor one of which nothing was noted yet.
    CHECK_FALSE(place.catalog->unasked_before("shop", "newer"));
}

TEST_CASE("a catalog that was there before this was noted has nothing that is older") {
    Place place;
    place.catalog.reset();
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(place.file.c_str(), &handle) == SQLITE_OK);
    CHECK(sqlite3_exec(handle, as_schema_3.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(handle);
    place.reopen();
    CHECK(place.catalog->unasked_before("shop", "nas") == base::Timestamp{});
}

TEST_CASE("sets that are newer than all that the catalog knows show that it is an old one") {
    struct Row {
        std::string name;
        model::BackupSet set;
        base::Timestamp before;  // the gap's end
    };
    for (const auto& row :
         {Row{"of a run that it knows", set_at(1, today + 5 * hour), today},
          Row{"older than its last run", set_at(2, today + 1 * hour), today},
          Row{"older than the catalog", set_at(3, today - hour), today},
          Row{"newer than all", set_at(4, today + 3 * hour), today + 3 * hour + std::chrono::milliseconds(1)}}) {
        CAPTURE(row.name);
        Place place;
        auto& catalog = *place.catalog;
        catalog.begin_run(run(1, "shop", today + 2 * hour, model::Outcome::success));
        catalog.put_asked("shop", "nas");
        catalog.put_asked("mail", "nas");
        const bool gap = row.before != today;
        const auto check = [&] {
            CHECK(catalog.unasked_before("shop", "nas") == (gap ? std::optional(row.before) : std::nullopt));
            CHECK(catalog.unasked_before("shop", "vault") == row.before);
            CHECK_FALSE(catalog.unasked_before("mail", "nas"));
        };
        SECTION("noticed at a start") {
            catalog.notice_gaps({row.set});
            check();
        }
        SECTION("noticed by a rescan") {
            (void)catalog.rescan({row.set});
            check();
            (void)catalog.rescan({row.set});
            check();
        }
        catalog.put_asked("shop", "nas");
        CHECK_FALSE(catalog.unasked_before("shop", "nas"));
    }
}

TEST_CASE("what clocks that were ahead have dated hides no gap") {
    const auto ahead = base::SystemClock().now() + 1000 * hour;
    const auto unheard = set_at(7, today + 3 * hour);
    const auto end = unheard.started_at + std::chrono::milliseconds(1);
    Place place;
    place.catalog->begin_run(run(1, "shop", today + 1 * hour, model::Outcome::success));
    SECTION("a run") {
        place.catalog->begin_run(run(2, "shop", ahead, model::Outcome::success));
        place.catalog->put_asked("shop", "nas");
        place.catalog->notice_gaps({unheard});
        CHECK(place.catalog->unasked_before("shop", "nas") == end);
    }
    SECTION("a set") {
        place.catalog->put_asked("shop", "nas");
        place.catalog->notice_gaps({set_at(8, ahead), unheard});
        CHECK(place.catalog->unasked_before("shop", "nas") == end);
        // Noticed once.
        place.catalog->put_asked("shop", "nas");
        place.catalog->notice_gaps({set_at(8, ahead), unheard});
        CHECK_FALSE(place.catalog->unasked_before("shop", "nas"));
    }
    SECTION("the catalog's own beginning") {
        place.catalog = catalog::Catalog::open(place.directory / "ahead.db", ahead);
        place.catalog->put_asked("shop", "nas");
        place.catalog->notice_gaps({unheard});
        CHECK(place.catalog->unasked_before("shop", "nas") == ahead);
        place.catalog->put_asked("shop", "nas");
        place.catalog->notice_gaps({unheard});
        CHECK_FALSE(place.catalog->unasked_before("shop", "nas"));
    }
    SECTION("all sets are ahead") {
        const auto newest = set_at(9, ahead);
        place.catalog->put_asked("shop", "nas");
        for (const bool gap : {true, false}) {
            place.catalog->notice_gaps({newest});
            CHECK(place.catalog->unasked_before("shop", "nas").has_value() == gap);
            place.catalog->put_asked("shop", "nas");
        }
    }
}

TEST_CASE("a gap is minded by who may only read, and changes nothing for others") {
    Place place;
    place.catalog->put_asked("shop", "nas");
    const auto reader = catalog::Catalog::open_for_reading(place.file);
    const auto unheard = set_at(7, today + 3 * hour);
    reader->notice_gaps({unheard});
    CHECK(reader->unasked_before("shop", "nas") == unheard.started_at + std::chrono::milliseconds(1));
    CHECK_FALSE(place.catalog->unasked_before("shop", "nas"));
}

TEST_CASE("the files that a copy may have come with are kept with it") {
    Place place;
    catalog::Copy copy;
    copy.target = "nas";
    copy.id = {"shop", "20260101_000000"};
    copy.owed = true;
    copy.tried = {"a.dump", "b c.dump"};
    place.catalog->put_copy(copy);
    place.reopen();
    CHECK(place.catalog->owed_copies().at(0).tried == copy.tried);
    copy.tried.clear();
    place.catalog->put_copy(copy);
    CHECK(place.catalog->owed_copies().at(0).tried.empty());
}
