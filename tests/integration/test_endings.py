"""However a run ends, it ends in one outcome that is told in the log, the history and one report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.proc import catches
from support.process import wait_for

CTEST = {"timeout": 600}


class Endings(ServerCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        for name in ("shop", "other"):
            cls.server.createdb(name)
            cls.server.sql("create table t as select generate_series(1, 1000) i", name)

    def two_jobs(self, **more: Any) -> Daemon:
        jobs = {
            name: {"source": {"type": "pg_dump", "server": "local", "databases": [name]}, "retries": {"attempts": 1}}
            for name in ("shop", "other")
        }
        return self.start_daemon(jobs, **more)

    def start_stuck_run(self, daemon: Daemon) -> str:
        """A run of shop that waits for a lock until it is ended."""
        lock = self.hold_lock()
        run: str = daemon.ctl("--json", "run", "shop").json["run"]
        lock.wait_for_dump()
        return run

    def history(self, daemon: Daemon) -> dict[str, str]:
        return {entry["run"]: entry["status"] for entry in daemon.ctl("--json", "runs").json["runs"]}

    def reports(self, daemon: Daemon, run: str) -> list[Any]:
        found = [json.loads(path.read_text(encoding="utf-8")) for path in daemon.reports.glob("[!.]*")]
        return [report for report in found if report["run"] == run]

    def test_a_run_that_is_cancelled_while_it_waits_for_its_turn_never_started(self) -> None:
        daemon = self.two_jobs(limits={"concurrent_runs": 1})
        stuck = self.start_stuck_run(daemon)
        waiting = daemon.ctl("--json", "run", "other").json["run"]
        daemon.ctl("cancel", waiting)
        self.assertIn("other: cancelled before it started: an administrator asked for it", daemon.log())
        self.assertNotIn("other: started", daemon.log())
        self.assertEqual(self.history(daemon)[waiting], "CANCELLED")
        (report,) = self.reports(daemon, waiting)
        self.assertEqual(report["status"], "CANCELLED")
        self.assertEqual(report["error"]["message"], "before it started: an administrator asked for it")
        self.assertEqual(report["stages"], [])
        daemon.ctl("cancel", stuck)
        report = daemon.run("other")
        self.assertEqual(report["status"], "SUCCESS")
        said = {stage["name"]: stage["message"] for stage in report["stages"]}
        self.assertEqual((said["dump"], said["prune"]), ("1 of 1 part", "0 sets removed"))

    def test_a_run_that_still_waits_when_the_daemon_stops_is_told_as_interrupted(self) -> None:
        daemon = self.two_jobs(limits={"concurrent_runs": 1})
        stuck = self.start_stuck_run(daemon)
        waiting = daemon.ctl("--json", "run", "other").json["run"]
        daemon.stop()
        self.assertIn("other: interrupted before it started: the daemon was stopped", daemon.log())
        self.assertNotIn("other: started", daemon.log())
        daemon.start()
        self.assertEqual(self.history(daemon), {stuck: "INTERRUPTED", waiting: "INTERRUPTED"})

    def test_ctrl_c_while_waiting_for_a_run_says_that_it_goes_on(self) -> None:
        daemon = self.two_jobs()
        lock = self.hold_lock()
        waiting = subprocess.Popen(
            [daemon.bin / "pgbakctl", "--config", daemon.config_file, "run", "shop", "--wait"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            user=daemon.account.uid if not daemon.account.is_current else None,
        )  # fmt: skip
        self.addCleanup(waiting.communicate)
        lock.wait_for_dump()
        wait_for(lambda: catches(waiting.pid, signal.SIGINT), what="pgbakctl that waits for the run")
        waiting.send_signal(signal.SIGINT)
        _, errors = waiting.communicate()
        self.assertEqual(waiting.returncode, -signal.SIGINT)
        (run,) = self.history(daemon)
        self.assertEqual(errors, f"\npgbakctl: run {run} goes on; pgbakctl cancel {run} ends it\n")
        lock.release()
        daemon.wait_for_log("shop: succeeded")

    def test_what_cannot_be_cleaned_up_is_a_note_and_does_not_change_the_outcome(self) -> None:
        daemon = self.two_jobs()
        run = self.start_stuck_run(daemon)
        (partial,) = daemon.partial_directories()
        partial.chmod(0o500)
        daemon.ctl("cancel", run)
        self.assertEqual(self.history(daemon), {run: "CANCELLED"})
        (report,) = self.reports(daemon, run)
        self.assertEqual(report["error"]["message"], "an administrator asked for it")
        (note,) = report["notes"]
        self.assertIn(f"{partial} could not be removed, the next start tries again", note)
        self.assertIn("Permission denied", note)
        self.assertIn(note, daemon.log())
        partial.chmod(0o700)
        daemon.restart()
        self.assertEqual(daemon.partial_directories(), [])
        self.assertEqual(self.history(daemon), {run: "CANCELLED"})

    def test_a_report_that_cannot_be_written_is_told_and_the_history_has_the_outcome(self) -> None:
        daemon = self.two_jobs()
        daemon.reports.mkdir()
        os.chmod(daemon.reports, 0o000)
        self.addCleanup(os.chmod, daemon.reports, 0o700)
        report = daemon.run("other")
        self.assertEqual(report["status"], "SUCCESS")
        self.assertIn("the report could not be written", daemon.log())
        self.assertEqual(self.history(daemon), {report["run"]: "SUCCESS"})

    def test_nothing_that_a_failed_part_left_gets_into_a_set(self) -> None:
        """An artifact that failed and could not be removed must not lie beside those of a set that is committed."""
        daemon = self.two_jobs()
        programs = daemon.directory / "bin"
        programs.mkdir()
        # The first database's dump fails, and leaves its directory such that nobody can remove it.
        (programs / "pg_dump").write_text(
            f"#!/bin/sh\ncase $* in *--file=*) ;; *) exec {self.server.bin}/pg_dump \"$@\" ;; esac\n"
            f'if [ "$PGDATABASE" = shop ]; then\n'
            f"  for word; do case $word in --file=*) mkdir -p \"${{word#--file=}}/x\"; chmod 0500 \"${{word#--file=}}\" ;; esac; done\n"
            f"  echo broken >&2; exit 1\nfi\nexec {self.server.bin}/pg_dump \"$@\"\n", encoding="utf-8",
        )  # fmt: skip
        (programs / "pg_dump").chmod(0o755)
        os.symlink(self.server.bin / "pg_dumpall", programs / "pg_dumpall")
        source = {"type": "pg_dump", "server": "local", "databases": ["shop", "other"], "format": "directory"}
        config = config_for(self.server, jobs={"both": {"source": source, "retries": {"attempts": 1}}})
        config["servers"]["local"]["client"] = {"bin": str(programs)}
        daemon.write_config(config)
        daemon.ctl("reload")
        report = daemon.run("both", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertEqual(daemon.sets(), [])
        (note,) = report["notes"]
        self.assertIn("could not be removed", note)
        for path in daemon.repository.glob("*/.*.partial/*"):
            path.chmod(0o700)
        daemon.restart()
        self.assertEqual(daemon.partial_directories(), [])


if __name__ == "__main__":
    unittest.main()
