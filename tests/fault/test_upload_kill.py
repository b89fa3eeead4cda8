"""kill -9 of the daemon while it sends: what the local repository lists is on the target in the end, no half set is ever
listed there, and nothing is left of the uploads that were cut off."""

from __future__ import annotations

import os
import random
import sys
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, config_for
from support.s3_case import MIB, S3Case
from support.s3_proxy import a_second_later

CTEST = {"timeout": 900, "servers": ["rgw"], "cost": 90}
KILLS = 50
# Bytes per second. With the first most of the upload comes after the commit, with the last it keeps up with the dump.
RATES = (16 * MIB, 32 * MIB, 0)


class UploadKill(S3Case):
    shop_rows = 200_000  # two parts, as the other database

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server.sql("create database other template shop")

    def make_daemon(self) -> Daemon:
        self.gateway = self.proxy()
        job = {
            "source": {"type": "pg_dump", "server": "local", "databases": ["shop", "other"]},
            "compression": "none",
            "targets": ["ceph"],
            "retention": {"local": {"last": 3, "at_least": 3}, "targets": {"ceph": {"last": 3, "at_least": 3}}},
        }
        targets = {"ceph": self.target(self.gateway, "all")}
        return self.new_daemon(config_for(self.server, jobs={"job": job}, targets=targets))

    def kill_in_the_upload(self, daemon: Daemon, size: int) -> None:
        """At a random instant: after so many bytes, or between the calls behind the last of them."""
        begin, calls = self.gateway.passed, len(self.gateway.calls)
        at_bytes = self.random.uniform(0, 1.1) * size
        at_calls = self.random.randrange(3, 30) if at_bytes > size else 1000

        def is_due() -> bool:
            passed = self.gateway.passed - begin
            idle = not daemon.status()["running"] and not daemon.status()["owed"]
            return passed >= at_bytes or len(self.gateway.calls) - calls >= at_calls or idle

        daemon.wait_for(is_due, what="the instant of the kill")
        time.sleep(self.random.uniform(0, 0.02))
        daemon.kill9()

    def check(self, daemon: Daemon, at: str) -> None:
        """Of a daemon that has nothing to send any more: each local set is there, and equal."""
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what=f"nothing owed ({at})")
        listed = self.listed("all", at)
        for path in daemon.repository.glob("job/[0-9]*"):
            name = f"job/{path.name}"
            self.assertIn(name, listed, at)
            if name not in self.compared:
                self.check_equal(daemon, name, "all", at)
                self.compared.add(name)

    def test_kills_at_random_instants(self) -> None:
        seed = int(os.environ.get("PGBAKD_TEST_SEED", random.randrange(1 << 32)))
        print(f"PGBAKD_TEST_SEED={seed}", flush=True)
        self.random = random.Random(seed)
        self.compared: set[str] = set()
        daemon = self.make_daemon().start()
        size = daemon.run("job")["size_bytes"]
        self.assertGreater(size, 2 * 5 * MIB)
        kills: Counter[str] = Counter()
        for number in range(KILLS):
            at = f"seed {seed}, kill {number}"
            self.gateway.throttle.rate = self.random.choice(RATES)
            owed = len(daemon.status()["owed"])
            if owed and self.random.random() < 0.5:
                kills["while it sends what is owed"] += 1
            else:
                self.check(daemon, at)
                daemon.ctl("run", "job")
                kills["in a run"] += 1
            self.kill_in_the_upload(daemon, size)
            self.listed("all", at)
            daemon.start()
        self.check(daemon, f"seed {seed}, at the end")
        print(f"{dict(kills)}; {len(self.uploads())} multipart uploads left before the sweep", flush=True)
        # A day later.
        self.gateway.age(a_second_later())
        report = daemon.run("job")
        self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []))
        self.assertEqual(self.uploads(), [])
        self.check(daemon, "a day later")
        local: dict[str, int] = {}
        for entry in daemon.sets():
            self.assertEqual([copy["place"] for copy in entry["copies"] if copy["complete"]], ["local", "ceph"], entry["set"])
            local |= self.local_files(daemon, entry["set"])
        self.assertEqual(self.there("all"), local, "what has no manifest is swept")
        for entry in daemon.sets():
            self.assertEqual(daemon.ctl("verify", entry["set"], "--from", "ceph").code, 0)


if __name__ == "__main__":
    unittest.main()
