"""Schedules of the real daemon: missed fires by policy, kills around the record of a slot, restarts, one-shots."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, config_for, hourly_away_from_now
from support.postgres import PostgresServer
from support.process import wait_for

CTEST = {"timeout": 300}
RESTARTS = int(os.environ.get("PGBAKD_RESTARTS", "30"))


class ScheduleCase(unittest.TestCase):
    server: PostgresServer

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = PostgresServer()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.server.createdb("shop")
        cls.server.sql("create table t as select generate_series(1, 1000) i", "shop")

    def config(self, **job: Any) -> dict[str, Any]:
        base = {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"], "fingerprint": "none"}}
        return config_for(self.server, jobs={"job": {**base, **job}})

    def daemon(self, config: dict[str, Any]) -> Daemon:
        found = Daemon(config)
        self.addCleanup(found.close)
        return found

    @staticmethod
    def state(daemon: Daemon, query: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(daemon.directory / "state" / "state.db", timeout=30)
        try:
            with connection:
                return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def down_for(self, daemon: Daemon, seconds: int) -> None:
        """As if the daemon, which is stopped, had been so for that long."""
        self.state(daemon, "update job_states set anchor = anchor - ?", seconds)

    @staticmethod
    def runs(daemon: Daemon) -> list[dict[str, Any]]:
        """Oldest first."""
        found: list[dict[str, Any]] = daemon.ctl("--json", "runs", "--limit", "1000").json["runs"]
        return found[::-1]


class CatchUp(ScheduleCase):
    """Five fires of an hourly job go by while the daemon is down; the last of them half an hour ago."""

    def missed(self, catch_up: str) -> Daemon:
        daemon = self.daemon(self.config(schedule=hourly_away_from_now(), catch_up=catch_up))
        daemon.start()
        self.assertEqual(self.runs(daemon), [], "a new job starts with its next fire")
        daemon.stop()
        self.down_for(daemon, 5 * 3600)
        daemon.start()
        daemon.wait_for_log("missed 5 fires")
        return daemon

    def ended(self, daemon: Daemon, count: int) -> list[tuple[str, str]]:
        def found() -> list[dict[str, Any]]:
            return [run for run in self.runs(daemon) if run["status"] != "RUNNING"]

        daemon.wait_for(lambda: len(found()) >= count, timeout=60, what=f"{count} runs")
        slots = [run["slot"] for run in found()]
        self.assertEqual(slots, sorted(set(slots)), "each slot once, the oldest first")
        before = [(run["trigger"], run["status"]) for run in found()]
        # Whatever was decided is decided once.
        daemon.restart()
        self.assertEqual([(run["trigger"], run["status"]) for run in found()], before)
        return before

    def test_once_runs_the_latest(self) -> None:
        self.assertEqual(self.ended(self.missed("once"), 1), [("catch-up", "SUCCESS")])

    def test_once_within_a_window_that_holds_runs_the_latest(self) -> None:
        self.assertEqual(self.ended(self.missed("once within 2h"), 1), [("catch-up", "SUCCESS")])

    def test_once_within_a_window_that_is_over_says_so(self) -> None:
        daemon = self.missed("once within 5m")
        self.assertEqual(self.ended(daemon, 1), [("schedule", "SKIPPED")])
        self.assertIn("missed too long ago", daemon.log())

    def test_skip_runs_nothing(self) -> None:
        daemon = self.missed("skip")
        self.assertEqual(self.ended(daemon, 1), [("schedule", "SKIPPED")])
        self.assertEqual(daemon.sets(), [])

    def test_all_runs_one_after_another(self) -> None:
        daemon = self.missed("all")
        self.assertEqual(self.ended(daemon, 5), [("catch-up", "SUCCESS")] * 5)
        runs = self.runs(daemon)
        for before, after in zip(runs, runs[1:]):
            self.assertLessEqual(before["finished_at"], after["started_at"])


class Kills(ScheduleCase):
    def hold_lock(self) -> subprocess.Popen[bytes]:
        """A dump waits for this session for as long as it lives."""
        holder = subprocess.Popen(
            [self.server.bin / "psql", "-qX", "-c", "begin; lock table t in access exclusive mode; select pg_sleep(3600)"],
            env=self.server.environment("shop"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            user=self.server.account.uid if not self.server.account.is_current else None,
        )  # fmt: skip
        self.addCleanup(self.release, holder)
        held = "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation is not null"
        wait_for(lambda: self.server.sql(held, "shop") != "0", 30, "the lock")
        return holder

    def release(self, holder: subprocess.Popen[bytes]) -> None:
        holder.kill()
        holder.wait()
        self.server.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' "
                        "and pid <> pg_backend_pid()")

    def test_killed_between_the_record_of_a_slot_and_its_run(self) -> None:
        config = self.config(schedule="calendar *-*-* *:*:00/2", catch_up="all", overlap="queue")
        config["limits"] = {"concurrent_runs": 1}
        blocker = {"schedule": hourly_away_from_now(), "source": config["jobs"]["job"]["source"]}
        daemon = self.daemon({**config, "jobs": {"blocker": blocker}})
        daemon.start()
        holder = self.hold_lock()
        # The one place for runs is taken by a run that waits for the lock: the next is recorded, and waits.
        daemon.ctl("run", "blocker")
        daemon.write_config({**config, "jobs": {"blocker": blocker, **config["jobs"]}})
        daemon.ctl("reload")
        recorded = daemon.wait_for(lambda: self.state(daemon, "select slot from slots where job = 'job'"), what="a slot")
        self.assertNotIn("job: started", daemon.log())
        daemon.kill9()
        self.release(holder)
        daemon.start()
        daemon.wait_for(lambda: any(run["job"] == "job" and run["status"] == "SUCCESS" for run in self.runs(daemon)),
                        what="a run by the clock")
        runs = [run for run in self.runs(daemon) if run["job"] == "job"]
        first = [run for run in runs if run["slot"] == runs[0]["slot"]]
        self.assertEqual([run["status"] for run in first], ["INTERRUPTED"], runs)
        self.assertEqual(len(recorded), 1)
        self.check_slots(daemon)

    def check_slots(self, daemon: Daemon) -> int:
        """Every fire since the job was known has one run, and one only: with `catch_up: all` none may go by."""
        (anchor,) = self.state(daemon, "select anchor from job_states where job = 'job'")[0]
        runs = [run for run in self.runs(daemon) if run["job"] == "job"]
        slots = [datetime.fromisoformat(run["slot"].replace("Z", "+00:00")) for run in runs]
        self.assertEqual(slots, sorted(set(slots)), "no slot twice")
        expected = slots[0]
        for slot in slots:
            self.assertEqual(slot, expected, "no slot lost")
            expected += timedelta(seconds=2)
        self.assertLessEqual(slots[-1], datetime.fromtimestamp(anchor, timezone.utc))
        return len(slots)

    def test_restarts_at_random_instants_lose_and_double_nothing(self) -> None:
        seed = int(os.environ.get("PGBAKD_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        chance = random.Random(seed)
        daemon = self.daemon(self.config(schedule="calendar *-*-* *:*:00/2", catch_up="all", overlap="queue",
                                         retention={"local": {"last": 3, "at_least": 1}}))
        for number in range(RESTARTS):
            daemon.start()
            threading.Event().wait(chance.uniform(0, 1.5))
            if number % 5 == 4:
                daemon.stop()
            else:
                daemon.kill9()
        daemon.start()
        # Until it has caught up with itself.
        daemon.wait_for(lambda: self.runs(daemon)[-1]["trigger"] == "schedule" and self.runs(daemon)[-1]["status"] == "SUCCESS",
                        timeout=120, what="a run on time")
        daemon.stop()
        count = self.check_slots(daemon)
        print(f"{RESTARTS} restarts, {count} slots")
        self.assertGreater(count, RESTARTS // 4)
        self.assertLessEqual({run["status"] for run in self.runs(daemon)}, {"SUCCESS", "INTERRUPTED"})


class OneShot(ScheduleCase):
    def test_one_that_has_run_stops_neither_a_restart_nor_a_reload(self) -> None:
        at = datetime.now(timezone.utc) + timedelta(seconds=8)
        daemon = self.daemon(self.config(schedule=f"calendar {at:%Y-%m-%d %H:%M:%S}"))
        daemon.start()
        daemon.wait_for_log("job: succeeded", timeout=60)
        self.assertEqual(daemon.ctl("reload").code, 0)
        daemon.restart()
        self.assertIn("has passed", daemon.log())
        self.assertEqual(daemon.ctl("check").code, 0)
        self.assertTrue(daemon.ctl("--json", "next").json["jobs"][0]["never"])
        self.assertEqual(len(self.runs(daemon)), 1)
        # One that nobody has heard of is a slip all the same.
        daemon.write_config(self.config(schedule=f"calendar {at - timedelta(hours=1):%Y-%m-%d %H:%M:%S}"))
        self.assertEqual(daemon.ctl("check", check=False).code, 3)
        self.assertEqual(daemon.ctl("reload", check=False).code, 3)

    def test_one_that_came_due_while_the_daemon_was_down_is_caught_up(self) -> None:
        at = datetime.now(timezone.utc) + timedelta(seconds=4)
        daemon = self.daemon(self.config(schedule=f"calendar {at:%Y-%m-%d %H:%M:%S}"))
        daemon.start()
        daemon.stop()
        self.assertEqual(self.state(daemon, "select count(*) from slots"), [(0,)])
        wait_for(lambda: datetime.now(timezone.utc) > at + timedelta(seconds=1), 30, "the time")
        daemon.start()
        daemon.wait_for_log("job: succeeded")
        self.assertEqual(len(self.runs(daemon)), 1)


if __name__ == "__main__":
    unittest.main()
