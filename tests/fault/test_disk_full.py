"""A disk that is full at any write: the run fails by that name, nothing half-written stays, older sets do."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import config_for
from support.process import unprivileged_account
from support.tmpfs import Tmpfs

CTEST = {"timeout": 600}
SIZE = 24 << 20


class DiskFull(ServerCase):
    shop_rows = 40_000

    def disk(self) -> Tmpfs:
        found = Tmpfs(SIZE, unprivileged_account())
        self.addCleanup(found.close)
        return found

    def config(self, disk: Tmpfs, keep: int) -> dict[str, Any]:
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"], "globals": True}
        return config_for(
            self.server,
            jobs={"job": {"source": source, "compression": "none", "retries": {"attempts": 1},
                          "retention": {"local": {"last": keep, "at_least": 1}}}},
            repository={"directory": str(disk.path / "repository"), "min_free": "0"},
            reports={"directory": str(disk.path / "reports")},
        )  # fmt: skip

    def test_a_full_disk_at_every_write(self) -> None:
        disk = self.disk()
        daemon = self.new_daemon(self.config(disk, keep=50)).start()
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

    def test_a_stopped_daemon_says_what_to_do_and_prune_does_it(self) -> None:
        disk = self.disk()
        daemon = self.new_daemon(self.config(disk, keep=50)).start()
        oldest, good, rotten = (daemon.run("job")["set"] for _ in range(3))
        artifact = next((disk.path / "repository" / rotten).glob("shop_*.dump"))
        artifact.write_bytes(artifact.read_bytes()[:-1] + b"x")
        self.assertEqual(daemon.ctl("verify", rotten, check=False).code, 4)
        daemon.stop()
        daemon.write_config(self.config(disk, keep=1))
        ballast = disk.fill()
        self.assertEqual(disk.free(), 0)

        daemon.launch()
        self.assertNotIn(daemon.wait(), (0, 3))
        for words in ("state.db: no space left", "0 B of 24.0 MiB available", "pgbakctl prune --apply"):
            self.assertIn(words, daemon.log())

        # What was found rotten counts for nothing although the catalog cannot be opened in the usual way.
        answer = daemon.ctl("prune", "--apply")
        self.assertIn("1 set deleted, 2 kept", answer.out)
        self.assertEqual([entry["set"] for entry in daemon.sets()], [rotten, good])
        self.assertFalse((disk.path / "repository" / oldest).exists())
        daemon.start()
        ballast.unlink()
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")

    def test_preflight_refuses_what_would_not_fit_and_says_the_figures(self) -> None:
        config = config_for(
            self.server, jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["postgres"]}}},
            repository={"min_free": "900 TiB"},
        )  # fmt: skip
        daemon = self.new_daemon(config).start()
        report = daemon.run("job", check=False)
        self.assertEqual(report["error"]["code"], "no_space")
        self.assertIn("900 TiB must stay free", report["error"]["message"])
        self.assertEqual([stage["name"] for stage in report["stages"]], ["preflight"])


if __name__ == "__main__":
    unittest.main()
