"""`limits.upload_rate` in a run to a real gateway: what is sent keeps to it, over all targets together, and the dump does not
wait for it. Only what cannot be quicker is asserted: a busy machine is slower."""

from __future__ import annotations

import sys
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, config_for
from support.s3_case import S3Case

CTEST = {"timeout": 600, "servers": ["rgw"]}
MOST_SAVED_UP = 0.25  # seconds: target::TokenBucket::burst


class UploadRate(S3Case):
    shop_rows = 200_000

    def daemon(self, rate: str, names: list[str]) -> Daemon:
        targets = {name: {**self.target(self.proxy(), name), "endpoint": self.rgw["endpoint"]} for name in names}
        job: dict[str, Any] = {
            "source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}, "targets": names, "retries": {"attempts": 1},
        }  # fmt: skip
        limits = {"upload_rate": rate}
        return self.new_daemon(config_for(self.server, jobs={"job": job}, targets=targets, limits=limits)).start()

    def test_a_run_takes_as_long_as_the_bytes_for_all_targets_do_at_that_rate(self) -> None:
        daemon = self.daemon("3 MiB/s", ["one", "two"])
        begin = time.monotonic()
        report = daemon.run("job")
        elapsed = time.monotonic() - begin
        self.assertEqual(report["status"], "SUCCESS", report)
        sent = sum(size for name in ("one", "two") for size in self.there(name).values())
        self.assertGreater(sent, 2 * report["size_bytes"])
        self.assertGreater(elapsed, sent / (3 << 20) - MOST_SAVED_UP, "quicker than its limit")
        [upload] = [stage for stage in report["stages"] if stage["name"] == "upload"]
        self.assertEqual(upload["status"], "ok")

    def test_the_dump_does_not_wait_for_it(self) -> None:
        rate = 16 << 10  # the least there is: minutes for this dump
        daemon = self.daemon("16 KiB/s", ["one"])
        begin = time.monotonic()
        daemon.ctl("run", "job")

        def uploading_what_is_here() -> Any:
            status = daemon.status()
            return status if daemon.sets() and (status["uploads"] or not status["running"]) else None

        status = daemon.wait_for(uploading_what_is_here, what="an upload of what is all here")
        elapsed = time.monotonic() - begin
        [entry] = daemon.sets()
        self.assertTrue((daemon.set_directory(entry["set"]) / "manifest.json").exists())
        self.assertGreater(entry["size_bytes"], 100 * rate)
        self.assertEqual([running["job"] for running in daemon.status()["running"]], ["job"])
        self.assertLessEqual(sum(upload["bytes"] for upload in status["uploads"]), rate * (elapsed + MOST_SAVED_UP))
        self.assertEqual(self.there("one"), {})


if __name__ == "__main__":
    unittest.main()
