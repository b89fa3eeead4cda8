"""A start as systemd and an administrator see it: readiness, refusals, a second daemon, files that others cannot read."""

from __future__ import annotations

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import LifeCase

CTEST = {"timeout": 600}


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
        self.assertNotIn(": : ", daemon.log())

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

    def test_a_second_daemon_whose_state_would_be_the_same_file_is_refused_and_does_no_harm(self) -> None:
        first = self.daemon().start()
        config = self.config()
        config["repository"] = {"directory": f"{first.repository}-of-another"}
        second = self.daemon(config)
        second.launch()
        self.assertEqual(second.wait(), 75)
        self.assertIn("another daemon keeps its state in", second.log())
        self.assertIn(f"pid {first.pid}", second.log())
        self.assertEqual(first.run("job")["status"], "SUCCESS")

    def test_a_finding_that_only_the_state_file_has_is_left_with_the_set(self) -> None:
        daemon = self.daemon().start()
        found = daemon.run("job")["set"]
        directory = daemon.set_directory(found)
        (artifact,) = directory.glob("*.dump")
        content = bytearray(artifact.read_bytes())
        content[len(content) // 2] ^= 4
        artifact.write_bytes(content)
        self.assertEqual(daemon.ctl("verify", found, check=False).code, 4)
        daemon.stop()
        # As if it had been found before there were marks.
        (directory / "corrupt").unlink()
        directory.chmod(0o500)
        daemon.start()
        self.assertIn(f"{found}: the finding could not be left with the set: ", daemon.log())
        self.assertIn("Permission denied", daemon.log())
        self.assertTrue(daemon.sets()[0]["corrupt"], "the state file still tells")
        daemon.stop()
        directory.chmod(0o700)
        daemon.start()
        self.assertIn(f"{found}: found corrupt, which only the state file told: it is marked so now", daemon.log())
        daemon.stop()
        for file in daemon.repository.parent.glob("state.db*"):
            file.unlink()
        daemon.start()
        self.assertTrue(daemon.sets()[0]["corrupt"], "the set itself tells")
        self.assertEqual(daemon.log().count("marked so now"), 1)

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


if __name__ == "__main__":
    unittest.main()
