"""What is to be told arrives, by a real daemon to real services on loopback: once, in order, whatever stands in the way."""

from __future__ import annotations

import json
import os
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.alert_cases import AlertCase
from support.api import Api
from support.daemon import Daemon
from support.process import wait_for

CTEST = {"timeout": 600, "cost": 50}


class AlertDelivery(AlertCase):
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

    def test_killed_right_behind_a_run_before_anybody_was_told(self) -> None:
        for database, kind, beat in (("shop", "run_succeeded", "/beat"), ("nothing", "run_failed", "/beat/fail")):
            with self.subTest(kind):
                before = len(self.services.beats())
                daemon = self.daemon(
                    {"hook": self.services.webhook(), "pulse": self.services.heartbeat(jobs=["job"])},
                    {"job": self.job(database)},
                )
                # What becomes of the run cannot be put into the outbox, as if the kill came before.
                self.in_catalog(
                    daemon,
                    "create trigger too_early before insert on alerts when new.alert not like '%run_started%'"
                    " begin select raise(abort, 'too early'); end",
                )
                run = daemon.run("job", check=False)["run"]
                daemon.wait_for_log("looking whether all is well")
                daemon.kill9()
                self.in_catalog(daemon, "drop trigger too_early")
                daemon.start()
                told = self.services.wait_for_alert(kind, run=run)
                self.assertEqual(told["job"], "job")
                self.wait_until_told(daemon)
                # Once, whatever comes then.
                daemon.kill9()
                daemon.start()
                again = daemon.run("job", check=False)["run"]
                self.services.wait_for_alert(kind, run=again)
                self.wait_until_told(daemon)
                runs = [alert["run"] for alert in self.services.alerts() if alert["kind"] == kind]
                self.assertEqual(runs, [run, again])
                self.assertEqual(self.services.beats()[before:], ["/beat/start", beat] * 2)
                daemon.close()

    def test_a_run_that_a_kill_has_ended_is_told_once(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook(), "pulse": self.services.heartbeat(jobs=["shop"])})
        lock = self.hold_lock()
        daemon.ctl("run", "shop")
        lock.wait_for_dump()
        daemon.wait_for(lambda: self.services.beats() == ["/beat/start"], what="the start")
        daemon.kill9()
        lock.release()
        daemon.start()
        self.services.wait_for_alert("run_failed", job="shop")
        self.wait_until_told(daemon)
        daemon.restart()
        daemon.run("shop")
        self.services.wait_for_alert("run_succeeded", job="shop")
        self.wait_until_told(daemon)
        self.assertEqual([alert["kind"] for alert in self.services.alerts()], ["run_failed", "run_succeeded"])
        self.assertEqual(self.services.beats(), ["/beat/start", "/beat/fail", "/beat/start", "/beat"])

    def test_a_stop_lets_a_delivery_that_is_under_way_end(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        self.services.behave("held")
        daemon.run("shop")
        wait_for(self.services.alerts, what="a delivery")
        daemon.signal(signal.SIGTERM)
        daemon.wait_for_log("stopping")
        self.services.behave("ok")
        self.assertEqual(daemon.wait(), 0)
        daemon.start()
        daemon.run("shop")
        wait_for(lambda: self.services.alerts()[1:], what="the second")
        self.wait_until_told(daemon)
        self.assertEqual(len({alert["id"] for alert in self.services.alerts()}), 2)
        self.assertEqual(len(self.services.alerts()), 2)

    def test_a_stop_does_not_wait_for_long_for_a_delivery_that_does_not_end(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        self.services.behave("held")
        daemon.run("shop")
        wait_for(self.services.alerts, what="a delivery")
        self.assertEqual(daemon.stop(), 0)
        self.services.behave("ok")
        daemon.start()
        self.wait_until_told(daemon)
        first, second = self.services.alerts()
        self.assertEqual(first["id"], second["id"])

    def test_a_pause_that_a_channel_asks_for_outlives_a_restart_and_a_reload(self) -> None:
        hook = self.services.webhook()
        daemon = self.daemon({"hook": hook, "ops": self.services.webhook("/ops")})
        self.services.behave("away", "/hook")
        daemon.run("shop")
        self.services.wait_for_alert("run_succeeded", "/ops")
        daemon.wait_for_log("alerts do not reach hook")
        daemon.stop()
        self.services.behave("ok", "/hook")
        daemon.start()
        daemon.run("shop")
        wait_for(lambda: self.services.alerts("/ops")[1:], what="the second")
        self.reload(daemon, lambda config: config["alerts"]["ops"].update(jobs=["shop"]))
        daemon.run("shop")
        wait_for(lambda: self.services.alerts("/ops")[2:], what="the third")
        self.assertEqual(self.services.alerts("/hook"), [])
        self.assertEqual(daemon.status()["alerts"]["channels"]["hook"], 3)
        # Somebody who knows better ends it.
        daemon.ctl("test-alert", "hook")
        self.wait_until_told(daemon)
        told = [alert["run"] for alert in self.services.alerts("/hook") if alert["kind"] == "run_succeeded"]
        self.assertEqual(told, [alert["run"] for alert in self.services.alerts("/ops") if alert["kind"] == "run_succeeded"])

    def test_a_channel_that_takes_no_message_is_a_finding_until_it_takes_one(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook(), "ops": self.services.webhook("/ops")})
        self.services.behave("rejecting", "/hook")
        daemon.run("shop")
        told = self.services.wait_for_alert("finding_opened", "/ops", finding="channel_failing")
        self.assertEqual((told["place"], told["severity"]), ("hook", "warning"))
        self.assertIn("alerts for hook are lost", told["message"])
        self.assertIn("status 400", told["message"])
        daemon.restart()
        self.assertEqual([finding["kind"] for finding in daemon.status()["findings"]], ["channel_failing"])
        self.services.behave("ok", "/hook")
        daemon.run("shop")
        self.services.wait_for_alert("finding_closed", "/ops", finding="channel_failing")
        self.assertEqual(daemon.status()["findings"], [])
        self.assertEqual([alert["kind"] for alert in self.services.alerts("/hook")], ["run_succeeded"])

    def test_many_failing_jobs_are_a_few_messages_to_a_channel_that_works(self) -> None:
        count = 40
        jobs = {f"job{number:03}": self.job("nothing") for number in range(count)}
        daemon = self.daemon({"mail": self.mail()}, jobs)
        for name in jobs:
            daemon.run(name, check=False)
        self.wait_until_told(daemon)
        mails = self.services.mails()
        self.assertLess(len(mails), count / 2)
        self.assertIn(" failed", str(mails[0]["Subject"]))
        told = "".join(f"{mail['Subject']} {mail.get_content()}" for mail in mails)
        self.assertEqual([name for name in jobs if f"{name} failed" not in told], [])

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
        self.reload(daemon, lambda config: config.pop("alerts"))
        daemon.wait_for_log("1 alert for hook given up: the configuration has no such channel any more")

    def test_an_alert_on_its_way_to_a_channel_that_is_removed_arrives_and_is_not_given_up(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook(), "ops": self.services.webhook("/ops")})
        self.services.behave("held", "/hook")
        daemon.run("shop")
        wait_for(lambda: self.services.alerts("/hook"), what="a delivery")
        self.reload(daemon, lambda config: config["alerts"].pop("hook"))
        self.services.behave("ok", "/hook")
        self.wait_until_told(daemon)
        daemon.run("shop")
        wait_for(lambda: self.services.alerts("/ops")[1:], what="the second run")
        self.assertEqual(len(self.services.alerts("/hook")), 1)
        self.assertNotIn("given up", daemon.log())

    def test_a_channel_that_is_put_back_while_an_alert_is_on_its_way_gets_it_once(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        self.services.behave("held")
        daemon.run("shop")
        wait_for(self.services.alerts, what="a delivery")
        self.reload(daemon, lambda config: config.pop("alerts"))
        self.reload(daemon, lambda config: config.update(alerts={"hook": self.services.webhook()}))
        self.services.behave("ok")
        self.wait_until_told(daemon)
        daemon.run("shop")
        wait_for(lambda: len({alert["run"] for alert in self.services.alerts()}) == 2, what="the second run")
        self.assertEqual(len(self.services.alerts()), 2)

    def test_what_ran_of_a_job_that_was_removed_meanwhile_is_told_where_it_was(self) -> None:
        alerts = {name: self.services.webhook(f"/{name}") for name in ("night", "ops")}
        daemon = self.daemon(alerts, {"shop": self.job(alerts=["night"]), "other": self.job()})
        lock = self.hold_lock()
        daemon.ctl("run", "shop")
        lock.wait_for_dump()
        daemon.kill9()
        lock.release()
        config = json.loads(daemon.config_file.read_text(encoding="utf-8"))
        del config["jobs"]["shop"]
        daemon.write_config(config)
        daemon.start()
        self.services.wait_for_alert("run_failed", "/night", job="shop")
        self.wait_until_told(daemon)
        self.assertEqual(self.services.alerts("/ops"), [])

    def test_whom_a_job_told_is_known_however_long_the_daemon_has_run(self) -> None:
        alerts = {name: self.services.webhook(f"/{name}") for name in ("night", "ops")}
        jobs = {name: self.job(alerts=["night"]) for name in ("shop", "other")}
        daemon = self.daemon(alerts, jobs)
        daemon.run("other")
        self.services.wait_for_alert("run_succeeded", "/night", job="other")
        self.in_catalog(daemon, "update job_channels set known_at = known_at - 31 * 24 * 3600 * 1000")
        lock = self.hold_lock()
        daemon.ctl("run", "shop")
        lock.wait_for_dump()
        self.reload(daemon, lambda config: config["jobs"].pop("shop"))
        lock.release()
        self.services.wait_for_alert("run_succeeded", "/night", job="shop")
        self.wait_until_told(daemon)
        self.assertEqual(self.services.alerts("/ops"), [])

    def test_what_a_channel_has_lost_it_hears_when_it_is_mended_and_its_end_then_too(self) -> None:
        alerts = {name: self.services.webhook(f"/{name}", min_severity="warning") for name in ("away", "deaf", "good")}
        daemon = self.daemon(alerts, {"shop": self.job("nothing")})
        self.services.behave("failing", "/away")
        self.services.behave("rejecting", "/deaf")
        daemon.run("shop", check=False)
        daemon.wait_for_log("deaf does not take")
        self.services.wait_for_alert("run_failed", "/good")
        # One is taken out while its alert waits, the other gets the URL it should have had.
        self.reload(daemon, lambda config: (config["alerts"].pop("away"), config["alerts"]["deaf"].update(url=self.services.webhook("/mended")["url"])))
        self.services.wait_for_alert("finding_reminded", "/mended", finding="run_failed")
        daemon.wait_for_log("for away given up")
        self.services.behave("ok", "/away")
        self.reload(daemon, lambda config: config["alerts"].update(away=alerts["away"]))
        self.services.wait_for_alert("finding_reminded", "/away", finding="run_failed")
        self.reload(daemon, lambda config: config["jobs"]["shop"]["source"].update(databases=["shop"]))
        daemon.run("shop")
        for path in ("/away", "/mended", "/good"):
            self.services.wait_for_alert("run_succeeded", path)
            told = [alert["kind"] for alert in self.services.alerts(path) if alert["finding"] == "run_failed"]
            self.assertEqual(len(told), 2, path)

    def test_a_recipient_who_is_deferred_gets_all_of_it_later_and_nobody_gets_it_twice(self) -> None:
        daemon = self.daemon({"mail": self.mail() | {"to": ["dba@example.com", "ops@example.com"]}})
        self.services.behave("greylisting")
        for number in (1, 2):
            daemon.run("shop")
            wait_for(lambda: self.services.recipients() == [["dba@example.com"]] * number, what="a mail")  # noqa: B023
            daemon.wait_for(lambda: self.waiting(daemon) == number, what="an alert that waits")  # noqa: B023
        self.services.behave("ok")
        daemon.ctl("reload")
        self.wait_until_told(daemon)
        self.assertEqual(self.services.recipients(), [["dba@example.com"]] * 2 + [["ops@example.com"]] * 2)
        ids = [mail["Message-ID"] for mail in self.services.mails()]
        self.assertEqual(ids[:2], ids[2:])
        daemon.run("shop")
        wait_for(lambda: self.services.recipients()[4:] == [["dba@example.com", "ops@example.com"]], what="a mail to both")

    def test_test_alert_names_the_channels_there_are(self) -> None:
        daemon = self.daemon({"hook": self.services.webhook()})
        answer = daemon.ctl("test-alert", "hok", check=False)
        self.assertEqual(answer.code, 6)
        self.assertIn("channels: hook", answer.err)
        self.assertEqual(daemon.ctl("--json", "test-alert").json["channels"][0]["channel"], "hook")


class Floods(AlertCase):
    """Many runs fail while the channel is away."""

    CTEST = {"cost": 50}

    def fail_all(self, count: int) -> tuple[Daemon, list[str]]:
        """The daemon and its jobs, when each of them is a finding and the channel was told of none."""
        jobs = {f"job{number:03}": self.job("nothing") for number in range(count)}
        limits = {"concurrent_runs": 16, "concurrent_runs_per_server": 16}
        daemon = self.daemon({"hook": self.services.webhook()}, jobs, limits=limits)
        self.services.behave("failing")
        api = Api(daemon.control_socket)
        for name in jobs:
            self.assertEqual(api.post(f"/v1/jobs/{name}/runs").status, 202)
        failed = lambda: [each for each in api.get("/v1/status").json["findings"] if each["kind"] == "run_failed"]
        daemon.wait_for(lambda: len(failed()) == count, what="all findings")
        return daemon, sorted(jobs)

    def told(self) -> list[str]:
        return sorted(alert["job"] for alert in self.services.alerts() if alert["kind"] == "run_failed")

    def test_many_failing_jobs_do_not_flood_a_channel_that_was_away(self) -> None:
        daemon, jobs = self.fail_all(200)
        self.services.behave("ok")
        daemon.ctl("test-alert", "hook")
        self.wait_until_told(daemon)
        self.assertEqual(self.told(), jobs)
        self.assertLess(len(self.services.requests()), 10)

    def test_a_message_that_is_too_large_loses_nothing_of_what_is_in_it(self) -> None:
        daemon, jobs = self.fail_all(60)
        self.services.behave("small")
        daemon.ctl("test-alert", "hook")
        daemon.wait_for_log("alerts in one message, it gets fewer at a time")
        self.wait_until_told(daemon)
        self.assertEqual(self.told(), jobs)
        self.assertNotIn("channel_failing", [finding["kind"] for finding in daemon.status()["findings"]])

    def test_an_alert_is_lost_where_it_is_rejected_alone(self) -> None:
        daemon, jobs = self.fail_all(12)
        daemon.wait_for(lambda: self.waiting(daemon) >= 12, what="alerts that wait")
        self.services.behave("rejecting")
        self.reload(daemon, lambda config: config["alerts"]["hook"].update(min_severity="warning"))
        daemon.wait_for_log('hook does not take "job')
        self.assertGreater(self.waiting(daemon), 0)
        self.services.behave("ok")
        self.wait_until_told(daemon)
        self.assertLess(len(self.told()), len(jobs))
        self.assertGreater(len(self.told()), 0)


if __name__ == "__main__":
    unittest.main()
