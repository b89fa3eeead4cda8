"""Prints ctest's commands for every case of the Catch2 programs listed in a file (label TAB folder TAB program).

Catch2's own CMake module differs between v2 and v3 and stumbles over names with brackets, commas or semicolons, which
schedules and messages are full of.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

TIMEOUT_SECONDS = {"unit": 120, "contract": 300, "integration": 300}
# What stands in the name of a case that needs a server, and the module of this folder that starts that (lasting.py).
SERVERS = {"S3OnRgw": "rgw", "S3OnSwift": "swift", "contract::Sftp": "sftp", "SFTP: ": "sftp"}


def list_cases(program: Path) -> list[str]:
    """The names of a program's cases, hidden ones left out."""
    for arguments in (["--list-test-names-only"], ["--list-tests", "--verbosity", "quiet"]):  # v2, then v3
        done = subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode >= 0 and "Unrecognised token" not in done.stdout + done.stderr:
            # v2 puts names that begin with # in quotes; v3 adds a blank line.
            return [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    raise RuntimeError(f"{program}: cannot list its cases: {done.stderr or done.stdout}")


def as_pattern(name: str) -> str:
    """The test specification that matches this name: everything that means something to Catch2 is escaped."""
    if name.startswith('"') and name.endswith('"') and name[1:2] == "#":
        return name
    return re.sub(r'([\\,\[\]"~])', r"\\\1", name)


def bracket(text: str) -> str:
    """A CMake bracket argument, in which nothing is special."""
    marks = "="
    while f"]{marks}]" in text or text.endswith("]" + marks):
        marks += "="
    return f"[{marks}[{text}]{marks}]"


def servers_of(name: str) -> list[str]:
    return sorted({server for mark, server in SERVERS.items() if mark in name})


def fixture(server: str, directory: Path) -> list[str]:
    """The tests that start a server before all that need it, and stop it after them."""
    program = Path(__file__).with_name(f"{server}.py")
    lines = []
    for verb, role in (("start", "SETUP"), ("stop", "CLEANUP")):
        test = bracket(f"contract/servers: {verb} {server}")
        words = " ".join(bracket(str(word)) for word in (sys.executable, "-B", program, verb, directory))
        lines.append(f"add_test({test} {words})")
        lines.append(f"set_tests_properties({test} PROPERTIES LABELS contract TIMEOUT 300 FIXTURES_{role} {server})")
    return lines


def main() -> int:
    lines: list[str] = []
    directory = Path(sys.argv[1]).absolute().with_name("servers")
    wanted: set[str] = set()
    for row in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        label, folder, path = row.split("\t")
        program = Path(path)
        if not os.access(program, os.X_OK):
            lines.append(f"add_test({bracket(f'{label}/{folder}: is built')} {bracket(str(program))})")
            continue
        seen: set[str] = set()
        for name in list_cases(program):
            if name in seen:
                continue
            seen.add(name)
            test = bracket(f"{label}/{folder}: {name}")
            lines.append(f"add_test({test} {bracket(str(program))} {bracket(as_pattern(name))})")
            lines.append(
                f"set_tests_properties({test} PROPERTIES LABELS {label} TIMEOUT {TIMEOUT_SECONDS[label]}"
                ' SKIP_REGULAR_EXPRESSION "(^|\\n)SKIPPED: "'
                ' FAIL_REGULAR_EXPRESSION "No tests ran")'  # v2 calls a name that matches nothing a success
            )
            servers = servers_of(name)
            if servers:
                wanted.update(servers)
                lines.append(
                    f'set_tests_properties({test} PROPERTIES FIXTURES_REQUIRED "{";".join(servers)}"'
                    f" ENVIRONMENT {bracket(f'PGBAKD_TEST_SERVERS={directory}')})"
                )
    for server in sorted(wanted):
        lines += fixture(server, directory)
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
