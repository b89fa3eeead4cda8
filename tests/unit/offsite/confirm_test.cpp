#include "offsite/confirm.hpp"

#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;

TEST_CASE("a target has a set that is there as it was sent, and no other") {
    struct Row {
        std::function<void(Bench&, const model::SetId&)> change;
        std::string wrong;
    };
    const auto manifest = [](Bench& bench, const model::SetId& id) -> std::string& {
        return bench.target.objects[offsite::key_of(id, "manifest.json")].content;
    };
    const auto globals = [](const model::SetId& id) { return "globals_" + id.set + ".sql.gz"; };
    for (const auto& row :
         {Row{[](Bench&, const model::SetId&) {}, ""},
          Row{[](Bench&bench, const model::SetId&) { bench.target.page = 2; }, ""},
          Row{[](Bench&bench, const model::SetId&) { bench.target.objects.clear(); }, "its manifest is not there"},
          Row{[&](Bench&bench, const model::SetId&id) { manifest(bench, id) += " "; },
              "its manifest is another one there"},
          Row{[&](Bench&bench, const model::SetId&id) { manifest(bench, id)[20] ^= 1; },
              "its manifest is another one there"},
          Row{[&](Bench&bench, const model::SetId&id) { bench.target.objects.erase(offsite::key_of(id, globals(id))); },
              "globals_20260113_000001.sql.gz is not there"},
          Row{[&](Bench&bench, const model::SetId&id) {
                  bench.target.objects[offsite::key_of(id, globals(id))].content.pop_back();
              },
              "globals_20260113_000001.sql.gz has another size there"},
          Row{[](Bench&bench, const model::SetId&id) { bench.target.add(offsite::key_of(id, "corrupt"), "{}"); },
              "a check found it corrupt there"}}) {
        CAPTURE(row.wrong);
        Bench bench;
        const auto id = bench.add_set("2026-01-13T00:00:01Z");
        bench.put_there(id);
        row.change(bench, id);
        const auto set = bench.place.repository.find(id);
        CHECK(bench.run(offsite::what_is_wrong_there(bench.target, bench.pool, set, {})) == row.wrong);
    }
    Bench bench;
    const auto set = bench.place.repository.find(bench.add_set("2026-01-13T00:00:01Z"));
    bench.target.away = true;
    const auto error = error_of([&] { bench.run(offsite::what_is_wrong_there(bench.target, bench.pool, set, {})); });
    CHECK(error.code() == base::ErrorCode::unreachable);
}
