"""What tests/run tells is what ctest found: a failure can hide neither as a skip nor among the counts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(os.environ.get("PGBAKD_SOURCE_DIR", Path(__file__).resolve().parents[2]))


def case(status: str, output: str = "", skip: str = "") -> str:
    skipped = f'<skipped message="{skip}"/>' if skip else ""
    return f'<testcase name="x" status="{status}">{skipped}<system-out>{output}</system-out></testcase>'


class Summary(unittest.TestCase):
    def told(self, *cases: str, ctest: int = 0) -> tuple[int, str]:
        """The exit code and the text for a result file with these cases."""
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "results.xml"
            file.write_text(f"<testsuite>{''.join(cases)}</testsuite>", encoding="utf-8")
            argv = [sys.executable, "-B", str(TOP / "tests/support/summary.py"), str(file), str(ctest)]
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
        return done.returncode, done.stdout

    def last(self, *cases: str, ctest: int = 0) -> tuple[int, str]:
        code, text = self.told(*cases, ctest=ctest)
        return code, text.splitlines()[-1]

    def test_counts(self) -> None:
        self.assertEqual(self.last(case("run"), case("run")), (0, "2 passed, 0 failed"))
        self.assertEqual(self.last(case("run"), case("fail"), ctest=8), (1, "1 passed, 1 failed"))

    def test_an_entry_with_several_tests_counts_each(self) -> None:
        several = case("run", "ran: 3 passed, 0 failed, 2 skipped")
        self.assertEqual(self.last(several, case("run")), (0, "4 passed, 0 failed, 2 skipped"))
        several = case("fail", "ran: 3 passed, 1 failed, 0 skipped")
        self.assertEqual(self.last(several, ctest=8), (1, "3 passed, 1 failed"))

    def test_a_failure_after_a_good_count_is_a_failure(self) -> None:
        good_count = case("fail", "ran: 3 passed, 0 failed, 0 skipped")
        self.assertEqual(self.last(good_count, ctest=8), (1, "3 passed, 1 failed"))

    def test_a_skip_has_its_reason(self) -> None:
        code, text = self.told(case("run"), case("notrun", "SKIPPED: no root", "SKIP_RETURN_CODE=77"))
        self.assertEqual(code, 0)
        self.assertIn("skipped x: no root", text)
        self.assertTrue(text.endswith("1 passed, 0 failed, 1 skipped\n"), text)

    def test_a_program_that_is_not_there_is_no_skip(self) -> None:
        found = self.last(case("run"), case("notrun", "", "Unable to find executable"), ctest=8)
        self.assertEqual(found, (1, "1 passed, 1 failed"))

    def test_nothing_run_is_a_failure(self) -> None:
        self.assertEqual(self.last(), (1, "0 passed, 1 failed"))
        self.assertEqual(self.last(case("notrun", "SKIPPED: x", "SKIP_RETURN_CODE=77"))[0], 1)

    def test_a_broken_ctest_is_a_failure(self) -> None:
        self.assertEqual(self.last(case("run"), ctest=9), (1, "1 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
