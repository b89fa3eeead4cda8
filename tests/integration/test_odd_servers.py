"""Servers that answer wrongly, stall or refuse a part of what is asked: what an administrator is told then, and what goes on
all the same. A real gateway behind a proxy."""

from __future__ import annotations

import os
import sys
import unittest
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, config_for
from support.s3_case import S3Case
from support.s3_proxy import Call, Fault, Reply

CTEST = {"timeout": 600, "servers": ["rgw"]}
ENDLESS = b"""<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>
<Contents><Key>somebody/else</Key><Size>1</Size></Contents></ListBucketResult>"""


def error(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>so the test wants it</Message></Error>".encode()


class OddServers(S3Case):
    shop_rows = 500

    def setUp(self) -> None:
        super().setUp()
        self.harm = self.proxy()

    def daemon(self, more: dict[str, Any] | None = None, **job: Any) -> Daemon:
        """One, not started, whose job sends its sets to "ceph" behind the proxy, and to the other targets there."""
        targets = {"ceph": self.target(self.harm, "ceph"), **(more or {})}
        base = {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}, "targets": list(targets)}
        return self.new_daemon(config_for(self.server, jobs={"job": {**base, **job}}, targets=targets))

    def test_a_list_that_does_not_end_holds_up_nothing(self) -> None:
        def plan(call: Call) -> Fault | Reply | None:
            endless = call.kind == "ListObjectsV2" and "max-keys=1&" not in call.query + "&"
            return Reply("200 OK", ENDLESS) if endless else None

        daemon = self.daemon(retries={"attempts": 1})
        nas = daemon.directory / "nas"
        daemon.write_config(config_for(
            self.server, jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]},
                                       "retries": {"attempts": 1}, "targets": ["ceph", "nas"]}},
            targets={"ceph": self.target(self.harm, "ceph"), "nas": {"type": "directory", "path": str(nas)}},
        ))  # fmt: skip
        old = nas / ".pgbakd-uploads" / ("0" * 32)
        old.parent.mkdir(parents=True, mode=0o700)
        old.write_text("left by a kill", encoding="utf-8")
        os.utime(old, (1e9, 1e9))
        for path in (nas, old.parent, old):
            os.chown(path, daemon.account.uid, daemon.account.gid)
        self.harm.plan = plan
        daemon.start()
        daemon.wait_for(lambda: not old.exists(), what="the sweep of the other target")
        daemon.wait_for_log("the listing of all that is there does not end: ")
        report = daemon.run("job")
        told = {target["name"]: target for target in report["targets"]}
        self.assertEqual(told["nas"]["status"], "copied", report)
        self.assertEqual(told["ceph"]["status"], "owed", report)
        self.assertIn(f"the listing of {report['set']}/ does not end: ", told["ceph"]["message"])
        listed = daemon.ctl("list", "--from", "ceph", check=False)
        self.assertEqual(listed.code, 1)
        self.assertIn("pgbakctl: target ceph: the listing of all that is there does not end: ", listed.err)

    def test_a_sweep_that_is_not_allowed_spoils_no_pruning_and_is_told_once(self) -> None:
        keep_one = {"last": 1, "at_least": 1}
        daemon = self.daemon(retention={"local": keep_one, "targets": {"ceph": keep_one}}).start()
        self.assertIn("sweeping unfinished uploads in ", daemon.ctl("check", "--connect").out)
        self.harm.plan = lambda call: Reply("403 Forbidden", error("AccessDenied")) if call.kind == "ListMultipartUploads" else None
        first, second = daemon.run("job"), daemon.run("job")
        self.assertEqual([report["status"] for report in (first, second)], ["SUCCESS"] * 2)
        [note] = first["notes"]
        self.assertIn("could not be swept, all else is pruned: ", note)
        self.assertIn("s3:ListBucketMultipartUploads", note)
        self.assertEqual(second["notes"], [])
        self.assertEqual(self.listed("ceph", "after the second run"), {second["set"]})
        self.assertNotIn("could not prune", daemon.log())
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertEqual(checked.code, 1)
        self.assertIn("target ceph: sweeping unfinished uploads is not possible in ", checked.out)
        self.assertIn("s3:ListBucketMultipartUploads", checked.out)
        self.assertIn("deleting, uploading in parts in ", checked.out)
        self.assertEqual(self.uploads(), [])

    def test_what_stalls_is_told_and_left_to_be_sent_later(self) -> None:
        daemon = self.daemon(retries={"attempts": 3, "backoff": "1s"}).start()
        self.harm.plan = lambda call: Reply("408 Request Timeout", error("RequestTimeout")) if call.kind == "PutObject" else None
        report = daemon.run("job")
        self.assertEqual([target["status"] for target in report["targets"]], ["owed"], report)
        log = daemon.log()
        self.assertEqual(log.count("target ceph has stalled, it is tried again: putting "), 1, log)
        puts = Counter(call.path for call in self.harm.calls if call.kind == "PutObject")
        self.assertEqual(len(puts), 1, "one artifact was tried, in one round")
        self.assertNotIn("copying to ceph failed", log)
        [owed] = daemon.status()["owed"]
        self.assertEqual((owed["set"], owed["target"]), (report["set"], "ceph"))


if __name__ == "__main__":
    unittest.main()
