"""Which sources are compiled together: what one of them keeps to itself is never in reach of another that has the name."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "lib"))

from unity_groups import groups, names_of

OWN = """// A comment, before all of it.
#include "x.hpp"
#define LIMIT 3
namespace pgbakd::one {
namespace {

using base::Error;
using Texts = std::vector<std::string>;
namespace json = boost::json;
constexpr std::size_t largest = 64'000;  // "not { one
constexpr std::array causes{Cause{"a {", 1}, Cause{"b", 2}};
struct Row { int inner = 0; };
enum class Kind { first };

template <class Value>
auto made(Value value = {}) noexcept -> Value {
    const int local = 1;
    return value;
}
std::string raw(const char* text = R"(namespace { int hidden; })");

}  // namespace

Row::Row(int a) : member(a), other{a} {}
void Thing::method(int parameter) const {}
static int counter;
int shared(int a) { return a; }

}  // namespace pgbakd::one
"""


class Unity(unittest.TestCase):
    def test_the_names_a_source_has(self) -> None:
        found = names_of(OWN, "own")
        mine = ["Kind", "LIMIT", "Row", "Texts", "causes", "counter", "largest", "made", "raw"]
        self.assertEqual(sorted(name for name, whose in found.items() if whose == "own"), mine)
        rest = {name: whose for name, whose in found.items() if whose != "own"}
        self.assertEqual(rest, {"Error": "base :: Error", "json": "boost :: json", "shared": "all"})

    def test_sources_with_a_name_in_common_are_apart(self) -> None:
        texts = {
            "a": "namespace { int one() { return 1; } }",
            "b": "namespace { int two() { return 2; } }",
            "c": "namespace { int one() { return 3; } }",  # as a has it
            "d": "using std::chrono::hours;",
            "e": "namespace { using hours = int; }",
            "f": "using std::chrono::hours;",
            "g": '#include "g.hpp"',
            "h": "namespace { struct Told {}; }",  # as the header of g has it
        }
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "g.hpp").write_text("namespace x { struct Told; }", encoding="utf-8")
            for each, text in texts.items():
                (directory / f"{each}.cpp").write_text(text, encoding="utf-8")
            made = groups([directory / f"{each}.cpp" for each in texts])
        self.assertEqual(["".join(path.stem for path in members) for members in made], ["abdfg", "ceh"])

    def test_a_folder_is_a_few_groups(self) -> None:
        sources = sorted((TOP / "lib/service").glob("*.cpp"))
        made = groups(sources)
        self.assertEqual(sorted(path for members in made for path in members), sources)
        self.assertLess(len(made), len(sources) / 3)


if __name__ == "__main__":
    unittest.main()
