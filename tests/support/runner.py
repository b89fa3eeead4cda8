"""Runs one class or method of a Python test file and says what came of it.

    runner.py FILE [Class[.method]]

Prints what failed, a line `SKIPPED: reason` for each skip, and last a line `ran: N passed, N failed, N skipped`. Exits
77 if everything was skipped: ctest then counts a skip, not a success.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import os
import signal
import sys
import unittest
from pathlib import Path
from types import ModuleType

SKIPPED_EXIT = 77


def load(path: Path) -> ModuleType:
    sys.path[:0] = [str(path.parent), str(Path(__file__).resolve().parents[1])]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


class Result(unittest.TextTestResult):
    """Counts successes as well, which unittest keeps to itself."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1


def interrupted(number: int, _frame: object) -> None:
    """Unwinds, so that servers and directories of the test are removed; ctest itself would only kill."""
    faulthandler.dump_traceback()
    raise SystemExit(f"ended by {signal.Signals(number).name}")


def main() -> int:
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGALRM, interrupted)
    signal.alarm(int(os.environ.get("PGBAKD_TEST_TIMEOUT", "0")))
    path = Path(sys.argv[1]).resolve()
    module = load(path)
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromName(sys.argv[2], module) if len(sys.argv) > 2 else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    assert isinstance(result, Result)
    for test, reason in result.skipped:
        print(f"SKIPPED: {reason} ({test.id()})")
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    passed = result.passed + len(result.expectedFailures)
    print(f"ran: {passed} passed, {failed} failed, {len(result.skipped)} skipped")
    if failed or not passed + len(result.skipped):
        return 1
    return SKIPPED_EXIT if not passed else 0


if __name__ == "__main__":
    sys.exit(main())
