#include "support/catch.hpp"
#include "target/key.hpp"

namespace target = pgbakd::target;

TEST_CASE("keys are what every kind of target can hold") {
    struct Row {
        std::string key;
        bool good;
    };
    for (const auto& [key, good] : {
             Row{"a", true},
             Row{"job/20260113_000001/manifest.json", true},
             Row{"a b/%41/ü/日本", true},
             Row{".hidden", true},
             Row{"...", true},
             Row{".pgbakd-uploads-2/a", true},
             Row{"a/.pgbakd-uploads", true},
             Row{std::string(255, 'x'), true},
             Row{std::string(255, 'x') + "/" + std::string(255, 'x') + "/" + std::string(255, 'x'), true},
             Row{"", false},
             Row{"/", false},
             Row{"/a", false},
             Row{"a/", false},
             Row{"a//b", false},
             Row{".", false},
             Row{"..", false},
             Row{"a/../b", false},
             Row{"a/.", false},
             Row{"a\nb", false},
             Row{"a\tb", false},
             Row{std::string("a\0b", 3), false},
             Row{"\xff", false},
             Row{"\xc3", false},
             Row{".pgbakd-uploads", false},
             Row{".pgbakd-uploads/a", false},
             Row{std::string(256, 'x'), false},
             Row{std::string(255, 'x') + "/" + std::string(255, 'x') + "/" + std::string(255, 'x') + "/a", false},
         }) {
        INFO(key);
        CHECK(target::check_key(key).has_value() == good);
        CHECK(target::check_prefix(key + "/").has_value() == good);
    }
    CHECK(target::check_prefix("").has_value());
    CHECK_FALSE(target::check_prefix("a").has_value());
    CHECK(target::upload_name() != target::upload_name());
    CHECK(target::check_key(target::upload_name()).has_value());
}
