"""A job is due while there is no room to record it: the fire waits for the room, and is neither lost nor doubled."""

from __future__ import annotations

import sqlite3
import sys
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, config_for
from support.postgres import PostgresServer
from support.process import unprivileged_account
from support.tmpfs import Tmpfs

CTEST = {"timeout": 240}


class FireOnFullDisk(unittest.TestCase):
    def test_a_fire_that_cannot_be_recorded_runs_when_it_can(self) -> None:
        disk = Tmpfs(8 << 20, unprivileged_account())
        self.addCleanup(disk.close)
        server = PostgresServer()
        self.addCleanup(server.close)
        server.start()
        soon = datetime.now(timezone.utc) + timedelta(seconds=12)
        daemon = Daemon(
            config_for(
                server,
                jobs={"job": {"schedule": f"calendar {soon:%Y-%m-%d %H:%M:%S}",
                              "source": {"type": "pg_dump", "server": "local", "databases": ["postgres"]}}},
                repository={"directory": str(disk.path / "repository"), "min_free": "0"},
                reports={"directory": str(disk.path / "reports")},
            )  # fmt: skip
        )
        self.addCleanup(daemon.close)
        daemon.start()
        # The state file's log would take a record into space it has already: without a log it needs the disk.
        with sqlite3.connect(disk.path / "state.db", timeout=5) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()
        ballast = disk.fill()
        daemon.wait_for_log("recording a schedule", timeout=60)
        self.assertNotIn("job: started", daemon.log())
        ballast.unlink()
        daemon.wait_for_log("schedules can be recorded again", timeout=60)
        daemon.wait_for_log("job: succeeded")
        history = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual([(run["trigger"], run["status"]) for run in history], [("schedule", "SUCCESS")])


if __name__ == "__main__":
    unittest.main()
