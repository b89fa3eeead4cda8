"""A reload: what is taken over at once, what is refused whole, and what becomes of runs in flight."""

from __future__ import annotations

import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import LifeCase
from support.daemon import hourly_away_from_now

CTEST = {"timeout": 600}


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
        self.assertIn("hint: mend the problems it has, then reload again", answer.err)
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
        lock = self.hold_lock()
        run = self.start_stuck_run(daemon, lock)
        config = self.config()
        config["jobs"] = {"other": {"schedule": hourly_away_from_now(), "source": config["jobs"]["job"]["source"]}}
        daemon.write_config(config)
        daemon.ctl("reload")
        lock.release()
        daemon.wait_for_log("job: succeeded")
        self.assertIn(run, daemon.ctl("runs").out)

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
        run = self.start_stuck_run(daemon, self.hold_lock())
        daemon.ctl("run", "other")
        config["limits"] = {"concurrent_runs": 2, "concurrent_runs_per_server": 2}
        daemon.write_config(config)
        daemon.ctl("reload")
        daemon.wait_for_log("other: succeeded")
        daemon.ctl("cancel", run)


if __name__ == "__main__":
    unittest.main()
