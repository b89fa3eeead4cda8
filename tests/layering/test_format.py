"""Every C++ file is as .clang-format lays it out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

TOP = Path(os.environ.get("PGBAKD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
# Versions lay some things out differently; this is the one of Debian 12, with which the tree is kept.
VERSION = 14


class Format(unittest.TestCase):
    def test_clang_format_changes_nothing(self) -> None:
        program = shutil.which(f"clang-format-{VERSION}") or shutil.which("clang-format")
        if not program:
            self.skipTest("clang-format is not installed")
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
        found = re.search(r"version (\d+)", told)
        if not found or int(found.group(1)) != VERSION:
            self.skipTest(f"the tree is laid out with clang-format {VERSION}, here is {told.strip()}")
        files = [
            str(path)
            for folder in ("lib", "daemon", "tests")
            for path in sorted((TOP / folder).rglob("*"))
            if path.suffix in (".cpp", ".hpp")
        ]
        self.assertTrue(files)
        done = subprocess.run(
            [program, "--dry-run", "-Werror", *files], capture_output=True, text=True, check=False, timeout=240
        )
        self.assertEqual(done.returncode, 0, f"run packaging/lint --fix\n{done.stderr[:20000]}")


if __name__ == "__main__":
    unittest.main()
