// pgbakd.yaml(5) and docs/configuration.md tell of the same keys.
#include "config/manual.hpp"

#include <set>

#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {
namespace {

// The names of keys, each once.
std::set<std::string> keys_in(const std::string& text, const std::string& before, const std::string& behind) {
    std::set<std::string> found;
    for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
        const auto from = at + before.size();
        found.insert(text.substr(from, text.find(behind, from) - from));
    }
    return found;
}

}  // namespace

TEST_CASE("the manual page has every key of the reference") {
    base::Roff page("X", 5, "a", "b");
    describe_keys(page);
    const auto in_reference = keys_in(reference_markdown(), "\n| `", "`");
    CHECK(in_reference.size() > 80);
    CHECK(keys_in(page.text(), "\n.TP\n\\fB", "\\fR") == in_reference);
}

}  // namespace pgbakd::config
