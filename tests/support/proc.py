"""What the kernel knows of a process: for tests that look for leaks."""

from __future__ import annotations

import os
import unittest
from pathlib import Path


def open_files(pid: int) -> dict[int, str]:
    """Descriptor → what it refers to. The daemon lets nobody but root look; without root the test is skipped."""
    found = {}
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except PermissionError:
        raise unittest.SkipTest("the descriptors of the daemon can only be seen by root") from None
    for entry in entries:
        try:
            found[int(entry.name)] = os.readlink(entry)
        except OSError:
            continue  # closed while we looked
    return found


def children(pid: int) -> list[int]:
    """Direct children, those of all its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
        except OSError:
            continue
    return found


def descendants(pid: int) -> list[int]:
    found = []
    for child in children(pid):
        found.append(child)
        try:
            found += descendants(child)
        except OSError:
            continue
    return found


def command_line(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")


def is_stopped(pid: int) -> bool:
    """By SIGSTOP; not one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def resident_bytes(pid: int) -> int:
    """Memory in use now (VmRSS)."""
    return _status_bytes(pid, "VmRSS")


def peak_resident_bytes(pid: int) -> int:
    """The most memory it has ever used (VmHWM)."""
    return _status_bytes(pid, "VmHWM")


def _status_bytes(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise AssertionError(f"/proc/{pid}/status has no {name}")


def find_in_processes(secret: str, *, environment: bool = True) -> list[str]:
    """Where a secret shows in the command line or environment of any process but our own.

    Ours is left out because the test itself may have been given the secret. Without root, only processes of the same
    user tell their environment.
    """
    needle = secret.encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        for name in ("cmdline", "environ") if environment else ("cmdline",):
            try:
                if needle in (entry / name).read_bytes():
                    found.append(f"{entry / name}: {' '.join(command_line(int(entry.name)))}")
            except OSError:
                continue  # gone, or not ours to read
    return found


def catches(pid: int, signal_number: int) -> bool:
    """Whether it has a handler for the signal."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    mask = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), 16)
    return bool(mask >> (signal_number - 1) & 1)
