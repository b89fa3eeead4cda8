// Copies on targets, and the catalogs that came before there were any.
#include <map>

#include "catalog/schema.hpp"
#include "unit/catalog/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using catalog::Catalog;
using catalog::Copy;

namespace {

Copy copy_of(const std::string& target, const std::string& job, const std::string& set, bool owed) {
    Copy copy;
    copy.target = target;
    copy.id = {job, set};
    copy.owed = owed;
    copy.since = today;
    return copy;
}

std::vector<std::string> texts(const std::vector<Copy>& copies) {
    std::vector<std::string> result;
    for (const auto& copy : copies) result.push_back(copy.target + " " + copy.id.text() + (copy.owed ? " owed" : ""));
    return result;
}

}  // namespace

TEST_CASE("a copy comes back as it was put, also after a restart") {
    Place place;
    auto copy = copy_of("r2", "shop", "20260113_000001", true);
    copy.since = at("2026-01-13T00:10:00Z");
    copy.started_at = at("1969-12-31T23:59:59Z");
    copy.bytes = std::uint64_t{1} << 50U;
    copy.complete = false;
    copy.verified = model::Verification::decoded;
    copy.milestone = "mvp";
    copy.assurance = "read back";
    copy.attempts = 7;
    copy.next_attempt = at("2026-01-14T00:00:00Z");
    copy.message = "the bucket is gone; it's \"ü\"";
    copy.unfinished = "shop.dump";
    copy.checkpoint = "{\"upload\": 1}";
    copy.begun = true;
    copy.run = run_id(3);
    copy.host = "db2";
    place.catalog->put_copy(copy);
    place.reopen();
    const auto copies = place.catalog->copies();
    REQUIRE(copies.size() == 1);
    const auto& found = copies.front();
    CHECK(found.target == copy.target);
    CHECK(found.id == copy.id);
    CHECK(found.owed);
    CHECK(found.since == copy.since);
    CHECK(found.started_at == copy.started_at);
    CHECK(found.bytes == copy.bytes);
    CHECK_FALSE(found.complete);
    CHECK(found.verified == copy.verified);
    CHECK(found.milestone == copy.milestone);
    CHECK(found.assurance == copy.assurance);
    CHECK(found.attempts == copy.attempts);
    CHECK(found.next_attempt == copy.next_attempt);
    CHECK(found.message == copy.message);
    CHECK(found.unfinished == copy.unfinished);
    CHECK(found.checkpoint == copy.checkpoint);
    CHECK(found.begun);
    CHECK(found.run == copy.run);
    CHECK(found.host == "db2");
    // Put again, it is replaced.
    copy.owed = false;
    copy.begun = false;
    place.catalog->put_copy(copy);
    CHECK(texts(place.catalog->copies()) == Texts{"r2 shop/20260113_000001"});
    CHECK_FALSE(place.catalog->copies().front().begun);
}

TEST_CASE("copies are asked for by job, by set, and by whether they are owed") {
    const Place place;
    place.catalog->put_copies(
        {copy_of("r2", "shop", "20260114_000001", true), copy_of("r2", "shop", "20260113_000001", false),
         copy_of("nas", "shop", "20260113_000001", true), copy_of("r2", "crm", "20260113_000001", true)});
    auto& catalog = *place.catalog;
    CHECK(texts(catalog.copies()) == Texts{"nas shop/20260113_000001 owed", "r2 crm/20260113_000001 owed",
                                           "r2 shop/20260113_000001", "r2 shop/20260114_000001 owed"});
    CHECK(texts(catalog.copies("crm")) == Texts{"r2 crm/20260113_000001 owed"});
    CHECK(catalog.copies("none").empty());
    CHECK(texts(catalog.copies_of({"shop", "20260113_000001"})) ==
          Texts{"nas shop/20260113_000001 owed", "r2 shop/20260113_000001"});
    CHECK(texts(catalog.owed_copies()) ==
          Texts{"nas shop/20260113_000001 owed", "r2 crm/20260113_000001 owed", "r2 shop/20260114_000001 owed"});
    catalog.forget_copy("nas", {"shop", "20260113_000001"});
    catalog.forget_copy("nas", {"shop", "20260113_000001"});
    catalog.forget_copy("r2", {"crm", "20260113_000001-2"});
    CHECK(catalog.copies().size() == 3);
    // What becomes of the local set, and of its job's schedule, is nothing to a copy.
    catalog.forget_set({"shop", "20260114_000001"});
    catalog.forget_job("shop");
    CHECK(catalog.copies("shop").size() == 2);
    CHECK(texts(Catalog::open_for_reading(place.file)->owed_copies()).size() == 2);
}

TEST_CASE("many copies are put together or not at all") {
    const Place place;
    // The second of them is refused by a rule of somebody else's.
    execute(
        place.file,
        "CREATE TRIGGER full BEFORE INSERT ON copies WHEN NEW.target = 'nas' BEGIN SELECT RAISE(ABORT, 'full'); END");
    CHECK_THROWS_AS(place.catalog->put_copies({copy_of("r2", "shop", "20260113_000001", true),
                                               copy_of("nas", "shop", "20260113_000001", true)}),
                    base::Error);
    CHECK(place.catalog->copies().empty());
    place.catalog->put_copies({});
    place.catalog->put_copies({copy_of("r2", "shop", "20260113_000001", true)});
    CHECK(place.catalog->copies().size() == 1);
}

TEST_CASE("a catalog from before there were copies is brought up to date and keeps what it holds") {
    Place place;
    const catalog::JobState state{"shop", "daily at 02:00 UTC", base::to_instant(today), true};
    const auto slot = slot_at("2026-01-13T01:00:00Z");
    CHECK(place.catalog->take_slot(state, slot, run(1, "shop", today)));
    place.catalog->finish_run(run(1, "shop", today, model::Outcome::success));
    place.catalog->put_known_databases("shop", {"shop", "crm"});
    place.catalog->put_set_state({{"shop", "20260113_000001"}, model::Verification::decoded, today, true, "a bit"});
    place.catalog.reset();
    // As schema 1 was: the same tables but for this one.
    execute(place.file, as_schema_3 + "DROP TABLE copies; PRAGMA user_version = 1");

    const auto error = error_of([&] { (void)Catalog::open_for_reading(place.file); });
    CHECK(error.code() == ErrorCode::unsupported);
    CHECK(error.message() == place.file.native() + ": it was written by an older pgbakd (schema 1, known is " +
                                 std::to_string(catalog::schema_version()) + ")");
    CHECK(error.hint() == "start the daemon once: it brings the file up to date");

    place.reopen();
    CHECK_FALSE(place.catalog->was_damaged());
    CHECK(place.catalog->job_states() == std::vector{state});
    CHECK(place.catalog->run(run_id(1))->outcome == model::Outcome::success);
    CHECK_FALSE(place.catalog->take_slot(state, slot, run(2, "shop", today)));
    CHECK(place.catalog->known_databases("shop") == std::vector<std::string>{"shop", "crm"});
    CHECK(place.catalog->set_states().at(0).corrupt);
    CHECK(place.catalog->copies().empty());
    place.catalog->put_copy(copy_of("r2", "shop", "20260113_000001", true));
    CHECK(Catalog::open_for_reading(place.file)->owed_copies().size() == 1);
}

TEST_CASE("a catalog from before hosts were noted keeps what it owes and has sent, and forgets what it has only seen") {
    Place place;
    auto sent = copy_of("r2", "shop", "20260113_000001", false);
    sent.assurance = "checksum";
    sent.verified = model::Verification::decoded;
    place.catalog->put_copies(
        {sent, copy_of("r2", "shop", "20260114_000001", true), copy_of("r2", "shop", "20260112_000001", false)});
    place.catalog.reset();
    // As schema 2 was.
    execute(place.file, as_schema_3 +
                            "ALTER TABLE copies DROP COLUMN host; ALTER TABLE copies DROP COLUMN run;"
                            " PRAGMA user_version = 2");
    CHECK(error_of([&] { (void)Catalog::open_for_reading(place.file); }).code() == ErrorCode::unsupported);
    place.reopen();
    CHECK_FALSE(place.catalog->was_damaged());
    CHECK(texts(place.catalog->copies()) == Texts{"r2 shop/20260113_000001", "r2 shop/20260114_000001 owed"});
    CHECK(place.catalog->copies().at(0).run.empty());
    CHECK(place.catalog->newest_copy("shop", today)->host.empty());
    place.reopen();
    CHECK(place.catalog->copies().size() == 2);
}

TEST_CASE("a rescan of a target enters what is there, strikes what is gone, and no owed copy but one that arrived") {
    const auto made_by = [](Copy copy, unsigned run, const std::string& host = {}) {
        copy.run = run_id(run);
        copy.host = host;
        return copy;
    };
    const Place place;
    auto& catalog = *place.catalog;
    auto sent = made_by(copy_of("nas", "shop", "20260110_000001", false), 1);
    sent.assurance = "checksum";
    auto noted_before_runs = sent;
    noted_before_runs.id.set = "20260111_000001";
    noted_before_runs.run = {};
    const auto owed = made_by(copy_of("nas", "shop", "20260112_000001", true), 2);
    const auto arrived = made_by(copy_of("nas", "shop", "20260113_000001", true), 3);
    const auto owed_of_old = copy_of("nas", "shop", "20260114_000001", true);
    const auto gone = made_by(copy_of("nas", "shop", "20260115_000001", false), 5);
    const auto owed_and_gone = made_by(copy_of("nas", "shop", "20260116_000001", true), 6);
    const auto elsewhere = made_by(copy_of("r2", "shop", "20260115_000001", false), 5);
    const auto replaced = made_by(copy_of("nas", "shop", "20260117_000001", false), 7);
    catalog.put_copies({sent, noted_before_runs, owed, arrived, owed_of_old, gone, owed_and_gone, elsewhere, replaced});

    auto seen = sent;
    seen.assurance.clear();
    seen.host = "an-older-name";
    seen.since = today + std::chrono::hours(1);
    auto seen_old = seen;
    seen_old.id.set = "20260111_000001";
    seen_old.run = run_id(9);
    auto came = arrived;
    came.owed = false;
    auto others = made_by(copy_of("nas", "shop", "20260112_000001", false), 12, "db2");
    auto other_old = made_by(copy_of("nas", "shop", "20260114_000001", false), 14, "db2");
    auto anew = made_by(copy_of("nas", "shop", "20260117_000001", false), 17, "db2");
    CHECK(catalog.rescan_copies({seen, seen_old, came, others, other_old, anew}, {gone, owed_and_gone}) == 1);
    CHECK(texts(catalog.copies()) == Texts{"nas shop/20260110_000001", "nas shop/20260111_000001",
                                           "nas shop/20260112_000001 owed", "nas shop/20260113_000001",
                                           "nas shop/20260114_000001 owed", "nas shop/20260116_000001 owed",
                                           "nas shop/20260117_000001", "r2 shop/20260115_000001"});
    const auto copies = catalog.copies();
    for (const std::size_t i : {0U, 1U}) {
        CHECK(copies.at(i).assurance == "checksum");
        CHECK(copies.at(i).host.empty());
        CHECK(copies.at(i).since == today);
    }
    CHECK(copies.at(1).run == run_id(9));
    CHECK(copies.at(6).host == "db2");
    // Adopted, and seen again under its own name.
    anew.host.clear();
    CHECK(catalog.rescan_copies({anew}, {}) == 0);
    anew.host = "db2";
    CHECK(catalog.rescan_copies({anew}, {}) == 0);
    CHECK(catalog.copies().at(6).host.empty());
}

TEST_CASE("the newest copy of a job is never another host's") {
    const Place place;
    auto own = copy_of("nas", "shop", "20260110_000001", false);
    own.verified = model::Verification::decoded;
    auto other = own;
    other.id.set = "20260111_000001";
    other.started_at = today;
    other.host = "db2";
    place.catalog->put_copies({own, other});
    CHECK(place.catalog->newest_copy("shop", today)->id == own.id);
}

TEST_CASE("a copy that a clock ahead has dated is the newest only where there is no other") {
    const Place place;
    const auto put = [&place](const std::string& set, base::Timestamp started_at) {
        auto copy = copy_of("nas", "shop", set, false);
        copy.verified = model::Verification::decoded;
        copy.started_at = started_at;
        place.catalog->put_copy(copy);
    };
    put("20270101_000000", today + std::chrono::hours(300 * 24));
    put("20280101_000000", today + std::chrono::hours(700 * 24));
    CHECK(place.catalog->newest_copy("shop", today)->id.set == "20280101_000000");
    put("20260110_000001", today - std::chrono::hours(48));
    put("20260111_000001", today - std::chrono::hours(24));
    CHECK(place.catalog->newest_copy("shop", today)->id.set == "20260111_000001");
    CHECK(place.catalog->newest_copy("shop", today + std::chrono::hours(301 * 24))->id.set == "20270101_000000");
}

TEST_CASE("a catalog that lacks the table of copies is damaged, and set aside") {
    Place place;
    place.catalog->put_copy(copy_of("r2", "shop", "20260113_000001", true));
    place.catalog.reset();
    execute(place.file, "DROP TABLE copies");
    place.reopen();
    CHECK(place.catalog->was_damaged());
    CHECK(place.catalog->copies().empty());
    CHECK(std::filesystem::exists(place.directory / "state.db.damaged-20260202_024000"));
}

TEST_CASE("a target that works again is due for all that it is owed, and no other") {
    Place place;
    const auto later = today + std::chrono::hours(1);
    auto waits = copy_of("nas", "shop", "20260113_000001", true);
    waits.next_attempt = later;
    auto due = copy_of("nas", "shop", "20260114_000001", true);
    due.next_attempt = today - std::chrono::hours(1);
    auto elsewhere = copy_of("r2", "shop", "20260113_000001", true);
    elsewhere.next_attempt = later;
    auto there = copy_of("nas", "shop", "20260112_000001", false);
    there.next_attempt = later;
    place.catalog->put_copies({waits, due, elsewhere, there});
    place.catalog->hasten_copies("nas", today);
    std::map<std::string, base::Timestamp> next;
    for (const auto& copy : place.catalog->copies()) next[copy.target + " " + copy.id.set] = copy.next_attempt;
    CHECK(next.at("nas 20260113_000001") == today);
    CHECK(next.at("nas 20260114_000001") == due.next_attempt);
    CHECK(next.at("r2 20260113_000001") == later);
    CHECK(next.at("nas 20260112_000001") == later);
}
