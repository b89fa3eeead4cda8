"""A disk that is full at any write: the run fails by that name, nothing half-written stays, older sets do."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, config_for
from support.postgres import PostgresServer
from support.process import unprivileged_account
from support.tmpfs import Tmpfs

CTEST = {"timeout": 600}
SIZE = 24 << 20


class DiskFull(unittest.TestCase):
    def test_a_full_disk_at_every_write(self) -> None:
        account = unprivileged_account()
        disk = Tmpfs(SIZE, account)
        self.addCleanup(disk.close)
        server = PostgresServer()
        self.addCleanup(server.close)
        server.start()
        server.createdb("shop")
        server.sql("create table t as select i, md5(i::text) body from generate_series(1, 40000) i", "shop")
        config = config_for(
            server,
            jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"], "globals": True},
                          "compression": "none", "retries": {"attempts": 1}, "retention": {"local": {"last": 50}}}},
            repository={"directory": str(disk.path / "repository"), "min_free": "0"},
            reports={"directory": str(disk.path / "reports")},
        )  # fmt: skip
        daemon = Daemon(config)
        self.addCleanup(daemon.close)
        daemon.start()
        good = daemon.run("job")
        self.assertEqual(good["status"], "SUCCESS")
        size = good["size_bytes"]
        failures = successes = 0
        # From no room at all to room for everything: each step ends at another write.
        steps = [0, 4096, 8192, 16384, 40960, 65536, 131072, size // 8, size // 4, size // 2, size - 65536, size - 4096,
                 size + 4096, size + 16384, size + 32768, size + 65536, size + 262144]
        for leave in steps:
            filler = disk.fill(leave)
            answer = daemon.ctl("--json", "run", "job", "--wait", check=False)
            filler.unlink()
            self.assertEqual(list((disk.path / "repository").glob("*/.*.partial")), [], leave)
            listed = daemon.sets()
            for entry in listed:
                self.assertEqual(daemon.ctl("verify", entry["set"], check=False).code, 0, (leave, entry))
            if answer.code == 0:
                successes += 1
            else:
                failures += 1
                text = answer.out + answer.err
                self.assertTrue("no_space" in text or "No space" in text or "full" in text, (leave, text))
            self.assertEqual(len(listed), 1 + successes, (leave, text if answer.code else ""))
            self.assertTrue(daemon.running)
            if successes:
                newest = listed[0]["set"]
                for entry in listed[:-1]:
                    daemon_set = disk.path / "repository" / entry["set"]
                    for path in daemon_set.iterdir():
                        path.unlink()
                    daemon_set.rmdir()
                successes = 0
                self.assertTrue(newest)
        self.assertGreater(failures, len(steps) // 2)
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")

    def test_preflight_refuses_what_would_not_fit_and_says_the_figures(self) -> None:
        server = PostgresServer()
        self.addCleanup(server.close)
        server.start()
        config = config_for(
            server, jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["postgres"]}}},
            repository={"min_free": "900 TiB"},
        )  # fmt: skip
        daemon = Daemon(config)
        self.addCleanup(daemon.close)
        daemon.start()
        report = daemon.run("job", check=False)
        self.assertEqual(report["error"]["code"], "no_space")
        self.assertIn("900 TiB must stay free", report["error"]["message"])
        self.assertEqual([stage["name"] for stage in report["stages"]], ["preflight"])


if __name__ == "__main__":
    unittest.main()
