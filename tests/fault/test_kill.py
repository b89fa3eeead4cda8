"""kill -9 of the daemon, many times, anywhere: no half set is ever listed, nothing leaks, the next start puts it right."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import proc
from support.daemon import Daemon, config_for
from support.postgres import PostgresServer
from support.process import wait_for

CTEST = {"timeout": 900}
KILLS = 56


class Kill(unittest.TestCase):
    def check_state(self, daemon: Daemon) -> None:
        """What anyone sees right after a kill, before the next start: whole sets, or none."""
        listed = daemon.ctl("--json", "list").json["sets"]
        for entry in listed:
            directory = daemon.set_directory(entry["set"])
            manifest = daemon.manifest(entry["set"])
            for artifact in manifest["artifacts"]:
                self.assertEqual((directory / artifact["file"]).stat().st_size, artifact["bytes"], entry)
        names = {entry["set"] for entry in listed}
        on_disk = {f"{path.parent.name}/{path.name}" for path in daemon.repository.glob("*/[0-9]*")}
        self.assertEqual(names, on_disk)

    def test_kills_at_random_instants_and_at_every_stage(self) -> None:
        seed = int(os.environ.get("PGBAKD_TEST_SEED", random.randrange(1 << 30)))
        print(f"seed {seed}")
        chance = random.Random(seed)
        server = PostgresServer()
        self.addCleanup(server.close)
        server.start()
        server.createdb("shop")
        server.sql("create table t as select i, md5(i::text) a, md5((i*7)::text) b from generate_series(1, 60000) i", "shop")
        source = {"type": "pg_dump", "server": "local", "databases": ["shop", "postgres"], "globals": True}
        job = {"source": source, "retention": {"local": {"last": 2, "at_least": 2}}}
        daemon = Daemon(config_for(server, jobs={"job": job}))
        self.addCleanup(daemon.close)
        daemon.start()
        began = time.monotonic()
        daemon.run("job")
        length = time.monotonic() - began
        stages = ["preflight", "dump", "verify", "commit", "prune", "report", None]
        interrupted = 0
        for number in range(KILLS):
            stage = stages[number % len(stages)]
            run = daemon.ctl("--json", "run", "job").json["run"]
            if stage is None or number % 2:
                # A random instant, anywhere in a run and a little behind it.
                threading.Event().wait(chance.uniform(0, length * 1.2))
            else:
                marks = {"preflight": "started", "dump": "globals dumped", "verify": "postgres dumped",
                         "commit": "postgres dumped", "prune": "pruned", "report": "succeeded"}
                text = daemon.log()
                mark = marks[stage]
                wait_for(lambda: mark in daemon.log()[len(text) :] or f"{run}" in text, 60, f"stage {stage}")
            daemon.kill9()
            self.check_state(daemon)
            daemon.start()
            daemon.wait_for(lambda: not server.backends("pgbakd/%"), what="no backend of a dead run")
            self.assertEqual(daemon.partial_directories(), [])
            self.assertEqual(list(daemon.repository.glob("*/.*.removing")), [])
            self.assertEqual(proc.children(daemon.pid), [])
            status = next(entry["status"] for entry in daemon.ctl("--json", "runs", "--limit", "200").json["runs"] if entry["run"] == run)
            self.assertIn(status, ("SUCCESS", "INTERRUPTED"), f"kill {number} at {stage}")
            interrupted += status == "INTERRUPTED"
            if status == "INTERRUPTED":
                self.assertIn(f"run {run} was interrupted", daemon.log())
        self.assertGreater(interrupted, KILLS // 4, "most kills should have met a run")
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")
        self.assertEqual(len(daemon.sets()), 2)
        self.assertEqual(daemon.ctl("verify", "job/latest").code, 0)
        # What is open after all this is what a fresh start has: nothing leaks from run to run.
        first = len(proc.open_files(daemon.pid))
        for _ in range(3):
            daemon.run("job")
        self.assertLessEqual(len(proc.open_files(daemon.pid)), first + 2)


if __name__ == "__main__":
    unittest.main()
