"""kill -9 of the daemon at every border between two states of the disk: no half set is ever listed, nothing leaks, the
next start puts it right, and every run has one outcome.

The gate (support/gate.py) holds the daemon just before each call that makes, renames or removes something or makes it
durable. A run is repeated with the kill before its first such call, its second, and so on until a run comes to its end:
so the list of borders is the daemon's own, whatever it becomes. Between two borders nothing changes on the disk but the
length of files; kills at random instants are there for the rest. A kill is no loss of power: what was written is still
in the page cache, so whether each fsync is needed is not asked here.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon
from support.gate import Border, Verdict
from support.kills import KillCase
from support.process import wait_for

CTEST = {"timeout": 600, "cost": 25}


class Countdown:
    """Kills before the daemon's n-th call of interest (from 1), and remembers what it was."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.border = ""

    def __call__(self, border: Border) -> Verdict:
        if border.is_child:
            return Verdict.PROCEED
        self.left -= 1
        if self.left == 0:
            self.border = str(border)
            return Verdict.KILL
        return Verdict.PROCEED


def kill_at(name: str, ending: str) -> Callable[[Border], Verdict]:
    """Kills before the first such call on a path that ends so."""

    def decide(border: Border) -> Verdict:
        wanted = border.name == name and border.path.endswith(ending) and not border.is_child
        return Verdict.KILL if wanted else Verdict.PROCEED

    return decide


class HoldChildren:
    """Kills the daemon when a program of its run makes its n-th call of interest, and lets none of them go on."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.border = ""

    def __call__(self, border: Border) -> Verdict:
        if not border.is_child:
            return Verdict.PROCEED
        self.left -= 1
        if self.left == 0:
            self.border = str(border)
            return Verdict.KILL
        return Verdict.HOLD if self.left < 0 else Verdict.PROCEED


class BorderCase(KillCase):
    def kill_at_every_border(self, daemon: Daemon) -> list[str]:
        """Kills before the first call of interest of a run, its second, and so on, until a run comes to its end."""
        borders: list[str] = []
        while True:
            self.keep_two_sets(daemon)
            countdown = Countdown(len(borders) + 1)
            if not self.run_until(daemon, countdown):
                # Behind the run's end it is noted that people were told of it: the countdown may have come to that meanwhile.
                if countdown.border:
                    daemon.wait()
                    self.start(daemon)
                break
            borders.append(countdown.border)
            self.check_before_start(daemon)
            self.start(daemon)
            self.check_after_start(daemon, f"kill {len(borders)}, before {countdown.border}")
        print(f"{len(borders)} borders: {dict(self.kills)}", *borders, sep="\n  ")
        return borders


class Borders(BorderCase):
    def test_a_kill_before_every_change_of_the_disk_that_a_run_makes(self) -> None:
        daemon = self.make_daemon({"globals": True, "format": "plain", "databases": ["shop", "small", "postgres"]})
        self.start(daemon)
        daemon.run("job")
        daemon.run("job")
        self.know_runs(daemon)
        borders = self.kill_at_every_border(daemon)
        self.assertGreaterEqual(len(borders), 50)
        partial, name = r"/job/\.[0-9_-]+\.partial", r"[0-9_-]+\.sql\.gz"
        for border in (
            f"mkdir .*{partial}", f"create .*{partial}/globals_{name}", f"sync .*{partial}/shop_{name}",
            f"create .*{partial}/shop_{name}.sha256", f"sync .*{partial}/shop_{name}.sha256",
            f"create .*{partial}/manifest.json", f"sync .*{partial}/manifest.json", f"sync .*{partial}",
            "rename .*/job/[0-9_-]+", "sync .*/job", r"rename .*\.removing", r"remove .*\.removing/manifest.json",
            r"remove .*\.removing", r"create .*/reports/\..*\.new", "rename .*/reports/job_.*json", r"sync .*state\.db-wal",
        ):  # fmt: skip
            self.assertRegex("\n".join(borders), f"(?m)^{border}$")
        # Before the set is renamed none is ever there, behind it always: the report and the history say the same.
        renamed = next(i for i, border in enumerate(borders) if border.startswith("rename "))
        self.assertEqual(self.kills["SUCCESS"], len(borders) - renamed - 1)
        self.check_at_the_end(daemon)

    def test_a_kill_before_every_change_of_the_disk_that_a_start_makes_while_it_cleans_up(self) -> None:
        daemon = self.make_daemon({})
        self.start(daemon)
        daemon.run("job")
        self.know_runs(daemon)
        borders: list[str] = []
        while True:
            self.assertTrue(self.run_until(daemon, kill_at("create", "manifest.json")))
            countdown = Countdown(len(borders) + 1)
            ready = daemon.notify.count("READY")
            self.launch(daemon, countdown)
            wait_for(lambda: not daemon.running or daemon.notify.count("READY") > ready, what="READY=1 or a kill")
            if daemon.running:
                break
            borders.append(countdown.border)
            self.check_before_start(daemon)
            self.start(daemon)
            self.check_after_start(daemon, f"kill {len(borders)}, before {countdown.border}", logged=False)
        print(f"{len(borders)} borders: {dict(self.kills)}", *borders, sep="\n  ")
        self.assertGreaterEqual(len(borders), 8)
        assert self.gate
        self.gate.release()
        # Behind READY it looks whether all is well, and writes that down: the countdown may have come to that meanwhile.
        killed = bool(countdown.border)
        if killed:
            daemon.wait()
            self.start(daemon)
        self.check_after_start(daemon, "the start that was not killed", logged=not killed)
        self.assertEqual(self.kills["INTERRUPTED"], len(borders) + 1)
        self.check_at_the_end(daemon)

    def test_kills_at_random_instants(self) -> None:
        seed = int(os.environ.get("PGBAKD_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        chance = random.Random(seed)
        daemon = self.make_daemon({"globals": True, "databases": ["shop", "postgres"]})
        daemon.start()
        began = time.monotonic()
        daemon.run("job")
        length = time.monotonic() - began
        self.know_runs(daemon)
        for number in range(20):
            daemon.ctl("run", "job")
            threading.Event().wait(chance.uniform(0, length))
            daemon.kill9()
            self.check_before_start(daemon)
            daemon.start()
            self.check_after_start(daemon, f"random kill {number}")
        self.check_at_the_end(daemon)


class Children(BorderCase):
    """Directory format: pg_dump forks workers, which the kernel does not end with the daemon as it ends pg_dump."""

    def test_programs_that_outlive_the_daemon_are_ended_by_the_next_start(self) -> None:
        daemon = self.make_daemon({"format": "directory", "jobs": 2})
        self.start(daemon)
        daemon.run("job")
        self.know_runs(daemon)
        outlived = kills = 0
        while True:
            hold = HoldChildren(kills + 1)
            if not self.run_until(daemon, hold):
                break
            kills += 1
            wait_for(lambda: not self.leaders(), what="pg_dump to go with the daemon")
            # Held in the middle of their work, as if they had hours of it before them.
            outlived += len(self.client_programs())
            self.check_before_start(daemon)
            held, self.gate = self.gate, None
            self.start(daemon)
            self.check_after_start(daemon, f"kill {kills}, at {hold.border}")
            assert held
            held.close()
        print(f"{kills} kills, {outlived} processes outlived the daemon")
        self.assertGreaterEqual(kills, 3, "toc.dat, and a file for each table")
        self.assertGreaterEqual(outlived, 2)
        self.assertEqual(self.kills["INTERRUPTED"], kills)
        self.assertIn("processes that it had left were ended: ", self.notes(daemon))
        self.assertIn("had left on this host: ", daemon.log())
        self.check_at_the_end(daemon)

    def test_a_kill_before_every_change_of_the_disk_from_the_dumped_directory_to_the_set(self) -> None:
        daemon = self.make_daemon({"format": "directory", "jobs": 2})
        self.start(daemon)
        daemon.run("job")
        self.know_runs(daemon)
        borders = self.kill_at_every_border(daemon)
        text = "\n".join(borders)
        for border in (r"create .*\.dir\.tar", r"remove .*\.work/toc\.dat", r"remove .*\.work/[0-9]+\.dat\.gz", r"remove .*\.work"):
            self.assertRegex(text, f"(?m)^{border}$")
        self.check_at_the_end(daemon)


if __name__ == "__main__":
    unittest.main()
