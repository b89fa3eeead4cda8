"""The table of tests/README.md that ties what users of backup tools complain about to the tests that show it cannot
happen here: each test named there exists."""

from __future__ import annotations

import ast
import os
import re
import unittest
from pathlib import Path

TESTS = Path(os.environ["PGBAKD_SOURCE_DIR"]) / "tests"
HEADING = "| complaint | test |"
CATCH_CASE = re.compile(r'TEST_CASE\(\s*((?:"(?:\\.|[^"\\])*"\s*)+)')


def rows(text: str) -> list[tuple[str, str]]:
    """The rows of the table: complaint, tests."""
    lines = text.partition(HEADING + "\n")[2].splitlines()[1:]
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        complaint, _, tests = line.strip("| ").partition(" | ")
        found.append((complaint, tests))
    return found


def python_tests(path: Path) -> set[str]:
    """Class.method, also those that a class takes over from another one in the file."""
    classes = {node.name: node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)}
    found = set()
    for name, node in classes.items():
        bases = [classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes]
        for owner in (node, *bases):
            found |= {f"{name}.{item.name}" for item in owner.body if isinstance(item, ast.FunctionDef) and item.name.startswith("test")}
    return found


def catch_cases(path: Path) -> set[str]:
    texts = CATCH_CASE.findall(path.read_text(encoding="utf-8"))
    return {"".join(re.findall(r'"((?:\\.|[^"\\])*)"', text)).replace('\\"', '"') for text in texts}


def missing(tests: str) -> list[str]:
    """What `file`: `test`, `test`; `file`: … names that is not there."""
    found = []
    for group in tests.split("; "):
        match = re.fullmatch(r"`([^`]+)`: (`[^`]+`(?:, `[^`]+`)*)", group)
        if not match:
            found.append(f"not of the form `file`: `test`: {group}")
            continue
        path = TESTS / match.group(1)
        if not path.is_file():
            found.append(f"{path} is not there")
            continue
        there = python_tests(path) if path.suffix == ".py" else catch_cases(path)
        found += [f"{match.group(1)} has no {name}" for name in re.findall(r"`([^`]+)`", match.group(2)) if name not in there]
    return found


class Complaints(unittest.TestCase):
    def test_every_complaint_has_tests_that_exist(self) -> None:
        table = rows((TESTS / "README.md").read_text(encoding="utf-8"))
        self.assertGreater(len(table), 15)
        self.assertEqual(len({complaint for complaint, _ in table}), len(table))
        self.assertEqual([f"{complaint}: {what}" for complaint, tests in table for what in missing(tests)], [])

    def test_a_name_that_is_wrong_is_noticed(self) -> None:
        for tests in (
            "`docs/test_complaints.py`: `Complaints.test_nothing`", "`docs/test_nowhere.py`: `A.test_b`", "some test",
            "`unit/retention/plan_test.cpp`: `no such case`",
        ):  # fmt: skip
            with self.subTest(tests):
                self.assertEqual(len(missing(tests)), 1)


if __name__ == "__main__":
    unittest.main()
