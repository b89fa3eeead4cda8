"""`keep_local: never` when its bucket fails: what one target does not take is no harm to the other, and no half set."""

from __future__ import annotations

import sys
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import config_for
from support.s3_case import S3Case
from support.s3_proxy import Every, Fault, From, Once, Plan

CTEST = {"timeout": 1200, "servers": ["rgw"], "cost": 35}

LASTING = (Fault.ERROR, Fault.LOST, Fault.REFUSE, Fault.CUT)


class WithoutDiskFaults(S3Case):
    shop_rows = 150_000  # two parts

    def start(self, count: int, *, beside: bool = True, **job: Any) -> None:
        """A daemon with so many jobs, each with a bucket behind a proxy, and maybe a directory beside it."""
        self.proxies = [self.proxy() for _ in range(count)]
        self.names = [f"j{number:02}" for number in range(count)]
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"], "globals": True}
        jobs = {
            name: {"source": source, "compression": "none", "keep_local": "never", "retries": {"attempts": 1},
                   "targets": [name, "nas"] if beside else [name], **job}
            for name in self.names
        }  # fmt: skip
        limits = {"concurrent_runs": 64, "concurrent_runs_per_server": 8}
        config = config_for(self.server, jobs=jobs, limits=limits)
        self.daemon = self.new_daemon(config)
        config["targets"] = {name: self.target(proxy, name) for name, proxy in zip(self.names, self.proxies)}
        config["targets"]["nas"] = {"type": "directory", "path": str(self.daemon.directory / "nas")}
        self.daemon.write_config(config)
        self.daemon.start()

    def run_all(self) -> list[Any]:
        with ThreadPoolExecutor(len(self.names)) as pool:
            return list(pool.map(lambda name: self.daemon.run(name, check=False), self.names))

    def test_all_calls_of_one_target_fail_from_one_on(self) -> None:
        self.start(1)
        self.proxies[0].plan = None
        self.assertEqual(self.daemon.run("j00")["status"], "SUCCESS")
        calls = len(self.proxies[0].calls)
        self.daemon.stop()
        plans: list[Plan] = [From(number, LASTING[number % len(LASTING)]) for number in range(1, calls + 1)]
        self.start(len(plans))
        for proxy, plan in zip(self.proxies, plans):
            proxy.plan = plan
        statuses: Counter[str] = Counter()
        for report, name, proxy in zip(self.run_all(), self.names, self.proxies):
            at = f"{proxy.plan}: {', '.join(map(str, proxy.struck[:3]))}"
            statuses[report["status"]] += 1
            told = {target["name"]: target["status"] for target in report["targets"]}
            self.assertEqual(told["nas"], "copied", (at, report))
            self.assertEqual(report["status"], "SUCCESS" if told[name] == "copied" else "WARNING", (at, report))
            self.assertEqual(self.daemon.ctl("--json", "verify", report["set"], "--from", "nas").json["ok"], True, at)
            # A set is there with all of it, or not at all. (One whose last answer was lost is there and not known.)
            listed = self.listed(name, at)
            if told[name] == "copied":
                self.assertIn(report["set"], listed, at)
        self.assertGreater(statuses["WARNING"], calls // 2, statuses)
        self.assertEqual(self.daemon.partial_directories(), [])

    def test_single_failures_are_no_harm(self) -> None:
        plans: list[Plan] = [Once(number, LASTING[number % len(LASTING)]) for number in range(1, 9)]
        plans += [Every(3, Fault.ERROR), From(1, Fault.SLOW)]
        self.start(len(plans), beside=False)
        for proxy, plan in zip(self.proxies, plans):
            proxy.plan = plan
        for report, name, proxy in zip(self.run_all(), self.names, self.proxies):
            self.assertTrue(proxy.struck, proxy.plan)
            self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), (proxy.plan, report))
            self.assertEqual(self.daemon.ctl("--json", "verify", report["set"], "--from", name).json["ok"], True)

    def test_a_dump_that_no_target_took_is_made_anew(self) -> None:
        self.start(1, beside=False, retries={"attempts": 2, "backoff": "100ms"})
        self.proxies[0].plan = lambda call: Fault.ERROR if call.method in ("PUT", "POST") else None
        with ThreadPoolExecutor() as threads:
            run = threads.submit(self.daemon.run, "j00")
            self.daemon.wait_for_log("trying again")
            self.proxies[0].heal()
            report = run.result()
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertEqual(self.daemon.ctl("--json", "verify", report["set"], "--from", "j00").json["ok"], True)
        self.assertEqual(self.uploads(), [])


if __name__ == "__main__":
    unittest.main()
