"""Tells what came of a ctest run, from its JUnit file: summary.py FILE EXIT-CODE-OF-CTEST

Failures with their output, skips with their reason, and last the counts. A Python entry of ctest may hold several
tests; they are counted one by one, by the line that runner.py ends with.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

RAN = re.compile(r"^ran: (\d+) passed, (\d+) failed, (\d+) skipped$", re.MULTILINE)
SKIPPED = re.compile(r"^SKIPPED: (.*)$", re.MULTILINE)


@dataclass
class Summary:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, case: ElementTree.Element) -> None:
        name = case.get("name", "?")
        output = case.findtext("system-out") or ""
        status = case.get("status")
        skip = case.find("skipped")
        # A program that could not be started is "notrun" for ctest as well, but that is no skip.
        asked_for = skip is not None and str(skip.get("message")).startswith("SKIP_")
        if status == "run":
            outcome = (1, 0, 0)
        elif status == "disabled" or (status == "notrun" and asked_for):
            outcome = (0, 0, 1)
        else:
            outcome = (0, 1, 0)
            why = "" if skip is None else str(skip.get("message"))
            self.lines.append(f"\nFAILED {name} {why}\n{output.rstrip()}\n")
        reasons = SKIPPED.findall(output)
        if outcome[2] and not reasons:
            reasons = ["without a reason"]
        self.lines += [f"skipped {name}: {reason}" for reason in reasons]
        counted = RAN.findall(output)
        if counted:
            outcome = tuple(int(number) for number in counted[-1])  # type: ignore[assignment]
            if status == "fail" and not outcome[1]:
                outcome = (outcome[0], 1, outcome[2])
        self.passed += outcome[0]
        self.failed += outcome[1]
        self.skipped += outcome[2]


def main() -> int:
    summary = Summary()
    path, ctest_status = Path(sys.argv[1]), int(sys.argv[2])
    if path.exists():
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            summary.add(case)
    print("\n".join(summary.lines))
    good = summary.failed == 0 and ctest_status == 0 and summary.passed > 0
    if not good and summary.failed == 0:
        print("no test ran" if ctest_status == 0 else f"ctest ended with {ctest_status}")
        summary.failed = 1
    skipped = f", {summary.skipped} skipped" if summary.skipped else ""
    print(f"{summary.passed} passed, {summary.failed} failed{skipped}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
