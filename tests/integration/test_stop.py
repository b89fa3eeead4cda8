"""The end of runs and of the daemon: cancel, stop, timeout; runs that are refused, and those that a stuck one holds up."""

from __future__ import annotations

import json
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import proc
from support.cases import LifeCase
from support.daemon import hourly_away_from_now

CTEST = {"timeout": 600}


class Stop(LifeCase):
    def test_cancel_ends_a_run_and_leaves_nothing_behind(self) -> None:
        daemon = self.daemon()
        daemon.start()
        run = self.start_stuck_run(daemon, self.hold_lock())
        daemon.ctl("cancel", run)
        self.assertEqual(self.server.backends("pgbakd/%"), [])
        self.assertEqual(proc.children(daemon.pid), [])
        self.assertEqual(daemon.partial_directories(), [])
        self.assertEqual(daemon.sets(), [])
        history = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual([entry["status"] for entry in history], ["CANCELLED"])
        reports = [json.loads(path.read_text(encoding="utf-8")) for path in daemon.reports.iterdir()]
        self.assertEqual([report["status"] for report in reports], ["CANCELLED"])

    def test_sigterm_in_mid_run_ends_it_within_the_grace_and_is_told_as_interrupted(self) -> None:
        daemon = self.daemon()
        daemon.start()
        self.start_stuck_run(daemon, self.hold_lock())
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.server.backends("pgbakd/%"), [])
        self.assertEqual(daemon.partial_directories(), [])
        daemon.start()
        history = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual([entry["status"] for entry in history], ["INTERRUPTED"])

    def test_a_run_that_died_with_the_daemon_is_interrupted_and_does_not_run_for_ever(self) -> None:
        daemon = self.daemon().start()
        run = self.start_stuck_run(daemon, self.hold_lock())
        daemon.kill9()
        daemon.start()
        self.assertEqual(daemon.status()["running"], [])
        history = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual([(entry["run"], entry["status"]) for entry in history], [(run, "INTERRUPTED")])
        self.assertIn("INTERRUPTED", daemon.ctl("runs").out)
        reports = [json.loads(path.read_text(encoding="utf-8")) for path in daemon.reports.iterdir()]
        self.assertEqual([(report["run"], report["status"]) for report in reports], [(run, "INTERRUPTED")])
        # Not even what it left on the server goes on, and its job may run again.
        daemon.wait_for(lambda: not self.server.backends("pgbakd/%"), what="the end of the backends of the dead run")
        self.assertEqual(daemon.ctl("run", "job").code, 0)

    def test_a_run_that_takes_too_long_is_ended_by_its_timeout(self) -> None:
        daemon = self.daemon(self.config(timeout="3s", retries={"attempts": 1}))
        daemon.start()
        self.hold_lock()
        report = daemon.run("job", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertEqual(report["error"]["code"], "timed_out")
        self.assertIn("3.0 s", report["error"]["message"])
        self.assertEqual(self.server.backends("pgbakd/%"), [])
        self.assertEqual(daemon.partial_directories(), [])

    def test_a_run_of_a_job_that_runs_already_is_refused_and_said(self) -> None:
        daemon = self.daemon()
        daemon.start()
        run = self.start_stuck_run(daemon, self.hold_lock())
        answer = daemon.ctl("run", "job", check=False)
        self.assertEqual(answer.code, 75)
        status = daemon.status()
        self.assertEqual([entry["run"] for entry in status["running"]], [run])
        self.assertEqual(status["running"][0]["stage"], "dump")
        daemon.ctl("cancel", run)

    def test_of_many_requests_for_one_job_at_once_one_is_granted(self) -> None:
        daemon = self.daemon()
        daemon.start()
        self.hold_lock()
        text = b"POST /v1/jobs/job/runs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        connections = []
        for _ in range(20):
            connection = socket.socket(socket.AF_UNIX)
            self.addCleanup(connection.close)
            connection.settimeout(120)
            connection.connect(str(daemon.control_socket))
            connections.append(connection)
        for connection in connections:
            connection.sendall(text)
        answers = sorted(connection.recv(65536).split()[1] for connection in connections)
        self.assertEqual(answers, [b"202"] + [b"409"] * 19)
        daemon.ctl("cancel", daemon.status()["running"][0]["run"])
        self.assertEqual(len(daemon.ctl("--json", "runs").json["runs"]), 1)

    def test_one_stuck_job_does_not_starve_the_others(self) -> None:
        config = self.config()
        config["limits"] = {"concurrent_runs": 2, "concurrent_runs_per_server": 2}
        self.server.createdb("other")
        self.addCleanup(self.server.dropdb, "other")
        config["jobs"]["other"] = {
            "schedule": hourly_away_from_now(), "source": {"type": "pg_dump", "server": "local", "databases": ["other"]},
        }  # fmt: skip
        daemon = self.daemon(config)
        daemon.start()
        run = self.start_stuck_run(daemon, self.hold_lock())
        self.assertEqual(daemon.run("other")["status"], "SUCCESS")
        daemon.ctl("cancel", run)


if __name__ == "__main__":
    unittest.main()
