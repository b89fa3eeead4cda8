#include "offsite/keys.hpp"

#include "support/common.hpp"

using namespace pgbakd;

TEST_CASE("the objects of a set are named as its files") {
    const model::SetId id{"shop-daily", "20260113_000001"};
    CHECK(offsite::key_of(id, "shop_20260113_000001.dump") == "shop-daily/20260113_000001/shop_20260113_000001.dump");
    CHECK(offsite::prefix_of("shop-daily") == "shop-daily/");
    CHECK(offsite::prefix_of(id) == "shop-daily/20260113_000001/");
}

TEST_CASE("a key is read back, and what is no object of a set is nobody's") {
    struct Row {
        std::string key;
        std::string expected;  // "job set file", empty: none
    };
    for (const auto& row : {
             Row{"shop/20260113_000001/manifest.json", "shop 20260113_000001 manifest.json"},
             Row{"shop/20260113_000001-2/a b.dump", "shop 20260113_000001-2 a b.dump"},
             Row{"releases/20260113_000001_mvp/pinned", "releases 20260113_000001_mvp pinned"},
             Row{"", ""},
             Row{"manifest.json", ""},
             Row{"shop/manifest.json", ""},
             Row{"shop/20260113_000001", ""},
             Row{"shop/20260113_000001/", ""},
             Row{"shop/latest/manifest.json", ""},
             Row{"shop/2026/manifest.json", ""},
             Row{"shop/20260113_000001/below/manifest.json", ""},
             Row{"backups/shop/20260113_000001/manifest.json", ""},
             Row{".pgbakd-uploads/20260113_000001/x", ""},
             Row{"/20260113_000001/x", ""},
         }) {
        CAPTURE(row.key);
        const auto name = offsite::parse_key(row.key);
        CHECK((name ? name->id.job + " " + name->id.set + " " + name->file : "") == row.expected);
        if (name) CHECK(offsite::key_of(name->id, name->file) == row.key);
    }
}
