"""A run fails while there is no room to record that: it is shown all the same, and recorded once there is."""

from __future__ import annotations

import sqlite3
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.api import Api
from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.process import unprivileged_account
from support.tmpfs import Tmpfs

CTEST = {"timeout": 600}


class EndOnFullDisk(ServerCase):
    shop_rows = 1000

    def failed(self, daemon: Daemon) -> list[dict[str, Any]]:
        return [each for each in daemon.status()["findings"] if (each["kind"], each["job"]) == ("run_failed", "job")]

    def test_a_run_that_failed_is_shown_while_it_cannot_be_recorded(self) -> None:
        disk = Tmpfs(8 << 20, unprivileged_account())
        self.addCleanup(disk.close)
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"]}
        config = config_for(
            self.server,
            jobs={"job": {"source": source, "retries": {"attempts": 1}}},
            repository={"directory": str(disk.path / "repository"), "min_free": "0"},
            reports={"directory": str(disk.path / "reports")},
        )  # fmt: skip
        daemon = self.new_daemon(config).start()
        good = daemon.run("job")["run"]
        lock = self.hold_lock()
        run = daemon.ctl("--json", "run", "job").json["run"]
        lock.wait_for_dump()
        # The state file's log would take a record into space it has already: without a log it needs the disk.
        with sqlite3.connect(disk.path / "state.db", timeout=60) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()
        ballast = disk.fill()
        lock.release()
        daemon.wait_for(lambda: not daemon.status()["running"], what="the end of the run")
        daemon.wait_for(lambda: self.failed(daemon), what="the finding")
        self.assertNotIn("is recorded now", daemon.log())
        api = Api(daemon.control_socket)
        latest = api.get("/v1/backups/latest?job=job").json
        self.assertEqual((latest["run"], latest["status"]), (run, "FAILED"))
        self.assertEqual(api.get("/v1/backups/latest?status=FAILED").json["run"], run)
        self.assertEqual(api.get("/v1/backups/latest?status=SUCCESS").json["run"], good)
        self.assertEqual(api.ask("GET", "/v1/backups/latest?status=RUNNING").status, 404)
        for status, runs in (("FAILED", [run]), ("SUCCESS", [good]), ("RUNNING", [])):
            page = api.get(f"/v1/backups?status={status}").json
            self.assertEqual((page["total"], [each["run"] for each in page["items"]]), (len(runs), runs))
        listed = [(each["run"], each["status"]) for each in api.get("/v1/backups").json["items"]]
        self.assertEqual(listed, [(run, "FAILED"), (good, "SUCCESS")])
        ballast.unlink()
        daemon.wait_for_log(f"job: run {run} is recorded now")
        self.assertTrue(self.failed(daemon))
        self.assertEqual(api.get("/v1/backups/latest").json, latest)


if __name__ == "__main__":
    unittest.main()
