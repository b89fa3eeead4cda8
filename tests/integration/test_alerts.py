"""What people are told, by a real daemon to real services on loopback: once, in order, and whatever stands in the way."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import sys
import unittest
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.alerts import AlertServices
from support.cases import ServerCase
from support.daemon import Daemon
from support.process import wait_for

CTEST = {"timeout": 600}


class Alerts(ServerCase):
    shop_rows = 1000

    def setUp(self) -> None:
        self.services = AlertServices()
        self.addCleanup(self.services.close)

    def job(self, database: str = "shop", **more: Any) -> dict[str, Any]:
        source = {"type": "pg_dump", "server": "local", "databases": [database]}
        return {"source": source, "retries": {"attempts": 1}, **more}

    def daemon(self, alerts: dict[str, Any], jobs: dict[str, Any] | None = None, **more: Any) -> Daemon:
        return self.start_daemon(jobs or {"shop": self.job()}, alerts=alerts, **more)

    def waiting(self, daemon: Daemon) -> int:
        return int(daemon.status()["alerts"]["waiting"])

    def wait_until_told(self, daemon: Daemon) -> None:
        daemon.wait_for(lambda: self.waiting(daemon) == 0, what="an empty outbox")

    # --- what is told ---

    def test_a_success_a_failure_and_a_recovery(self) -> None:
        self.server.createdb("fleeting")
        self.addCleanup(lambda: self.server.sql("drop database if exists fleeting"))
        daemon = self.daemon({"hook": self.services.webhook(hmac_key="sesame-open-the-door")}, {"night": self.job("fleeting")})
        daemon.run("night")
        good = self.services.wait_for_alert("run_succeeded", job="night")
        self.assertEqual(good["severity"], "info")
        self.assertEqual(good["set"].split("/")[0], "night")
        self.assertGreater(good["bytes"], 0)
        self.server.sql("drop database fleeting")
        daemon.run("night", check=False)
        bad = self.services.wait_for_alert("run_failed", job="night")
        self.assertEqual(bad["severity"], "critical")
        self.assertIn("fleeting", bad["message"])
        self.assertEqual([finding["kind"] for finding in daemon.status()["findings"]], ["run_failed"])
        self.server.createdb("fleeting")
        daemon.run("night")
        back = wait_for(lambda: [a for a in self.services.alerts() if a["kind"] == "run_succeeded"][1:], what="the recovery")
        self.assertIn("again", back[0]["title"])
        self.assertEqual(daemon.status()["findings"], [])
        self.wait_until_told(daemon)
        kinds = [alert["kind"] for alert in self.services.alerts()]
        self.assertEqual(kinds, ["run_succeeded", "run_failed", "run_succeeded"])
        for _, headers, body in self.services.requests():
            digest = hmac.new(b"sesame-open-the-door", body, hashlib.sha256).hexdigest()
            self.assertEqual(headers["x-pgbakd-signature"], f"sha256={digest}")

    def test_a_channel_hears_what_it_asked_for(self) -> None:
        alerts = {
            "all": self.services.webhook("/all"),
            "bad": self.services.webhook("/bad", min_severity="critical"),
            "other": self.services.webhook("/other", jobs=["other"]),
            "pulse": self.services.heartbeat(jobs=["shop"]),
        }
        jobs = {"shop": self.job(), "other": self.job(), "quiet": self.job(alerts=["bad"]), "broken": self.job("nothing")}
        daemon = self.daemon(alerts, jobs)
        for name in jobs:
            daemon.run(name, check=False)
        self.services.wait_for_alert("run_failed", job="broken")
        daemon.wait_for(lambda: len(self.services.beats()) == 2, what="two beats")
        self.wait_until_told(daemon)
        heard: dict[str, list[str]] = {}
        for path, _, body in self.services.requests():
            if not path.startswith("/beat"):
                heard.setdefault(path, []).append(json.loads(body)["job"])
        self.assertEqual(sorted(heard["/all"]), ["broken", "other", "shop"])
        self.assertEqual(heard["/bad"], ["broken"])
        self.assertEqual(heard["/other"], ["other"])
        self.assertEqual(self.services.beats(), ["/beat/start", "/beat"])

    def test_a_refused_reload_is_told_and_clears(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        good = daemon.config_file.read_text(encoding="utf-8")
        daemon.write_config(good.replace('"retries"', '"retrys"'))
        self.assertEqual(daemon.ctl("reload", check=False).code, 3)
        told = self.services.wait_for_alert("finding_opened", finding="reload_refused")
        self.assertIn("retrys", told["message"])
        self.assertEqual(told["severity"], "warning")
        daemon.write_config(good)
        daemon.ctl("reload")
        self.services.wait_for_alert("finding_closed", finding="reload_refused")
        self.assertEqual(daemon.status()["findings"], [])

    def test_a_mail_by_smtps(self) -> None:
        mail = {
            "type": "mail", "url": f"smtps://localhost:{self.services.ports['smtps']}", "from": "pgbakd@example.com",
            "user": "u", "password": "a-password", "to": ["dba@example.com"], "min_severity": "info",
            "ca_file": str(self.services.directory / "authority.pem"),
        }  # fmt: skip
        os.chmod(self.services.directory, 0o755)
        os.chmod(self.services.directory / "authority.pem", 0o644)
        daemon = self.daemon({"mail": mail})
        daemon.run("shop")
        found = wait_for(self.services.mails, what="a mail")[0]
        self.assertIn("shop succeeded", str(found["Subject"]))
        self.assertIn("dba@example.com", str(found["To"]))

    # --- whatever stands in the way ---

    def test_a_service_that_is_away_gets_all_of_it_once_in_order(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        self.services.behave("failing")
        for _ in range(3):
            daemon.run("shop")
        daemon.wait_for_log("alerts do not reach hook, it is tried again")
        self.assertEqual(self.waiting(daemon), 3)
        self.services.behave("ok")
        # A test that arrives shows that the channel works: what waits goes at once.
        self.assertIn("hook: delivered", daemon.ctl("test-alert").out)
        self.wait_until_told(daemon)
        runs = [alert["run"] for alert in self.services.alerts() if alert["kind"] == "run_succeeded"]
        history = [entry["run"] for entry in daemon.ctl("--json", "runs").json["runs"]]
        self.assertEqual(runs, list(reversed(history)))

    def test_killed_between_writing_and_sending(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        self.services.behave("silent")
        daemon.run("shop")
        daemon.wait_for(lambda: self.waiting(daemon) == 1, what="an alert that waits")
        daemon.kill9()
        self.services.behave("ok")
        daemon.start()
        self.services.wait_for_alert("run_succeeded", job="shop")
        self.wait_until_told(daemon)
        self.assertEqual(len(self.services.alerts()), 1)

    def test_many_failing_jobs_do_not_flood_a_channel(self) -> None:
        count = 200
        jobs = {f"job{number:03}": self.job("nothing") for number in range(count)}
        daemon = self.daemon({"hook": self.services.webhook()}, jobs, limits={"concurrent_runs": 16, "concurrent_runs_per_server": 16})
        self.services.behave("failing")
        for name in jobs:
            daemon.ctl("run", name)
        failed = lambda: [each for each in daemon.status()["findings"] if each["kind"] == "run_failed"]
        daemon.wait_for(lambda: len(failed()) == count, what="all findings")
        self.services.behave("ok")
        daemon.ctl("test-alert", "hook")
        self.wait_until_told(daemon)
        told = [alert for alert in self.services.alerts() if alert["kind"] == "run_failed"]
        self.assertEqual(sorted(alert["job"] for alert in told), sorted(jobs))
        self.assertLess(len(self.services.requests()), 10)

    def test_a_channel_whose_secret_is_wrong_is_a_finding_and_works_once_it_is_mended(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook(), "ops": self.services.webhook("/ops")})
        secret = daemon.directory / "hook-url"
        config = json.loads(daemon.config_file.read_text(encoding="utf-8"))
        config["alerts"]["hook"]["url"] = {"file": str(secret)}
        secret.write_text(f"http://127.0.0.1:{self.services.ports['closed']}/away", encoding="utf-8")
        os.chmod(secret, 0o644)
        daemon.write_config(config)
        daemon.ctl("reload")
        for _ in range(2):
            daemon.run("shop")
        daemon.wait_for_log("alerts do not reach hook")
        answer = daemon.ctl("test-alert", "hook", check=False)
        self.assertEqual(answer.code, 1)
        self.assertIn("hook: not delivered", answer.out)
        self.assertNotIn("/away", answer.out + answer.err + daemon.log())

    def test_alerts_of_a_channel_that_is_gone_are_given_up_and_that_is_said(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        self.services.behave("failing")
        daemon.run("shop")
        daemon.wait_for(lambda: self.waiting(daemon) == 1, what="an alert that waits")
        config = json.loads(daemon.config_file.read_text(encoding="utf-8"))
        del config["alerts"]
        daemon.write_config(config)
        daemon.ctl("reload")
        daemon.wait_for_log("1 alert for hook given up: the configuration has no such channel any more")

    def test_test_alert_names_the_channels_there_are(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        answer = daemon.ctl("test-alert", "hok", check=False)
        self.assertEqual(answer.code, 6)
        self.assertIn("channels: hook", answer.err)
        self.assertEqual(daemon.ctl("--json", "test-alert").json["channels"][0]["channel"], "hook")

    # --- health ---

    def test_a_corrupt_set_is_a_finding_of_its_own(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        report = daemon.run("shop")
        artifact = next(daemon.set_directory(report["set"]).glob("*.dump"))
        damaged = bytearray(artifact.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        artifact.write_bytes(damaged)
        self.assertEqual(daemon.ctl("verify", report["set"], check=False).code, 4)
        daemon.run("shop")  # every look behind a run sees it
        told = self.services.wait_for_alert("finding_opened", finding="corrupt")
        self.assertEqual((told["set"], told["severity"]), (report["set"], "critical"))

    def test_a_job_without_a_recent_good_set_is_told_and_healthz_says_so(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()}, {"shop": self.job(health={"max_age": "2h"})})
        daemon.run("shop")
        daemon.stop()
        # Three hours pass: what the catalog and the set know of it began three hours earlier.
        self.age(daemon, 3 * 3600)
        daemon.start()
        told = self.services.wait_for_alert("finding_opened", finding="too_old")
        self.assertEqual((told["job"], told["severity"], told["place"]), ("shop", "critical", "local"))
        daemon.run("shop")
        self.services.wait_for_alert("finding_closed", finding="too_old")

    def age(self, daemon: Daemon, seconds: int) -> None:
        """As if the set and all that is known of it were that much older."""
        for path in daemon.repository.glob("shop/*/manifest.json"):
            text = json.loads(path.read_text(encoding="utf-8"))
            for name in ("started_at", "started_at_utc", "finished_at", "finished_at_utc"):
                text[name] = older(text[name], seconds)
            path.write_text(json.dumps(text, indent=2) + "\n", encoding="utf-8")
        with sqlite3.connect(daemon.directory / "state" / "state.db") as state:
            state.execute("update known_places set since = since - ?", (seconds * 1000,))
        state.close()


def older(text: str, seconds: int) -> str:
    at = datetime.fromisoformat(text.replace("Z", "+00:00")) - timedelta(seconds=seconds)
    return at.isoformat().replace("+00:00", "Z")


if __name__ == "__main__":
    unittest.main()
