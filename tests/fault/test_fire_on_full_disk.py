"""A job is due while there is no room to record it: the fire waits for the room, and is neither lost nor doubled."""

from __future__ import annotations

import sqlite3
import sys
import unittest
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.process import unprivileged_account
from support.tmpfs import Tmpfs

CTEST = {"timeout": 600}


class FireOnFullDisk(ServerCase):
    def start_on_a_disk_that_is_full_in(self, seconds: float) -> tuple[Daemon, Path] | None:
        """A daemon whose job is due in so many seconds, and what fills its disk; nothing if that took longer than that."""
        disk = Tmpfs(8 << 20, unprivileged_account())
        self.addCleanup(disk.close)
        config = config_for(
            self.server,
            jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["postgres"]}}},
            repository={"directory": str(disk.path / "repository"), "min_free": "0"},
            reports={"directory": str(disk.path / "reports")},
        )  # fmt: skip
        daemon = self.new_daemon(config).start()
        at = daemon.reload_once_at(config, "job", seconds)
        # The state file's log would take a record into space it has already: without a log it needs the disk.
        with sqlite3.connect(disk.path / "state.db", timeout=60) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()
        ballast = disk.fill()
        return (daemon, ballast) if at and datetime.now(timezone.utc) < at else None

    def test_a_fire_that_cannot_be_recorded_runs_when_it_can(self) -> None:
        seconds = 3.0
        while not (ready := self.start_on_a_disk_that_is_full_in(seconds)):
            seconds *= 2
        daemon, ballast = ready
        daemon.wait_for_log("recording a schedule")
        self.assertNotIn("job: started", daemon.log())
        ballast.unlink()
        daemon.wait_for_log("schedules can be recorded again")
        daemon.wait_for_log("job: succeeded")
        history = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual([(run["trigger"], run["status"]) for run in history], [("schedule", "SUCCESS")])


if __name__ == "__main__":
    unittest.main()
