"""A small file system that a test can fill up."""

from __future__ import annotations

import atexit
import os
import subprocess
import unittest
from pathlib import Path

from support.process import Account, scratch_directory


class Tmpfs:
    """A tmpfs of `size` bytes, owned by the account. Needs root; a test without it is skipped."""

    def __init__(self, size: int, account: Account) -> None:
        if os.geteuid() != 0:
            raise unittest.SkipTest("mounting a small file system needs root")
        self.path = scratch_directory(account, "pgb-tmpfs-")
        options = f"size={size},mode=0700,uid={account.uid},gid={account.gid}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "pgbakd-test", str(self.path)],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        if done.returncode != 0:
            raise unittest.SkipTest(f"this machine lets nobody mount a tmpfs: {done.stderr.strip()}")
        self._mounted = True
        atexit.register(self.close)

    def free(self) -> int:
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> Path:
        """Takes all space but `leave` bytes with one file, and returns it."""
        ballast = Path(self.path) / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(self.free() - leave, 1))
        return ballast

    def close(self) -> None:
        if self._mounted:
            self._mounted = False
            # Lazily: a process that a failed test left inside must not keep the mount for ever.
            subprocess.run(["umount", "--lazy", str(self.path)], check=False, timeout=30)

    def __enter__(self) -> Tmpfs:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
