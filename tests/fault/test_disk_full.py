"""A disk that is full at any write: the run fails by that name, nothing half-written stays, older sets do.

Where it strikes is chosen by the gate (support/gate.py): the daemon is held just before a call, and then either the
disk is really filled, or that call and all that follow end with ENOSPC as they would on a disk that was full all along.
The second reaches what a real file system here cannot refuse at will: each fsync, and the making of each file.
"""

from __future__ import annotations

import os
import re
import sys
import unittest
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.gate import Border, Gate, Verdict
from support.process import unprivileged_account
from support.tmpfs import Tmpfs

CTEST = {"timeout": 900}
SIZE = 24 << 20
# name, source, compression, what an artifact's name ends in
FORMATS = [
    ("custom", {}, "none", ".dump"),
    ("plain, gzip", {"format": "plain"}, "gzip:1", ".sql.gz"),
    ("plain, zstd", {"format": "plain"}, "zstd:1", ".sql.zst"),
    ("directory", {"format": "directory", "jobs": 2}, "none", ".dir.tar"),
]
PARTIAL = r"/repository/job/\.[0-9_-]+\.partial"
ENDINGS = {"globals": "/globals_", "sidecar": ".sha256", "manifest": "manifest.json", "work directory": ".work"}
# The kinds of places that a run writes to, by a call on one of them; pg_dump itself writes into .work.
KINDS = {
    "partial directory": rf"(mkdir|sync) .*{PARTIAL}",
    "work directory": rf"(mkdir|create|write|sync) .*{PARTIAL}/shop_[^/]*\.work(/.*)?",
    "globals": rf"(create|write|sync) .*{PARTIAL}/globals_[^/]*\.sql(\.gz|\.zst)?",
    "artifact": rf"(create|write|sync) .*{PARTIAL}/shop_[^/]*\.(dump|sql|sql\.gz|sql\.zst|dir\.tar)",
    "sidecar": rf"(create|write|sync) .*{PARTIAL}/.*\.sha256",
    "manifest": rf"(create|write|sync) .*{PARTIAL}/manifest\.json",
    "set": rf"(rename .*/job/[0-9_-]+|sync .*/repository/job)",
    "report": r"(create|write|sync|rename) .*/reports(/.*)?",
}


def kind_of(border: Border) -> str:
    """Of a call on the repository or the reports; nothing for one that is no concern here."""
    text = str(border).removeprefix("a child to ")
    return next((kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, text)), "")


class Count:
    """Lets everything happen, and counts the calls: "artifact: write" → how many."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __call__(self, border: Border) -> Verdict:
        if kind := kind_of(border):
            self.calls[f"{kind}: {border.name}"] += 1
        return Verdict.PROCEED


class NoSpaceFrom:
    """From the n-th such call on, those that need room end with ENOSPC."""

    def __init__(self, call: str, number: int) -> None:
        self._call, self._left = call, number
        self.border: Border | None = None

    def __call__(self, border: Border) -> Verdict:
        kind = kind_of(border)
        if self.border:
            # What is renamed back needs no room.
            return Verdict.NO_SPACE if kind and border.name != "rename" else Verdict.PROCEED
        if f"{kind}: {border.name}" == self._call:
            self._left -= 1
            if self._left == 0:
                self.border = border
                return Verdict.NO_SPACE
        return Verdict.PROCEED


class FillAt:
    """Fills the disk just before the first call of that name on that kind of file, but for `leave` bytes."""

    def __init__(self, disk: Tmpfs, name: str, kind: str, leave: int) -> None:
        self._disk, self._name, self._kind, self._leave = disk, name, kind, leave
        self.ballast: Path | None = None

    def __call__(self, border: Border) -> Verdict:
        if not self.ballast and border.name == self._name and kind_of(border) == self._kind:
            self.ballast = self._disk.fill(self._leave)
        return Verdict.PROCEED


class DiskCase(ServerCase):
    shop_rows = 20_000

    def disk(self) -> Tmpfs:
        found = Tmpfs(SIZE, unprivileged_account())
        self.addCleanup(found.close)
        return found

    def config(self, disk: Tmpfs, keep: int, source: dict[str, Any] | None = None, compression: str = "none") -> dict[str, Any]:
        whole = {"type": "pg_dump", "server": "local", "databases": ["shop"], "globals": True, **(source or {})}
        return config_for(
            self.server,
            jobs={"job": {"source": whole, "compression": compression, "retries": {"attempts": 1},
                          "retention": {"local": {"last": keep, "at_least": 1}}}},
            repository={"directory": str(disk.path / "repository"), "min_free": "0"},
            reports={"directory": str(disk.path / "reports")},
        )  # fmt: skip

    def gated(self, config: dict[str, Any], *, writes: bool) -> tuple[Daemon, Gate]:
        if os.geteuid() != 0:
            raise unittest.SkipTest("what the daemon is about to do can only be seen by root")
        gate = Gate(writes=writes)
        self.addCleanup(gate.close)  # after the daemon's own
        daemon = self.new_daemon(config)
        daemon.before_exec = gate.enter
        daemon.launch()
        gate.wait_entered()
        daemon.notify.wait("READY")
        return daemon, gate

    def run_under(self, daemon: Daemon, gate: Gate, decide: Callable[[Border], Verdict]) -> dict[str, Any]:
        gate.arm(decide)
        report: dict[str, Any] = daemon.ctl("--json", "run", "job", "--wait", check=False).json
        gate.release()
        self.assertTrue(daemon.running, daemon.log())
        return report

    def check_failed(self, report: dict[str, Any], call: str, kind: str, path: str) -> None:
        """The failure of a run that found no room where this file, or directory, is written."""
        self.assertEqual(report["status"], "FAILED", report)
        failed = [stage["name"] for stage in report["stages"] if stage["status"] == "failed"]
        # Artifacts are flushed once more when all are there.
        stages = ["dump", "commit"] if kind in ("globals", "artifact") and call == "sync" else [
            "dump" if kind in ("globals", "artifact", "work directory") or call == "mkdir" else "commit"]  # fmt: skip
        self.assertIn(failed, [[stage] for stage in stages], report)
        error = report["error"]
        self.assertEqual(error["code"], "no_space", report)
        # pg_dump names no file of its own directory: the directory is named then.
        named = re.sub(r"(\.work)/.*", r"\1", path)
        self.assertIn(named, error["message"])
        self.assertIn("o space left on device", error["message"])
        self.assertIn("free space on that file system", error["hint"])
        self.assertRegex(error["hint"], r"^[0-9.]+ (B|KiB|MiB) of 24\.0 MiB available there: ")

    def refuse(self, disk: Tmpfs, daemon: Daemon, gate: Gate, call: str, number: int) -> None:
        """One run that finds no room from the n-th such call on."""
        before = [entry["set"] for entry in daemon.sets()]
        full = NoSpaceFrom(call, number)
        report = self.run_under(daemon, gate, full)
        self.assertTrue(full.border, report)
        assert full.border
        kind, _, name = call.partition(": ")
        if kind == "report":
            # The set is there by then; what cannot be written down is said.
            self.assertEqual(report["status"], "SUCCESS", report)
            self.assertTrue([note for note in report["notes"] if note.startswith("the report could not be written: ")], report)
        else:
            self.check_failed(report, name, kind, full.border.path)
        self.check_repository(disk, daemon, before, report["status"] == "SUCCESS")

    def keep_newest(self, disk: Tmpfs, daemon: Daemon) -> None:
        """So that there is room for what comes."""
        for entry in daemon.sets()[1:]:
            directory = disk.path / "repository" / entry["set"]
            for path in directory.iterdir():
                path.unlink()
            directory.rmdir()

    def check_repository(self, disk: Tmpfs, daemon: Daemon, before: list[str], succeeded: bool) -> None:
        """No half set, and all that was there before."""
        self.assertEqual(list((disk.path / "repository").glob("*/.*.partial")), [])
        names = [entry["set"] for entry in daemon.sets()]
        self.assertEqual(names[1:] if succeeded else names, before)
        for name in names:
            self.assertEqual(daemon.ctl("verify", name).code, 0)


class EveryCall(DiskCase):
    CTEST = {"cost": 35}

    def test_no_space_at_every_call_of_a_run(self) -> None:
        for name, source, compression, ending in FORMATS:
            with self.subTest(name):
                disk = self.disk()
                daemon, gate = self.gated(self.config(disk, 50, source, compression), writes=True)
                self.assertEqual(daemon.run("job")["status"], "SUCCESS")
                counted = Count()
                self.assertEqual(self.run_under(daemon, gate, counted)["status"], "SUCCESS")
                print(f"{name}: {dict(counted.calls)}")
                wanted = ["partial directory: mkdir", "partial directory: sync", "set: rename", "set: sync",
                          *(f"{kind}: {call}" for kind in ("globals", "artifact", "sidecar", "manifest", "report")
                            for call in ("create", "write", "sync"))]  # fmt: skip
                if ending == ".dir.tar":
                    wanted += ["work directory: mkdir", "work directory: create", "work directory: write"]
                self.assertEqual(set(wanted) - set(counted.calls), set())
                for call, times in counted.calls.items():
                    for number in sorted({1, (times + 1) // 2, times}):
                        with self.subTest(format=name, call=call, number=number):
                            self.refuse(disk, daemon, gate, call, number)
                        self.keep_newest(disk, daemon)
                self.assertEqual(daemon.run("job")["status"], "SUCCESS")
                daemon.close()
                gate.close()


class DiskFull(DiskCase):
    CTEST = {"cost": 25}

    def test_a_disk_that_is_really_full_from_some_moment_of_a_run_on(self) -> None:
        for name, source, compression, ending in FORMATS:
            with self.subTest(name):
                disk = self.disk()
                daemon, gate = self.gated(self.config(disk, 50, source, compression), writes=False)
                size = daemon.run("job")["size_bytes"]
                moments = [("mkdir", "partial directory", 0), ("create", "artifact", 0), ("create", "artifact", size // 3),
                           ("create", "sidecar", 0), ("create", "manifest", 0), ("create", "report", 0),
                           ("mkdir", "partial directory", 3 * size)]  # fmt: skip
                if ending == ".dir.tar":
                    moments += [("mkdir", "work directory", 0), ("mkdir", "work directory", size // 3)]
                outcomes: Counter[str] = Counter()
                for call, kind, leave in moments:
                    with self.subTest(format=name, call=call, kind=kind, leave=leave):
                        before = [entry["set"] for entry in daemon.sets()]
                        full = FillAt(disk, call, kind, leave)
                        report = self.run_under(daemon, gate, full)
                        assert full.ballast
                        full.ballast.unlink()
                        outcomes[report["status"]] += 1
                        if kind == "report" or leave > size:
                            self.assertEqual(report["status"], "SUCCESS", report)
                        else:
                            # The directory itself takes no room on a tmpfs: what is written into it first does.
                            written = {"partial directory": "globals"}.get(kind, kind)
                            self.check_failed(report, "write", written, ENDINGS[written] if written in ENDINGS else ending)
                        self.check_repository(disk, daemon, before, report["status"] == "SUCCESS")
                        # What became of it is in the history, with room at the latest.
                        daemon.wait_for(lambda: self.status(daemon, report["run"]) == report["status"])
                        self.keep_newest(disk, daemon)
                self.assertEqual(outcomes, {"SUCCESS": 2, "FAILED": len(moments) - 2})
                self.assertEqual(daemon.run("job")["status"], "SUCCESS")
                daemon.close()
                gate.close()

    @staticmethod
    def status(daemon: Daemon, run: str) -> str:
        return next(str(entry["status"]) for entry in daemon.ctl("--json", "runs").json["runs"] if entry["run"] == run)

    def test_a_stopped_daemon_says_what_to_do_and_prune_does_it(self) -> None:
        disk = self.disk()
        daemon = self.new_daemon(self.config(disk, keep=50)).start()
        oldest, good, rotten = (daemon.run("job")["set"] for _ in range(3))
        artifact = next((disk.path / "repository" / rotten).glob("shop_*.dump"))
        artifact.write_bytes(artifact.read_bytes()[:-1] + b"x")
        self.assertEqual(daemon.ctl("verify", rotten, check=False).code, 4)
        daemon.stop()
        daemon.write_config(self.config(disk, keep=1))
        ballast = disk.fill()
        self.assertEqual(disk.free(), 0)

        daemon.launch()
        self.assertNotIn(daemon.wait(), (0, 3))
        for words in ("state.db: no space left", "0 B of 24.0 MiB available", "pgbakctl prune --apply"):
            self.assertIn(words, daemon.log())

        # What was found rotten counts for nothing although the catalog cannot be opened in the usual way.
        answer = daemon.ctl("prune", "--apply")
        self.assertIn("1 set deleted, 2 kept", answer.out)
        self.assertEqual([entry["set"] for entry in daemon.sets()], [rotten, good])
        self.assertFalse((disk.path / "repository" / oldest).exists())
        daemon.start()
        ballast.unlink()
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")

    def test_preflight_refuses_what_would_not_fit_and_says_the_figures(self) -> None:
        config = config_for(
            self.server, jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["postgres"]}}},
            repository={"min_free": "900 TiB"},
        )  # fmt: skip
        daemon = self.new_daemon(config).start()
        report = daemon.run("job", check=False)
        self.assertEqual(report["error"]["code"], "no_space")
        self.assertIn("900 TiB must stay free", report["error"]["message"])
        self.assertEqual([stage["name"] for stage in report["stages"]], ["preflight"])


if __name__ == "__main__":
    unittest.main()
