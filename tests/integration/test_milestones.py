"""Milestones: runs by name, and those whose date has come."""

from __future__ import annotations

import sqlite3
import sys
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.process import scratch_directory

CTEST = {"timeout": 600}


def minutes_ago(minutes: int) -> str:
    return f"{datetime.now(timezone.utc) - timedelta(minutes=minutes):%Y-%m-%d %H:%M}"


class Milestones(ServerCase):
    shop_rows = 1000

    def config(self, *milestones: tuple[str, str], **job: Any) -> dict[str, Any]:
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"], "fingerprint": "none"}
        dates = [{"name": name, "at": at} for name, at in milestones]
        return config_for(
            self.server,
            jobs={"releases": {"schedule": "milestone", "source": source, **({"milestones": dates} if dates else {}), **job}},
        )

    @staticmethod
    def runs(daemon: Daemon) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = daemon.ctl("--json", "runs").json["runs"]
        return found

    def test_by_name_as_often_as_one_likes_and_kept_for_ever_in_every_place(self) -> None:
        places = {name: {"type": "directory", "path": str(scratch_directory(self.server.account))} for name in ("nas", "vault")}
        least = {"last": 1, "at_least": 1}
        config = self.config(retention={"local": least, "targets": least}, targets=list(places))
        daemon = self.new_daemon({**config, "targets": places}).start()
        report = daemon.ctl("--json", "milestone", "releases", "phase2_complete", "--wait").json
        self.assertEqual((report["status"], report["trigger"]), ("SUCCESS", "milestone"))
        self.assertRegex(report["set"], r"^releases/\d{8}_\d{6}_phase2_complete$")
        self.assertEqual(daemon.manifest(report["set"])["milestone"], "phase2_complete")
        daemon.ctl("milestone", "releases", "v1.0", "--wait")
        for _ in range(2):
            daemon.run("releases")  # without a name it is a run like any other
        self.assertEqual([entry["milestone"] for entry in daemon.sets()], [None, "v1.0", "phase2_complete"])
        for place in places:
            found = daemon.ctl("--json", "list", "--from", place).json["sets"]
            self.assertCountEqual([entry["milestone"] for entry in found], [None, "v1.0", "phase2_complete"], place)
        self.assertTrue(daemon.ctl("--json", "next").json["jobs"][0]["never"])
        self.assertEqual(daemon.ctl("--json", "next").json["jobs"][0]["fires"], [])

    def test_names_that_are_none_and_jobs_that_are_not_there(self) -> None:
        daemon = self.new_daemon(self.config()).start()
        self.assertEqual(daemon.ctl("milestone", "releases", "../x", check=False).code, 2)
        self.assertEqual(daemon.ctl("milestone", "releases", "", check=False).code, 2)
        self.assertEqual(daemon.ctl("milestone", "release", "x", check=False).code, 6)
        self.assertEqual(self.runs(daemon), [])

    def test_a_date_that_has_come_runs_by_its_name_and_one_that_is_added_late_does_not(self) -> None:
        known, late = ("mvp", minutes_ago(5)), ("late", minutes_ago(3))
        daemon = self.new_daemon(self.config(known)).start()
        self.assertEqual(self.runs(daemon), [], "a new job starts with its next fire")
        self.assertIn("all dates have passed", daemon.log())
        daemon.stop()
        # As if the daemon had known of the date since ten minutes, and had been down when it came.
        connection = sqlite3.connect(daemon.directory / "state" / "state.db", timeout=30)
        with connection:
            connection.execute("update job_states set anchor = anchor - 600")
        connection.close()
        daemon.write_config(self.config(late, known))
        daemon.start()
        daemon.wait_for_log("releases: succeeded")
        runs = self.runs(daemon)
        self.assertEqual([(run["trigger"], run["status"]) for run in runs], [("milestone", "SUCCESS")])
        self.assertTrue(runs[0]["set"].endswith("_mvp"), runs)
        for again in (daemon.restart, lambda: daemon.ctl("reload")):
            again()
            self.assertEqual(len(self.runs(daemon)), 1)

    def test_of_a_date_that_is_caught_up_it_is_not_said_that_nothing_runs_for_it(self) -> None:
        known, late, future = ("mvp", minutes_ago(50)), ("late", minutes_ago(30)), ("future", "2098-12-01 02:00")
        daemon = self.new_daemon(self.config(known, future)).start()
        daemon.stop()
        connection = sqlite3.connect(daemon.directory / "state" / "state.db", timeout=30)
        with connection:
            connection.execute("update job_states set anchor = anchor - 3600")
        connection.close()
        daemon.write_config(self.config(known, late, future))
        checked = daemon.ctl("check").err
        self.assertIn("(late) lies in the past", checked)
        self.assertNotIn("(mvp) lies in the past", checked)
        daemon.log_file.write_text("", encoding="utf-8")
        daemon.start()
        daemon.wait_for_log("releases: succeeded")
        self.assertTrue(self.runs(daemon)[0]["set"].endswith("_mvp"))
        self.assertIn("(late) lies in the past: nothing runs for it", daemon.log())
        self.assertNotIn("(mvp) lies in the past", daemon.log())

    def test_dates_to_come_are_shown(self) -> None:
        daemon = self.new_daemon(self.config(("b", "2098-12-01 02:00"), ("a", "2097-12-01 02:00"), ("old", minutes_ago(5)))).start()
        told = daemon.ctl("--json", "next").json["jobs"][0]
        self.assertFalse(told["never"])
        self.assertEqual([fire["utc"] for fire in told["fires"]], ["2097-12-01T02:00:00Z", "2098-12-01T02:00:00Z"])
        self.assertEqual(daemon.status()["next"], [{"job": "releases", "at": "2097-12-01T02:00:00+00:00"}])
        # Once it is taken over, what is done is no news.
        self.assertEqual(daemon.ctl("check").err, "")


if __name__ == "__main__":
    unittest.main()
