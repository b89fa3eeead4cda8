"""What must hold after a kill -9 of the daemon, and how a kill at a chosen border is made."""

from __future__ import annotations

import json
import os
import shutil
import unittest
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import proc
from support.daemon import Daemon, config_for
from support.gate import Border, Gate, Verdict
from support.postgres import PostgresServer


class KillCase(unittest.TestCase):
    """A server and the checks; each test is long, and so has a server of its own and runs beside the others."""

    def setUp(self) -> None:
        self.server = PostgresServer()
        self.addCleanup(self.server.close)
        self.server.start()
        self.server.createdb("shop")
        self.server.createdb("small")
        self.server.sql("create table t as select i, md5(i::text) a from generate_series(1, 20000) i;"
                        "create table u as select * from t", "shop")  # fmt: skip
        self.gate: Gate | None = None
        self.known: set[str] = set()
        self.kills: Counter[str] = Counter()  # by what the run had become at the next start

    def make_daemon(self, source: dict[str, Any]) -> Daemon:
        job = {
            "source": {"type": "pg_dump", "server": "local", "databases": ["shop"], **source},
            "retention": {"local": {"last": 2, "at_least": 2}},
        }
        daemon = Daemon(config_for(self.server, jobs={"job": job}))
        self.addCleanup(daemon.close)
        return daemon

    # --- kills ---

    def launch(self, daemon: Daemon, decide: Callable[[Border], Verdict] | None = None) -> None:
        """Starts it behind a gate, which asks `decide` from the daemon's first call on; does not wait for READY."""
        if os.geteuid() != 0:
            raise unittest.SkipTest("what the daemon is about to do can only be seen by root")
        self.leave_gate()
        self.gate = Gate()
        self.addCleanup(self.gate.close)
        if decide:
            self.gate.arm(decide)
        daemon.before_exec = self.gate.enter
        daemon.launch()
        self.gate.wait_entered()

    def start(self, daemon: Daemon) -> None:
        ready = daemon.notify.count("READY")
        self.launch(daemon)
        daemon.wait_for(lambda: daemon.notify.count("READY") > ready, what="READY=1")

    def leave_gate(self) -> None:
        if self.gate:
            self.gate.close()

    def run_until(self, daemon: Daemon, decide: Callable[[Border], Verdict]) -> bool:
        """Asks for a run; whether the daemon was killed before it could tell the run's end."""
        assert self.gate
        self.gate.arm(decide)
        answer = daemon.ctl("--json", "run", "job", "--wait", check=False)
        if answer.code == 0:
            self.gate.release()
            return False
        daemon.wait()
        return True

    # --- the same state before each kill ---

    def know_runs(self, daemon: Daemon) -> None:
        """The runs so far are no concern of the checks."""
        self.known = {entry["run"] for entry in daemon.ctl("--json", "runs").json["runs"]}

    def keep_two_sets(self, daemon: Daemon) -> None:
        """So that each run prunes just one set, and makes the same calls as the one before it."""
        for entry in daemon.sets()[2:]:
            shutil.rmtree(daemon.set_directory(entry["set"]))

    def notes(self, daemon: Daemon) -> str:
        """Of all reports."""
        found = [json.loads(path.read_text(encoding="utf-8")) for path in daemon.reports.glob("[!.]*")]
        return "\n".join(note for report in found for note in report["notes"])

    def client_programs(self) -> list[int]:
        """Living processes of the client programs of any run against our server, told by their environment."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue  # gone, or not ours to read
            of_a_run = any(variable.startswith(b"PGAPPNAME=pgbakd/") for variable in variables)
            if of_a_run and f"PGHOST={self.server.host}".encode() in variables:
                found.append(int(entry.name))
        return found

    def leaders(self) -> list[int]:
        """Those that the daemon itself started: each leads its process group."""
        found = []
        for pid in self.client_programs():
            try:
                if os.getpgid(pid) == pid:
                    found.append(pid)
            except ProcessLookupError:
                continue
        return found

    # --- what must hold ---

    def check_before_start(self, daemon: Daemon) -> None:
        """What anyone sees right after a kill, before the next start: whole sets, or none."""
        listed = daemon.ctl("--json", "list").json["sets"]
        for entry in listed:
            directory = daemon.set_directory(entry["set"])
            for artifact in daemon.manifest(entry["set"])["artifacts"]:
                self.assertEqual((directory / artifact["file"]).stat().st_size, artifact["bytes"], entry)
                self.assertTrue((directory / f"{artifact['file']}.sha256").exists(), entry)
        names = {entry["set"] for entry in listed}
        on_disk = {f"{path.parent.name}/{path.name}" for path in daemon.repository.glob("*/[0-9]*")}
        self.assertEqual(names, on_disk)

    def check_after_start(self, daemon: Daemon, at: str, *, logged: bool = True) -> None:
        """What the next start has put right: one outcome for each run, and nothing left of those that died.

        Not `logged`: the start that recorded the outcome may have been killed before it came to tell it.
        """
        self.assertEqual(daemon.partial_directories(), [], at)
        self.assertEqual(list(daemon.repository.glob("*/.*.removing")), [], at)
        self.assertEqual(proc.children(daemon.pid), [], at)
        self.assertEqual(self.client_programs(), [], at)
        daemon.wait_for(lambda: not self.server.backends("pgbakd/%"), what=f"no backend of a dead run ({at})")
        history = {entry["run"]: entry for entry in daemon.ctl("--json", "runs", "--limit", "500").json["runs"]}
        told: Counter[str] = Counter()
        for path in daemon.reports.glob("[!.]*"):
            report = json.loads(path.read_text(encoding="utf-8"))
            told[report["run"]] += 1
            self.assertEqual(report["status"], history[report["run"]]["status"], (at, path))
        self.assertEqual(told, Counter(history.keys()), f"{at}: each run has one report")
        new = set(history) - self.known
        self.known |= new
        self.assertLessEqual(len(new), 1, at)
        sets = {entry["run"] for path in daemon.repository.glob("job/[0-9]*/manifest.json")
                for entry in [json.loads(path.read_text(encoding="utf-8"))]}  # fmt: skip
        for run in new:
            status = history[run]["status"]
            self.assertIn(status, ("SUCCESS", "INTERRUPTED"), at)
            self.assertEqual(status == "SUCCESS", run in sets, at)
            if status == "INTERRUPTED" and logged:
                self.assertIn(f"run {run} was interrupted", daemon.log(), at)
            self.kills[status] += 1
        if not new:
            self.kills["none"] += 1

    def check_at_the_end(self, daemon: Daemon) -> None:
        """After all this it is as good as new."""
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")
        self.assertEqual(len(daemon.sets()), 2)
        for entry in daemon.sets():
            self.assertEqual(daemon.ctl("verify", entry["set"]).code, 0)
        # Half-written reports are swept a minute later: somebody else could be writing them.
        for path in daemon.reports.glob(".*"):
            os.utime(path, (0, 0))
        daemon.stop()
        daemon.before_exec = None
        self.leave_gate()
        daemon.start()
        self.assertEqual(list(daemon.reports.glob(".*")), [])
        # What is open is what a fresh start has: nothing leaks from run to run.
        daemon.run("job")
        first = len(proc.open_files(daemon.pid))
        for _ in range(3):
            daemon.run("job")
        self.assertLessEqual(len(proc.open_files(daemon.pid)), first + 2)
