"""The rules of lib/README.md hold, and the checker that says so finds what breaks them."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

from checker import Checker

TOP = Path(os.environ.get("PGBAKD_SOURCE_DIR", Path(__file__).resolve().parents[2]))


class Tree(unittest.TestCase):
    def check(self, found: list[str]) -> None:
        if found:
            self.fail("\n" + "\n".join(found))

    def test_every_folder_has_a_floor_a_readme_and_a_target(self) -> None:
        self.check(Checker(TOP).folders())

    def test_folders_include_only_lower_floors(self) -> None:
        self.check(Checker(TOP).own_includes())

    def test_third_party_headers_stay_in_their_homes(self) -> None:
        self.check(Checker(TOP).third_party())

    def test_cmake_agrees_with_the_floors(self) -> None:
        self.check(Checker(TOP).cmake())

    def test_no_file_includes_itself_through_others(self) -> None:
        self.check(Checker(TOP).cycles())

    def test_no_detached_task_and_no_shell(self) -> None:
        self.check(Checker(TOP).banned())

    def test_mains_are_thin(self) -> None:
        self.check(Checker(TOP).mains())


README = """
| floor | folder | what |
| --- | --- | --- |
| 2 | `run` | |
| 1 | `async` | |
| 1 | `os` | |
| 0 | `base` | |

| header | home | also |
| --- | --- | --- |
| `fmt/` | `base` | everyone: x |
| `boost/asio` | `async` | above: y |
| `sqlite3` | `os` | |
"""


class Planted(unittest.TestCase):
    """A tree of one's own, right at first; each test plants one violation."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.top = Path(holder.name)
        self.write("lib/README.md", README)
        folders = {"base": "", "os": "DEPENDS base", "async": "DEPENDS base", "run": "DEPENDS os async"}
        for folder, depends in folders.items():
            self.write(f"lib/{folder}/README.md", folder)
            target = f"pgbakd_library({folder} SOURCES a.cpp {depends}\n  PRIVATE fmt::fmt)\n"
            self.write(f"lib/{folder}/CMakeLists.txt", target)
            self.write(f"lib/{folder}/{folder}.hpp", "#pragma once\n#include <string>\n#include <fmt/format.h>\n")
        includes = ('"async/async.hpp"', '"base/base.hpp"', "<boost/asio/post.hpp>")
        self.write("lib/run/execute.cpp", "".join(f"#include {name}\n" for name in includes))
        self.write("daemon/pgbakd.cpp", '#include "run/run.hpp"\nint main() {}\n')

    def write(self, name: str, text: str) -> None:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def found(self) -> str:
        return "\n".join(Checker(self.top).everything())

    def test_a_good_tree_is_good(self) -> None:
        self.assertEqual(self.found(), "")

    def test_a_higher_floor(self) -> None:
        self.write("lib/base/bad.cpp", '#include "run/run.hpp"\n')
        self.assertIn('lib/base/bad.cpp:1: base (floor 0) may not include "run/run.hpp" (floor 2)', self.found())

    def test_the_same_floor(self) -> None:
        self.write("lib/os/bad.cpp", '\n#include "async/async.hpp"\n')
        self.assertIn("lib/os/bad.cpp:2: os (floor 1) may not include", self.found())

    def test_a_file_that_is_not_there(self) -> None:
        self.write("lib/run/bad.cpp", '#include "base/nothing.hpp"\n#include "nowhere/x.hpp"\n')
        self.assertIn('there is no "base/nothing.hpp"', self.found())
        self.assertIn('"nowhere/x.hpp" is in no folder of lib/', self.found())

    def test_an_include_not_named_by_its_folder(self) -> None:
        self.write("lib/run/bad.cpp", '#include "run.hpp"\n')
        self.assertIn('"run.hpp" should be named by its folder', self.found())

    def test_a_library_away_from_home(self) -> None:
        self.write("lib/run/bad.cpp", "#include <sqlite3.h>\n")
        self.assertIn("<sqlite3.h> belongs to os, not to run", self.found())

    def test_a_library_below_its_home(self) -> None:
        self.write("lib/base/bad.cpp", "#  include <boost/asio/post.hpp>\n")
        self.assertIn("<boost/asio/post.hpp> belongs to async, not to base", self.found())

    def test_a_library_without_a_home(self) -> None:
        self.write("daemon/pgbakd.cpp", "#include <curl/curl.h>\n")
        self.assertIn("<curl/curl.h> has no home", self.found())

    def test_a_folder_without_a_floor(self) -> None:
        self.write("lib/extra/a.hpp", "")
        self.assertIn("lib/extra: has no floor", self.found())

    def test_a_floor_without_a_folder_or_readme(self) -> None:
        self.write("lib/README.md", README.replace("| 0 |", "| 1 | `gone` | |\n| 0 |"))
        (self.top / "lib/os/README.md").unlink()
        self.assertIn("there is no folder lib/gone", self.found())
        self.assertIn("lib/os: has no README.md", self.found())

    def test_depends_upwards(self) -> None:
        self.write("lib/base/CMakeLists.txt", "pgbakd_library(base SOURCES a.cpp DEPENDS os)")
        self.assertIn("lib/base/CMakeLists.txt: DEPENDS os, which is not on a lower floor", self.found())

    def test_an_include_that_is_not_linked(self) -> None:
        self.write("lib/run/CMakeLists.txt", "pgbakd_library(run SOURCES a.cpp DEPENDS os)")
        self.assertIn('"async/async.hpp", but run does not DEPEND on async', self.found())

    def test_a_cycle(self) -> None:
        self.write("lib/os/a.hpp", '#include "os/b.hpp"\n')
        self.write("lib/os/b.hpp", '#include "os/a.hpp"\n')
        self.assertIn("os/a.hpp includes os/b.hpp includes os/a.hpp", self.found())

    def test_a_detached_task_and_a_shell(self) -> None:
        self.write("lib/run/bad.cpp", 'co_spawn(io, f(), asio::detached);\nstd::system("x");\n::popen("x", "r");\n')
        self.assertIn("lib/run/bad.cpp:1: asio::detached", self.found())
        self.assertIn("lib/run/bad.cpp:2: system()", self.found())
        self.assertIn("lib/run/bad.cpp:3: popen()", self.found())

    def test_words_in_comments_and_strings_are_only_words(self) -> None:
        comments = "// never asio::detached\n/* system(\n popen( */"
        self.write("lib/run/good.cpp", f'{comments} auto a = "// system("; auto b = file_system(1);\n')
        self.assertEqual(self.found(), "")

    def test_a_fat_main(self) -> None:
        self.write("daemon/pgbakd.cpp", "int x;\n" * 100)
        self.assertIn("daemon/pgbakd.cpp: has 100 lines", self.found())


if __name__ == "__main__":
    unittest.main()
