"""What people are told, and who, by a real daemon to real services on loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import unittest
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.alert_cases import AlertCase
from support.daemon import Daemon
from support.process import wait_for

CTEST = {"timeout": 600, "cost": 30}


class Alerts(AlertCase):
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
        heard = {path: sorted(alert["job"] for alert in self.services.alerts(path)) for path in ("/all", "/bad", "/other")}
        self.assertEqual(heard, {"/all": ["broken", "other", "shop"], "/bad": ["broken"], "/other": ["other"]})
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
        daemon = self.daemon({"mail": self.mail()})
        daemon.run("shop")
        found = wait_for(self.services.mails, what="a mail")[0]
        self.assertIn("shop succeeded", str(found["Subject"]))
        self.assertIn("dba@example.com", str(found["To"]))

    # --- findings end ---

    def test_the_end_of_a_finding_is_told_to_those_who_heard_of_it(self) -> None:
        self.server.createdb("fleeting")
        self.addCleanup(lambda: self.server.sql("drop database if exists fleeting"))
        critical = {"min_severity": "critical"}
        alerts = {name: self.services.webhook(f"/{name}", **critical) for name in ("early", "late")}
        daemon = self.daemon(alerts, {"night": self.job("fleeting", alerts=["early"])})
        self.server.sql("drop database fleeting")
        daemon.run("night", check=False)
        self.services.wait_for_alert("run_failed", "/early", job="night")
        # From now on it is to be told elsewhere, and the one that was told is told of other jobs only.
        self.reload(daemon, lambda config: config["jobs"]["night"].update(alerts=["late"]))
        self.services.wait_for_alert("finding_reminded", "/late", job="night")
        self.server.createdb("fleeting")
        daemon.run("night")
        back = self.services.wait_for_alert("run_succeeded", "/early", job="night")
        self.assertEqual(back["was"], "critical")
        self.server.sql("drop database fleeting")
        daemon.run("night", check=False)
        self.services.wait_for_alert("run_failed", "/late", job="night")
        self.wait_until_told(daemon)
        kinds = ["finding_reminded", "run_succeeded", "run_failed"]
        self.assertEqual([alert["kind"] for alert in self.services.alerts("/late")], kinds)
        self.assertEqual([alert["kind"] for alert in self.services.alerts("/early")], ["run_failed", "run_succeeded"])

    def test_a_job_that_is_removed_is_not_well_again(self) -> None:
        alerts = {name: self.services.webhook(f"/{name}", min_severity="warning") for name in ("night", "ops")}
        daemon = self.daemon(alerts, {"night": self.job("nothing", alerts=["night"]), "shop": self.job()})
        daemon.run("night", check=False)
        self.services.wait_for_alert("run_failed", "/night", job="night")
        self.reload(daemon, lambda config: config["jobs"].pop("night"))
        told = self.services.wait_for_alert("finding_closed", "/night", job="night")
        self.assertIn("no longer looked at", told["title"])
        self.assertIn("the configuration has no job night any more", told["message"])
        self.assertNotIn("well again", told["message"])
        self.assertEqual(daemon.status()["findings"], [])
        self.wait_until_told(daemon)
        self.assertEqual(self.services.alerts("/ops"), [])

    def test_a_channel_that_was_renamed_hears_at_once_what_is_wrong(self) -> None:
        alerts = {"early": self.services.webhook("/early"), "other": self.services.webhook("/other")}
        daemon = self.daemon(alerts, {"night": self.job("nothing"), "shop": self.job()})
        daemon.run("night", check=False)
        self.services.wait_for_alert("run_failed", "/early", job="night")
        self.wait_until_told(daemon)
        self.reload(daemon, lambda config: config["alerts"].update(late=config["alerts"].pop("early") | {"url": self.services.webhook("/late")["url"]}))
        told = self.services.wait_for_alert("finding_reminded", "/late", job="night")
        self.assertIn("night failed", told["title"])
        self.wait_until_told(daemon)
        # Once: it has been told now.
        daemon.ctl("reload")
        daemon.run("shop")
        self.services.wait_for_alert("run_succeeded", "/late", job="shop")
        self.assertEqual([alert["kind"] for alert in self.services.alerts("/late")], ["finding_reminded", "run_succeeded"])
        self.services.wait_for_alert("run_succeeded", "/other", job="shop")
        self.assertEqual([alert["kind"] for alert in self.services.alerts("/other")], ["run_failed", "run_succeeded"])

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
        self.in_catalog(daemon, f"update known_places set since = since - {seconds * 1000}")


def older(text: str, seconds: int) -> str:
    at = datetime.fromisoformat(text.replace("Z", "+00:00")) - timedelta(seconds=seconds)
    return at.isoformat().replace("+00:00", "Z")


if __name__ == "__main__":
    unittest.main()
