"""Schedules of the real daemon: missed fires by policy, kills around the record of a slot, restarts, one-shots."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import threading
import time
import unittest
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon, config_for, hourly_away_from_now
from support.process import wait_for

CTEST = {"timeout": 900}
RESTARTS = int(os.environ.get("PGBAKD_RESTARTS", "30"))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class ScheduleCase(ServerCase):
    shop_rows = 1000

    def config(self, **job: Any) -> dict[str, Any]:
        base = {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"], "fingerprint": "none"}}
        return config_for(self.server, jobs={"job": {**base, **job}})

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
        daemon = self.new_daemon(self.config(schedule=hourly_away_from_now(), catch_up=catch_up))
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

        daemon.wait_for(lambda: len(found()) >= count, what=f"{count} runs")
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


class Jitter(ScheduleCase):
    """A fire whose slot has passed, while its start, by jitter, has not."""

    def pending(self) -> tuple[Daemon, dict[str, Any]]:
        slot = datetime.now(timezone.utc) - timedelta(seconds=90)
        job = {"schedule": f"calendar *-*-* {slot:%H:%M:%S}", "catch_up": "skip"}
        daemon = self.new_daemon(self.config(**job))
        for hours in (11, 10, 9, 8):  # hash(host, job) mod jitter: one that is not nearly nothing
            job["jitter"] = f"{hours}h"
            daemon.write_config(self.config(**job))
            if daemon.ctl("--json", "check").json["jobs"][0]["jitter_seconds"] > 1800:
                break
        daemon.start()
        daemon.stop()
        self.down_for(daemon, 3600)
        daemon.start()
        self.assertEqual(self.runs(daemon), [])
        return daemon, job

    def test_with_a_smaller_one_it_starts_now_and_is_not_missed(self) -> None:
        daemon, job = self.pending()
        daemon.write_config(self.config(**{**job, "jitter": "0s"}))
        daemon.ctl("reload")
        daemon.wait_for_log("job: succeeded")
        self.assertEqual([(run["trigger"], run["status"]) for run in self.runs(daemon)], [("schedule", "SUCCESS")])
        self.assertNotIn("missed", daemon.log())

    def test_an_edit_that_leaves_no_such_fire_is_told_and_recorded(self) -> None:
        daemon, job = self.pending()
        daemon.write_config(self.config(catch_up="skip", schedule=hourly_away_from_now()))
        daemon.ctl("reload")
        daemon.wait_for_log("is skipped: the schedule was edited while it waited")
        daemon.wait_for(lambda: [run["status"] for run in self.runs(daemon)] == ["SKIPPED"], what="the record")

    def test_an_edit_that_has_the_fire_too_keeps_it(self) -> None:
        daemon, job = self.pending()
        pending = daemon.status()["next"]
        time = job["schedule"].rpartition(" ")[2]
        daemon.write_config(self.config(**{**job, "schedule": f"calendar *-*-* {time[:2]},{(int(time[:2]) + 12) % 24:02}{time[2:]}"}))
        daemon.ctl("reload")
        self.assertEqual(daemon.status()["next"], pending)
        self.assertNotIn("skipped", daemon.log())


class RollBack(ScheduleCase):
    def test_slots_in_the_catalog_stay_done_when_the_place_in_the_schedule_is_lost(self) -> None:
        """As after a clock that was set back by hours, or a state file whose anchor is older than its slots."""
        daemon = self.new_daemon(self.config(schedule=hourly_away_from_now(), catch_up="all")).start()
        for times in (1, 2):
            daemon.stop()
            self.down_for(daemon, 3 * 3600)
            daemon.start()
            daemon.wait_for(lambda: daemon.log().count("missed 3 fires") == times, what="missed fires")
            if times == 1:
                daemon.wait_for(lambda: [run["status"] for run in self.runs(daemon)] == ["SUCCESS"] * 3, what="3 runs")
            else:
                daemon.wait_for(lambda: daemon.log().count("was settled before") == 3, what="3 refusals")
        slots = [run["slot"] for run in self.runs(daemon)]
        self.assertEqual(len(slots), 3)
        self.assertEqual(slots, sorted(set(slots)))
        # And its place is found again.
        self.assertEqual(self.state(daemon, "select count(*) from slots"), [(3,)])
        daemon.restart()
        self.assertEqual(daemon.log().count("missed"), 2)


class Beginning(ScheduleCase):
    def test_where_schedules_begin_is_on_the_disk_when_the_daemon_is_ready(self) -> None:
        config = self.config()
        config["jobs"] = {f"job{number}": config["jobs"]["job"] for number in range(100)}
        daemon = self.new_daemon(config).start()
        daemon.kill9()
        self.assertEqual(self.state(daemon, "select count(*) from job_states"), [(100,)])
        for job in config["jobs"].values():
            job["schedule"] = "daily at 12:34"
        daemon.write_config(config)
        daemon.start()
        daemon.kill9()
        self.assertEqual(self.begun_at_12_34(daemon), 100)

    def begun_at_12_34(self, daemon: Daemon) -> int:
        ((count,),) = self.state(daemon, "select count(*) from job_states where schedule like 'daily at 12:34%'")
        return int(count)

    def test_they_are_on_the_disk_when_a_reload_has_been_answered(self) -> None:
        self.check_reload(lambda daemon: daemon.ctl("reload"))

    def test_they_are_on_the_disk_when_a_reload_by_signal_says_ready(self) -> None:
        def reload(daemon: Daemon) -> None:
            ready = daemon.notify.count("READY")
            daemon.signal(signal.SIGHUP)
            daemon.wait_for(lambda: daemon.notify.count("READY") > ready, what="READY=1")

        self.check_reload(reload)

    def check_reload(self, reload: Callable[[Daemon], Any]) -> None:
        """A kill right behind it makes no job new again, be it one that the reload brought or one that it edited."""
        config = self.config()
        job = config["jobs"]["job"]
        config["jobs"] = {f"old{number}": dict(job) for number in range(150)}
        daemon = self.new_daemon(config).start()
        for one in config["jobs"].values():
            one["schedule"] = "daily at 12:34"
        config["jobs"] |= {f"new{number}": {**job, "schedule": "daily at 12:34"} for number in range(150)}
        daemon.write_config(config)
        reload(daemon)
        daemon.kill9()
        self.assertEqual(self.begun_at_12_34(daemon), 300)

    def test_an_edit_that_drops_what_waited_is_on_the_disk_as_well(self) -> None:
        config = self.config(schedule="calendar *-*-* *:*:00/2", overlap="queue")
        daemon = self.new_daemon(config)
        self.hold_lock()
        daemon.start()
        daemon.wait_for_log("is skipped: a later fire took its place")  # so that one waits
        config["jobs"]["job"]["schedule"] = "daily at 12:34"
        daemon.write_config(config)
        daemon.ctl("reload")
        daemon.kill9()
        self.assertEqual(self.begun_at_12_34(daemon), 1)
        told = [run["error"]["message"] for run in self.runs(daemon) if run["status"] == "SKIPPED"]
        self.assertEqual(told[-1], "the schedule was edited while it waited")


class Skips(ScheduleCase):
    """A fire that does not run is settled and told in one step: whatever kills the daemon, it does not vanish."""

    CTEST = {"cost": 25}

    def kill_when_settled(self, daemon: Daemon, anchor: int | None) -> datetime:
        """Kills the daemon when the job's place in its schedule is no more `anchor`; where it is then."""
        connection = sqlite3.connect(daemon.directory / "state" / "state.db", timeout=30, isolation_level=None)
        try:
            query = "select anchor from job_states"
            before = connection.execute(query).fetchone() if anchor is None else (anchor,)
            give_up = time.monotonic() + 300
            while (now := connection.execute(query).fetchone()) == before:
                self.assertLess(time.monotonic(), give_up, daemon.log())
            daemon.kill9()
        finally:
            connection.close()
        self.assertGreater(now, before)
        return datetime.fromtimestamp(now[0], timezone.utc)

    def test_killed_when_a_fire_is_settled_that_comes_while_a_run_goes_on(self) -> None:
        self.hold_lock()
        for _ in range(4):
            daemon = self.new_daemon(self.config(schedule="calendar *-*-* *:*:00/3", overlap="skip")).start()
            daemon.wait_for_log("job: started")
            slot = self.kill_when_settled(daemon, None)
            runs = {instant(run["slot"]): run for run in self.runs(daemon)}
            self.assertIn(slot, runs, daemon.log())
            self.assertEqual(runs[slot]["status"], "SKIPPED")
            self.assertEqual(runs[slot]["error"]["message"], "its last run is still going on")
            daemon.close()

    def test_killed_when_a_missed_milestone_is_settled(self) -> None:
        now = datetime.now(timezone.utc)
        dates = [{"name": name, "at": f"{now - timedelta(minutes=minutes):%Y-%m-%d %H:%M}"}
                 for name, minutes in (("alpha", 200), ("beta", 100), ("gamma", -600_000))]  # fmt: skip
        daemon = self.new_daemon(self.config(schedule="milestone", milestones=dates, catch_up="skip")).start()
        daemon.stop()
        self.down_for(daemon, 6 * 3600)
        ((anchor,),) = self.state(daemon, "select anchor from job_states")
        daemon.launch()
        slot = self.kill_when_settled(daemon, anchor)
        (told,) = [run for run in self.runs(daemon) if instant(run["slot"]) == slot]
        name = {date["at"]: date["name"] for date in dates}[f"{slot:%Y-%m-%d %H:%M}"]
        self.assertEqual((told["trigger"], told["status"]), ("milestone", "SKIPPED"))
        self.assertRegex(told["error"]["message"], f"^milestone {name} of .* is not made: it was missed")
        self.assertEqual(told["error"]["hint"], f"to make it of what there is now: pgbakctl milestone job {name}")
        # The next start tells the other, and each once.
        daemon.start()
        daemon.wait_for(lambda: len(self.runs(daemon)) == 2, what="both")
        daemon.wait_for_log("job: milestone beta of")
        daemon.restart()
        self.assertEqual([run["status"] for run in self.runs(daemon)], ["SKIPPED"] * 2)


class Clock(ScheduleCase):
    def test_a_fire_by_the_clock_starts_a_run_with_its_slot(self) -> None:
        daemon = self.new_daemon(self.config(schedule="calendar *-*-* *:*:00/2")).start()
        daemon.wait_for_log("job: succeeded")
        first = self.runs(daemon)[0]
        self.assertEqual((first["trigger"], first["status"]), ("schedule", "SUCCESS"))
        self.assertEqual(datetime.fromisoformat(first["slot"].replace("Z", "+00:00")).second % 2, 0)


class Kills(ScheduleCase):
    CTEST = {"cost": 35}

    def period(self) -> int:
        """Seconds between two fires, such that this machine can start the daemon and run the job several times in one:
        no more fires than `catch_up: all` remembers come while it is down."""
        daemon = self.new_daemon(self.config())
        began = time.monotonic()
        daemon.start()
        daemon.run("job")
        daemon.kill9()
        took = time.monotonic() - began
        daemon.close()
        return next((seconds for seconds in (2, 3, 4, 5, 6, 10, 12, 15, 20, 30) if seconds >= 3 * took), 60)

    def test_killed_between_the_record_of_a_slot_and_its_run(self) -> None:
        period = self.period()
        config = self.config(schedule=f"calendar *-*-* *:*:00/{period}", catch_up="all", overlap="queue")
        config["limits"] = {"concurrent_runs": 1}
        blocker = {"schedule": hourly_away_from_now(), "source": config["jobs"]["job"]["source"]}
        daemon = self.new_daemon({**config, "jobs": {"blocker": blocker}})
        daemon.start()
        lock = self.hold_lock()
        # The one place for runs is taken by a run that waits for the lock: the next is recorded, and waits.
        daemon.ctl("run", "blocker")
        daemon.write_config({**config, "jobs": {"blocker": blocker, **config["jobs"]}})
        daemon.ctl("reload")
        recorded = daemon.wait_for(lambda: self.state(daemon, "select slot from slots where job = 'job'"), what="a slot")
        self.assertNotIn("job: started", daemon.log())
        daemon.kill9()
        lock.release()
        daemon.start()
        daemon.wait_for(lambda: any(run["job"] == "job" and run["status"] == "SUCCESS" for run in self.runs(daemon)),
                        what="a run by the clock")
        runs = [run for run in self.runs(daemon) if run["job"] == "job"]
        first = [run for run in runs if run["slot"] == runs[0]["slot"]]
        self.assertEqual([run["status"] for run in first], ["INTERRUPTED"], runs)
        self.assertEqual(len(recorded), 1)
        self.check_slots(daemon, period)

    def check_slots(self, daemon: Daemon, period: int) -> int:
        """Every fire since the job was known has one entry, and one only: with `catch_up: all` and `overlap: queue` it
        ran, or it waited for a run to end and was skipped when a later one came to wait. None may go by."""
        (anchor,) = self.state(daemon, "select anchor from job_states where job = 'job'")[0]
        runs = [run for run in self.runs(daemon) if run["job"] == "job"]
        slots = sorted(instant(run["slot"]) for run in runs)
        self.assertEqual(slots, sorted(set(slots)), "no slot twice")
        expected = slots[0]
        for slot in slots:
            self.assertEqual(slot, expected, "no slot lost")
            expected += timedelta(seconds=period)
        ran = [instant(run["slot"]) for run in runs if run["status"] != "SKIPPED"]
        self.assertEqual(ran, sorted(ran), "the oldest first")
        for run in runs:
            if run["status"] == "SKIPPED":
                self.assertEqual(run["error"]["message"], "a later fire took its place")
        self.assertLessEqual(slots[-1], datetime.fromtimestamp(anchor, timezone.utc))
        return len(slots)

    def test_restarts_at_random_instants_lose_and_double_nothing(self) -> None:
        seed = int(os.environ.get("PGBAKD_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        chance = random.Random(seed)
        period = self.period()
        restarts = max(10, RESTARTS * 2 // period)
        daemon = self.new_daemon(self.config(schedule=f"calendar *-*-* *:*:00/{period}", catch_up="all", overlap="queue",
                                             retention={"local": {"last": 3, "at_least": 1}}))
        for number in range(restarts):
            daemon.start()
            threading.Event().wait(chance.uniform(0, 0.75 * period))
            if number % 5 == 4:
                daemon.stop()
            else:
                daemon.kill9()
        daemon.start()
        # Until it has caught up with itself.
        daemon.wait_for(lambda: self.runs(daemon)[-1]["trigger"] == "schedule" and self.runs(daemon)[-1]["status"] == "SUCCESS",
                        timeout=60 * period, what="a run on time")
        daemon.stop()
        count = self.check_slots(daemon, period)
        print(f"{restarts} restarts, {count} slots, one each {period} s")
        self.assertGreater(count, restarts // 4)
        self.assertLessEqual({run["status"] for run in self.runs(daemon)}, {"SUCCESS", "INTERRUPTED", "SKIPPED"})


class OneShot(ScheduleCase):
    def start_with_one_shot(self, seconds: float) -> tuple[Daemon, datetime]:
        """A daemon whose job is due once, and that knew so before; in so many seconds if this machine is quick enough."""
        daemon = self.new_daemon(self.config()).start()
        while not (at := daemon.reload_once_at(self.config(), "job", seconds)):
            seconds *= 2
        return daemon, at

    def test_one_that_has_run_stops_neither_a_restart_nor_a_reload(self) -> None:
        daemon, at = self.start_with_one_shot(2)
        daemon.wait_for_log("job: succeeded")
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
        for seconds in (3, 10, 30, 90):
            daemon, at = self.start_with_one_shot(seconds)
            daemon.stop()
            if datetime.now(timezone.utc) < at:
                break
            daemon.close()
        self.assertEqual(self.state(daemon, "select count(*) from slots"), [(0,)])
        wait_for(lambda: datetime.now(timezone.utc) > at + timedelta(seconds=1), what="the time")
        daemon.start()
        daemon.wait_for_log("job: succeeded")
        self.assertEqual(len(self.runs(daemon)), 1)


if __name__ == "__main__":
    unittest.main()
