"""The daemon's life: start, reload, stop, cancel, catch-up, a second daemon; what systemd and an administrator see."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import proc
from support.cases import ServerCase
from support.daemon import Daemon, config_for, hourly_away_from_now
from support.process import wait_for

CTEST = {"timeout": 240}


class LifeCase(ServerCase):
    shop_rows = 1000

    def config(self, **job: Any) -> dict[str, Any]:
        base = {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}}
        return config_for(self.server, jobs={"job": {**base, **job}})

    def daemon(self, config: dict[str, Any] | None = None, **more: Any) -> Daemon:
        return self.new_daemon(config or self.config(), **more)

    def hold_lock(self) -> subprocess.Popen[bytes]:
        """A dump waits for this session for as long as it lives: a run that is certainly in the middle."""
        holder = subprocess.Popen(
            [self.server.bin / "psql", "-qX", "-c", "begin; lock table t in access exclusive mode; select pg_sleep(3600)"],
            env=self.server.environment("shop"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            user=self.server.account.uid if not self.server.account.is_current else None,
        )  # fmt: skip

        def release() -> None:
            holder.kill()
            holder.wait()
            self.server.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' "
                            "and pid <> pg_backend_pid()")

        self.addCleanup(release)
        held = "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation is not null"
        wait_for(lambda: self.server.sql(held, "shop") != "0", 30, "the lock")
        return holder

    def start_stuck_run(self, daemon: Daemon) -> str:
        run: str = daemon.ctl("--json", "run", "job").json["run"]
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'pgbakd/%'"
        daemon.wait_for(lambda: self.server.sql(waiting) != "0", what="a dump that waits for the lock")
        return run


class Start(LifeCase):
    def test_readiness_status_and_stop_as_systemd_sees_them(self) -> None:
        daemon = self.daemon()
        daemon.start()
        self.assertEqual(daemon.notify.count("READY"), 1)
        self.assertIn("ready: 1 job; next is job at", daemon.log())
        self.assertIn("next is job", daemon.notify.status)
        daemon.run("job")
        daemon.wait_for(lambda: "running" not in daemon.notify.status, what="a status without the run that has ended")
        self.assertEqual(daemon.stop(), 0)
        daemon.notify.wait("STOPPING")
        self.assertEqual(daemon.notify.count("STOPPING"), 1)
        self.assertFalse(daemon.control_socket.exists())

    def test_the_watchdog_is_fed(self) -> None:
        daemon = self.daemon(watchdog_seconds=0.4)
        daemon.start()
        daemon.notify.wait("WATCHDOG", times=4)

    def test_a_wrong_configuration_is_told_whole_and_nothing_starts(self) -> None:
        config = self.config(schedule="dayly at 25:00", timeout="soon")
        config["jobs"]["job"]["source"]["server"] = "lokal"
        daemon = self.daemon(config)
        daemon.launch()
        self.assertEqual(daemon.wait(), 3)
        for words in ("jobs.job.schedule", "jobs.job.timeout", 'did you mean "local"?'):
            self.assertIn(words, daemon.log())
        self.assertEqual(daemon.notify.count("READY"), 0)

    def test_a_secret_that_cannot_be_read_is_told_at_the_start_and_not_at_night(self) -> None:
        config = self.config()
        config["servers"]["local"]["password"] = {"env": "PGBAKD_TEST_NOT_SET"}
        daemon = self.daemon(config)
        daemon.launch()
        self.assertEqual(daemon.wait(), 3)
        self.assertIn("PGBAKD_TEST_NOT_SET is not set", daemon.log())

    def test_a_second_daemon_on_the_same_repository_is_refused_and_does_no_harm(self) -> None:
        first = self.daemon()
        first.start()
        config = self.config()
        config["repository"] = {"directory": str(first.repository)}
        config["reports"] = {"directory": str(first.reports)}
        second = self.daemon(config)
        second.launch()
        self.assertEqual(second.wait(), 75)
        self.assertIn(f"pid {first.pid}", second.log())
        self.assertEqual(first.run("job")["status"], "SUCCESS")

    def test_a_control_socket_that_somebody_serves_is_not_taken(self) -> None:
        first = self.daemon()
        first.start()
        config = self.config()
        config["api"] = {"socket": str(first.control_socket)}
        second = self.daemon(config)
        second.launch()
        self.assertEqual(second.wait(), 75)
        self.assertEqual(first.ctl("status").code, 0)

    def test_it_runs_as_an_unprivileged_user_and_keeps_its_files_to_itself(self) -> None:
        daemon = self.daemon()
        daemon.start()
        daemon.run("job")
        state = daemon.directory / "state"
        for path in [*state.rglob("*")]:
            mode = path.stat().st_mode & 0o777
            self.assertEqual(mode, 0o700 if path.is_dir() else 0o600, path)
        if os.getuid() == 0:
            status = Path(f"/proc/{daemon.pid}/status").read_text(encoding="utf-8")
            self.assertIn(f"Uid:\t{daemon.account.uid}\t", status)


class Reload(LifeCase):
    def test_a_good_file_is_taken_over_at_once(self) -> None:
        daemon = self.daemon()
        daemon.start()
        config = self.config()
        config["jobs"]["second"] = {"schedule": hourly_away_from_now(), "source": config["jobs"]["job"]["source"]}
        daemon.write_config(config)
        answer = daemon.ctl("reload")
        self.assertIn("job second added", answer.out)
        self.assertEqual(daemon.notify.count("RELOADING"), 1)
        self.assertTrue(daemon.notify.values("MONOTONIC_USEC"))
        self.assertEqual(daemon.notify.count("READY"), 2)
        self.assertEqual(daemon.run("second")["status"], "SUCCESS")

    def test_a_warning_is_shown_and_refuses_nothing(self) -> None:
        daemon = self.daemon()
        daemon.start()
        daemon.write_config(self.config(schedule="monthly on 31 at 03:00"))
        answer = daemon.ctl("reload")
        self.assertIn("job job changed", answer.out)
        self.assertRegex(answer.err, r"warning: jobs\.job\.schedule: ")
        self.assertEqual(daemon.ctl("--json", "reload").json["problems"][0]["severity"], "warning")

    def test_a_broken_file_is_refused_with_every_problem_and_the_old_one_stays_in_force(self) -> None:
        daemon = self.daemon()
        daemon.start()
        good = daemon.config_file.read_text(encoding="utf-8")
        daemon.write_config("jobs:\n  job:\n    schedul: daily at 02:00\n    source: {type: pg_dump}\n  x: [\n")
        # A file in which not even the socket's path can be read: the tool itself sees that it is wrong.
        answer = daemon.ctl("reload", check=False)
        self.assertEqual(answer.code, 3, answer)
        self.assertIn(f"{daemon.config_file}:", answer.out + answer.err)
        answer = daemon.ctl("--socket", daemon.control_socket, "reload", check=False)
        self.assertEqual(answer.code, 3, answer)
        self.assertIn(f"{daemon.config_file}:", answer.out + answer.err)
        daemon.wait_for_log("reload refused")
        daemon.write_config(good)
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")

    def test_sighup_does_the_same(self) -> None:
        daemon = self.daemon()
        daemon.start()
        daemon.write_config(self.config(schedule=hourly_away_from_now()))
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_log("reloaded: job job changed")
        daemon.write_config("nonsense: [")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_log("reload refused")
        self.assertTrue(daemon.running)

    def test_what_only_a_restart_can_change_is_refused_by_name(self) -> None:
        daemon = self.daemon()
        daemon.start()
        config = self.config()
        config["repository"] = {"directory": str(daemon.directory / "state" / "elsewhere")}
        daemon.write_config(config)
        answer = daemon.ctl("reload", check=False)
        self.assertEqual(answer.code, 3)
        self.assertIn("repository.directory", answer.out + answer.err)

    def test_a_run_in_flight_ends_under_the_job_it_began_with(self) -> None:
        daemon = self.daemon()
        daemon.start()
        holder = self.hold_lock()
        run = self.start_stuck_run(daemon)
        config = self.config()
        config["jobs"] = {"other": {"schedule": hourly_away_from_now(), "source": config["jobs"]["job"]["source"]}}
        daemon.write_config(config)
        daemon.ctl("reload")
        holder.kill()
        self.server.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' "
                        "and pid <> pg_backend_pid()")
        daemon.wait_for_log("job: succeeded")
        self.assertIn(run, daemon.ctl("runs").out)


class Stop(LifeCase):
    def test_cancel_ends_a_run_and_leaves_nothing_behind(self) -> None:
        daemon = self.daemon()
        daemon.start()
        self.hold_lock()
        run = self.start_stuck_run(daemon)
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
        self.hold_lock()
        self.start_stuck_run(daemon)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.server.backends("pgbakd/%"), [])
        self.assertEqual(daemon.partial_directories(), [])
        daemon.start()
        history = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual([entry["status"] for entry in history], ["INTERRUPTED"])

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
        self.hold_lock()
        run = self.start_stuck_run(daemon)
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
            connection.settimeout(40)
            connection.connect(str(daemon.control_socket))
            connections.append(connection)
        for connection in connections:
            connection.sendall(text)
        answers = sorted(connection.recv(65536).split()[1] for connection in connections)
        self.assertEqual(answers, [b"202"] + [b"409"] * 19)
        daemon.ctl("cancel", daemon.status()["running"][0]["run"])
        self.assertEqual(len(daemon.ctl("--json", "runs").json["runs"]), 1)

    def test_a_reload_that_raises_the_limits_starts_what_waits(self) -> None:
        config = self.config()
        config["limits"] = {"concurrent_runs": 1}
        self.server.createdb("other")
        self.addCleanup(self.server.dropdb, "other")
        config["jobs"]["other"] = {
            "schedule": hourly_away_from_now(), "source": {"type": "pg_dump", "server": "local", "databases": ["other"]},
        }  # fmt: skip
        daemon = self.daemon(config)
        daemon.start()
        self.hold_lock()
        run = self.start_stuck_run(daemon)
        daemon.ctl("run", "other")
        config["limits"] = {"concurrent_runs": 2, "concurrent_runs_per_server": 2}
        daemon.write_config(config)
        daemon.ctl("reload")
        daemon.wait_for_log("other: succeeded")
        daemon.ctl("cancel", run)

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
        self.hold_lock()
        run = self.start_stuck_run(daemon)
        self.assertEqual(daemon.run("other")["status"], "SUCCESS")
        daemon.ctl("cancel", run)


class Schedule(LifeCase):
    def move_anchor(self, daemon: Daemon, seconds: int) -> None:
        """As if the daemon had been down for that long."""
        with sqlite3.connect(daemon.directory / "state" / "state.db") as connection:
            tables = [row[0] for row in connection.execute("select name from sqlite_master where sql like '%anchor%'")]
            self.assertEqual(len(tables), 1)
            connection.execute(f"update {tables[0]} set anchor = anchor - ?", (seconds,))
        connection.close()

    def test_a_new_job_does_not_run_at_once_and_a_fire_missed_while_down_is_caught_up_once(self) -> None:
        daemon = self.daemon(self.config(schedule=hourly_away_from_now()))
        daemon.start()
        self.assertEqual(daemon.ctl("--json", "runs").json["runs"], [])
        daemon.stop()
        self.move_anchor(daemon, 5 * 3600)
        daemon.start()
        daemon.wait_for_log("succeeded")
        self.assertIn("missed 5 fires", daemon.log())
        history = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual([(entry["trigger"], entry["status"]) for entry in history], [("catch-up", "SUCCESS")])
        daemon.restart()
        self.assertEqual(len(daemon.ctl("--json", "runs").json["runs"]), 1, "a slot runs once")

    def test_catch_up_skip_runs_nothing_and_says_what_was_missed(self) -> None:
        daemon = self.daemon(self.config(schedule=hourly_away_from_now(), catch_up="skip"))
        daemon.start()
        daemon.stop()
        self.move_anchor(daemon, 2 * 3600)
        daemon.start()
        daemon.wait_for_log("missed 2 fires")
        daemon.wait_for(lambda: daemon.ctl("--json", "runs").json["runs"], what="the record of the skip")
        self.assertEqual([entry["status"] for entry in daemon.ctl("--json", "runs").json["runs"]], ["SKIPPED"])
        self.assertEqual(daemon.sets(), [])

    def test_a_fire_by_the_clock_starts_a_run_with_its_slot(self) -> None:
        daemon = self.daemon(self.config(schedule="* * * * *"))
        daemon.start()
        daemon.wait_for(lambda: "job: succeeded" in daemon.log(), timeout=90, what="the fire of the next minute")
        history = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual((history[-1]["trigger"], history[-1]["status"]), ("schedule", "SUCCESS"))


class ControlSocket(LifeCase):
    def request(self, daemon: Daemon, text: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(40)
            connection.connect(str(daemon.control_socket))
            connection.sendall(text)
            found = b""
            while piece := connection.recv(65536):
                found += piece
            return found

    def test_wrong_requests_get_an_answer_that_says_why_and_harm_nothing(self) -> None:
        daemon = self.daemon()
        daemon.start()
        close = b"Host: x\r\nConnection: close\r\n\r\n"
        for text, status in [
            (b"GET /nowhere HTTP/1.1\r\n" + close, b"404"),
            (b"PUT /v1/status HTTP/1.1\r\n" + close, b"405"),
            (b"POST /v1/jobs/nobody/runs HTTP/1.1\r\n" + close, b"404"),
            (b"GET /v1/runs/..%2F..%2Fetc HTTP/1.1\r\n" + close, b"404"),
            (b"GET /v1/runs/nonsense HTTP/1.1\r\n" + close, b"400"),
            (b"GET /%zz HTTP/1.1\r\n" + close, b"400"),
            (b"GET /v1/status HTTP/1.1\r\nX: " + b"x" * 20000 + b"\r\n\r\n", b"413"),
            (b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70000, b"413"),
            (b"\x16\x03\x01 what is this\r\n\r\n", b"400"),
        ]:
            answer = self.request(daemon, text)
            self.assertIn(b"HTTP/1.1 " + status, answer[:20], (text[:60], answer[:300]))
            self.assertIn(b'"error"', answer)
        self.assertEqual(daemon.ctl("status").code, 0)

    def test_a_run_that_goes_on_tells_its_stages(self) -> None:
        daemon = self.daemon()
        daemon.start()
        self.hold_lock()
        run = self.start_stuck_run(daemon)
        answer = self.request(daemon, f"GET /v1/runs/{run} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        report = json.loads(answer.split(b"\r\n\r\n", 1)[1])
        stages = [(stage["name"], stage["status"]) for stage in report["stages"]]
        self.assertEqual(stages, [("preflight", "ok"), ("dump", "running")])
        self.assertEqual(report["status"], "RUNNING")
        daemon.ctl("cancel", run)

    def test_more_connections_than_allowed_do_not_hurt_those_that_are_there(self) -> None:
        daemon = self.daemon()
        daemon.start()
        held = []
        for _ in range(80):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(daemon.control_socket))
            held.append(connection)
        for connection in held:
            connection.close()
        daemon.wait_for(lambda: daemon.ctl("status", check=False).code == 0, what="an answer")
        self.assertTrue(daemon.running)

    def test_progress_is_streamed_until_the_run_has_ended(self) -> None:
        daemon = self.daemon()
        daemon.start()
        self.hold_lock()
        run = self.start_stuck_run(daemon)
        connection = http.client.HTTPConnection("x")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(daemon.control_socket))
        connection.request("GET", f"/v1/runs/{run}/events")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.readline(), b"event: progress\n")
        progress = json.loads(answer.readline().removeprefix(b"data: "))
        self.assertEqual((progress["run"], progress["stage"]), (run, "dump"))
        daemon.ctl("cancel", run)
        rest = answer.read()
        self.assertIn(b"event: finished\n", rest)
        self.assertIn(b'"CANCELLED"', rest)
        connection.close()


if __name__ == "__main__":
    unittest.main()
