"""Every S3 call of a run goes wrong once, or from some call on: no half set is listed on the target, no local set is lost,
nothing stays of uploads, no run is a success whose copy is not complete, and once the service is well the copy arrives.

One daemon has a job for each fault, each with a proxy of its own before the same gateway (support/s3_proxy.py), and runs
them all at once: what fails is mostly waited for.
"""

from __future__ import annotations

import json
import sys
import unittest
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, config_for
from support.owed import forget_pauses
from support.process import wait_for
from support.s3_case import MIB, S3Case
from support.s3_proxy import Call, Every, Fault, From, Once, Plan, Reply, S3Proxy, a_second_later

CTEST = {"timeout": 600, "servers": ["rgw"]}
SINGLE = (Fault.REFUSE, Fault.RESET, Fault.ERROR, Fault.LOST, Fault.CUT)
# What ends an upload for good has to go on for a while, so only some kinds of it.
LASTING = (Fault.ERROR, Fault.LOST, Fault.REFUSE, Fault.CUT)


class UploadFaults(S3Case):
    CTEST = {"cost": 100}
    shop_rows = 150_000  # two parts

    def start(self, count: int, letter: str = "j") -> None:
        """A daemon with so many jobs, each with a target behind a proxy."""
        self.proxies = [self.proxy() for _ in range(count)]
        self.names = [f"{letter}{number:02}" for number in range(count)]
        two = {"last": 2, "at_least": 2}
        jobs = {
            name: {
                "source": {"type": "pg_dump", "server": "local", "databases": ["shop"]},
                "compression": "none",
                "retries": {"attempts": 1},
                "targets": [name],
                "retention": {"local": two, "targets": {name: two}},
            }
            for name in self.names
        }
        targets = {name: self.target(proxy, name) for name, proxy in zip(self.names, self.proxies)}
        limits = {"concurrent_runs": 64, "concurrent_runs_per_server": 8}
        more = {"targets": targets, "limits": limits, "shutdown_grace": "10m"}
        self.daemon = self.new_daemon(config_for(self.server, jobs=jobs, **more)).start()

    def calls_of_a_run(self) -> list[str]:
        """Their kinds, in the order of a run without any harm."""
        self.start(1, "counted")
        [name], [proxy] = self.names, self.proxies
        self.assertEqual(self.daemon.run(name)["status"], "SUCCESS")
        proxy.plan = None
        self.assertEqual(self.daemon.run(name)["status"], "SUCCESS")
        kinds = [call.kind for call in proxy.calls]
        self.daemon.stop()
        proxy.close()
        self.assertEqual(kinds.count("UploadPart"), 2, kinds)
        return kinds

    def run_all(self, plans: Sequence[Plan]) -> list[Any]:
        """Their reports, with a daemon that has a job for each plan."""
        self.start(len(plans))
        for proxy, plan in zip(self.proxies, plans):
            proxy.plan = plan
        with ThreadPoolExecutor(len(plans)) as pool:
            return list(pool.map(lambda name: self.daemon.run(name, check=False), self.names))

    def told(self, proxy: S3Proxy) -> str:
        return f"{proxy.plan}: {', '.join(map(str, proxy.struck[:3]))}"

    def check_report(self, report: Any, name: str, at: str) -> None:
        """The run tells the truth, and the local set is there whatever became of the copy."""
        self.assertIn(report["status"], ("SUCCESS", "WARNING"), (at, report))
        self.assertTrue((self.daemon.set_directory(report["set"]) / "manifest.json").exists(), at)
        listed = self.listed(name, at)
        [target] = report["targets"]
        if report["status"] == "SUCCESS":
            self.assertEqual(target["status"], "copied", (at, target))
            self.assertIn(report["set"], listed, at)
            self.check_equal(self.daemon, report["set"], name, at)
        else:
            self.assertEqual(target["status"], "owed", (at, target))
            self.assertTrue(target["message"], at)

    def nothing_is_owed(self) -> bool:
        """The service may refuse something of its own accord while it is busy: an administrator's reload tries it at once."""
        refused = self.daemon.log().count("is still owed to")
        if refused > self.refused:
            self.refused = refused
            self.daemon.ctl("reload")
        return bool(self.daemon.status()["owed"] == [])

    def check_after_recovery(self) -> None:
        """Once all is well and a day later."""
        ats = [self.told(proxy) for proxy in self.proxies]
        before = a_second_later()
        for proxy in self.proxies:
            proxy.heal()
            proxy.age(before)
        if self.daemon.running:
            self.daemon.stop()
        forget_pauses(self.daemon)
        self.refused = self.daemon.log().count("is still owed to")
        self.daemon.start()
        self.daemon.wait_for(self.nothing_is_owed, what="the end of what is owed")
        sets = {name: [entry["set"] for entry in self.daemon.sets() if entry["job"] == name] for name in self.names}
        for name, at in zip(self.names, ats):
            for entry in sets[name]:
                self.check_equal(self.daemon, entry, name, at)
        with ThreadPoolExecutor(len(self.names)) as pool:
            reports = list(pool.map(self.daemon.run, self.names))
        for name, at, report in zip(self.names, ats, reports):
            self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), at)
            expected: dict[str, int] = {}
            for entry in [*sets[name], report["set"]]:
                expected |= self.local_files(self.daemon, entry)
            self.assertEqual(self.there(name), expected, at)
        self.assertEqual(self.uploads(), [])

    def test_one_call_fails_whichever_it_is(self) -> None:
        kinds = self.calls_of_a_run()
        plans: list[Plan] = []
        for number in range(1, len(kinds) + 1):
            plans += [Once(number, SINGLE[(number + shift) % len(SINGLE)]) for shift in (0, 2)]
        plans += [Every(3, Fault.ERROR), Every(3, Fault.CUT), From(1, Fault.SLOW)]
        reports = self.run_all(plans)
        for report, name, proxy in zip(reports, self.names, self.proxies):
            at = self.told(proxy)
            self.assertTrue(proxy.struck, at)
            self.check_report(report, name, at)
            # What passes is not the run's concern.
            self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), at)
        self.check_after_recovery()

    def test_all_calls_fail_from_one_on(self) -> None:
        kinds = self.calls_of_a_run()
        last = len(kinds) - kinds[::-1].index("PutObject")  # the manifest's
        plans: list[Plan] = [From(number, LASTING[number % len(LASTING)]) for number in range(1, len(kinds) + 1)]
        reports = self.run_all(plans)
        statuses: Counter[str] = Counter()
        for number, (report, name, proxy) in enumerate(zip(reports, self.names, self.proxies), 1):
            at = self.told(proxy)
            self.check_report(report, name, at)
            statuses[report["status"]] += 1
            if number <= last:
                self.assertEqual(report["status"], "WARNING", at)
        self.assertEqual(len(self.daemon.status()["owed"]), statuses["WARNING"])
        self.check_after_recovery()

    def test_the_daemon_is_stopped_while_a_call_is_stalled(self) -> None:
        kinds = self.calls_of_a_run()
        self.start(len(kinds))
        for number, proxy in enumerate(self.proxies, 1):
            proxy.plan = Once(number, Fault.STALL)
        for name in self.names:
            self.daemon.ctl("run", name)
        wait_for(lambda: all(proxy.struck for proxy in self.proxies), what="a stall behind each proxy")
        self.assertEqual(self.daemon.stop(), 0)
        reports = {report["job"]: report for path in self.daemon.reports.glob("[!.]*")
                   for report in [json.loads(path.read_text(encoding="utf-8"))]}  # fmt: skip
        for name, proxy in zip(self.names, self.proxies):
            at = self.told(proxy)
            report = reports[name]
            if report["status"] == "INTERRUPTED":
                self.assertEqual(list(self.daemon.repository.glob(f"{name}/*")), [], at)
                self.assertEqual(self.listed(name, at), set(), at)
            else:
                self.check_report(report, name, at)
        self.check_after_recovery()

    def test_what_a_service_holds_otherwise_than_it_was_sent_is_no_copy(self) -> None:
        self.start(1)
        [name], [proxy] = self.names, self.proxies

        def zeros(call: Call) -> Reply | None:
            if call.kind != "GetObject" or not call.path.endswith(".dump"):
                return None
            first, last = map(int, call.headers["range"].removeprefix("bytes=").split("-"))
            headers = {"Content-Range": f"bytes {first}-{last}/{MIB << 10}"}
            return Reply("206 Partial Content", bytes(last - first + 1), headers)

        proxy.plan = zeros
        report = self.daemon.run(name)
        self.check_report(report, name, "an object of zeros")
        self.assertEqual(report["status"], "WARNING", report)
        self.assertIn("it differs from what was sent at byte 0", report["targets"][0]["message"])
        self.assertEqual(self.listed(name, "an object of zeros"), set())
        self.check_after_recovery()


class SlowTarget(S3Case):
    shop_rows = 150_000

    def test_an_answer_with_another_checksum_than_was_sent_is_no_copy(self) -> None:
        proxy = self.proxy()
        job = {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}, "targets": ["s3"], "retries": {"attempts": 1}}
        target = self.target(proxy, "s3") | {"provider": "aws", "region": self.rgw["region"], "addressing": "path"}
        daemon = self.new_daemon(config_for(self.server, jobs={"job": job}, targets={"s3": target})).start()
        proxy.plan = lambda call: (
            Reply("200 OK", headers={"ETag": '"x"', "x-amz-checksum-sha256": "AAAA"}) if call.kind == "PutObject" else None
        )
        report = daemon.run("job")
        self.assertEqual(report["status"], "WARNING", report)
        self.assertIn("the service has another SHA-256 (AAAA) of it than was sent", report["targets"][0]["message"])

    def test_a_stalled_target_does_not_hold_up_another_ones_copy(self) -> None:
        proxy = self.proxy()
        job = {
            "source": {"type": "pg_dump", "server": "local", "databases": ["shop"]},
            "compression": "none",
            "targets": ["ceph", "nas"],
        }
        daemon = Daemon(config_for(self.server, jobs={"job": job}))
        self.addCleanup(daemon.close)
        targets = {"ceph": self.target(proxy, "ceph"), "nas": {"type": "directory", "path": str(daemon.directory / "nas")}}
        daemon.write_config(config_for(self.server, jobs={"job": job}, targets=targets))
        daemon.start()
        proxy.plan = lambda call: Fault.STALL if call.kind == "UploadPart" else None
        daemon.ctl("run", "job")
        daemon.wait_for_log("uploaded to nas: ")
        [running] = daemon.status()["running"]
        self.assertEqual(running["stage"], "upload")
        wait_for(lambda: proxy.struck, what="the stall")
        [entry] = daemon.sets()
        self.assertEqual({copy["place"]: copy["complete"] for copy in entry["copies"]},
                         {"local": True, "nas": True, "ceph": False})  # fmt: skip
        copied = {path.name: path.stat().st_size for path in (daemon.directory / "nas" / entry["set"]).iterdir()}
        self.assertEqual({f"{entry['set']}/{name}": size for name, size in copied.items()},
                         self.local_files(daemon, entry["set"]))  # fmt: skip
        self.assertEqual(self.there("ceph"), {})
        # The run goes on as soon as the service does.
        proxy.heal()
        daemon.wait_for(lambda: not daemon.status()["running"], what="the end of the run")
        self.assertEqual(daemon.status()["owed"], [])
        self.check_equal(daemon, entry["set"], "ceph", "in the end")
        self.assertGreater(max(copied.values()), 5 * MIB)


if __name__ == "__main__":
    unittest.main()
