"""The servers of lasting.py, for Python tests: ctest's own where the file says `CTEST = {"servers": [...]}`, else one that
ends with this process.

    facts = shared_server("rgw")          # what RadosGateway.facts() tells; skips the test where it cannot be had
"""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from functools import cache
from pathlib import Path

from support.process import current_account, scratch_directory


@cache
def _facts(name: str) -> dict[str, str]:
    given = os.environ.get("PGBAKD_TEST_SERVERS")
    path = Path(given, f"{os.getppid()}.{name}") if given else None  # ctest, which started us, started it for itself
    if not path or not path.exists():
        directory = scratch_directory(current_account(), "pgb-servers-")
        program = Path(__file__).with_name(f"{name}.py")
        done = subprocess.run(
            [sys.executable, "-B", program, "start", directory, str(os.getpid())],
            capture_output=True, text=True, check=False, timeout=280,
        )  # fmt: skip
        path = directory / f"{os.getpid()}.{name}"
        if not path.exists():
            raise AssertionError(f"{name} did not start:\n{done.stdout}{done.stderr}")
    return dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines())


def shared_server(name: str) -> dict[str, str]:
    facts = _facts(name)
    if "skipped" in facts:
        raise unittest.SkipTest(facts["skipped"])
    return facts
