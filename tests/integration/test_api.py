"""The HTTP API: its document, its answers, its token, and clients that do harm."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.api import Api, Document, free_port
from support.cases import LifeCase
from support.daemon import Daemon, config_for

CTEST = {"timeout": 600}
TOKEN = "0123456789abcdef0123456789abcdef"
MOST = 64


class ApiCase(LifeCase):
    """A daemon with the jobs "job", which works, and "broken", which does not; served over TCP too."""

    def config_at(self, port: int, token: Any = TOKEN, **more: Any) -> dict[str, Any]:
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"]}
        jobs = {"job": {"source": source}, "broken": {"source": {**source, "databases": ["nowhere"]}, "retries": {"attempts": 1}}}
        return config_for(self.server, jobs=jobs, api={"listen": f"127.0.0.1:{port}", "token": token}, **more)

    def serve(self) -> Daemon:
        self.port = free_port()
        daemon = self.new_daemon(self.config_at(self.port)).start()
        self.api = Api(("127.0.0.1", self.port), TOKEN)
        self.local = Api(daemon.control_socket)
        return daemon


class Routes(ApiCase):
    def test_the_document_and_the_daemon_have_the_same_routes(self) -> None:
        self.serve()
        document = Document()
        served = {(route["method"], route["path"]) for route in self.api.get("/v1").json["routes"]}
        self.assertEqual(served, document.routes())
        for path in document.paths:
            target = path.replace("{job}", "job").replace("{run}", "0" * 26).replace("{name}", "name")
            methods = {method for method, known in served if known == path}
            allowed = set(self.api.ask("OPTIONS", target).headers["allow"].split(", "))
            self.assertEqual(allowed, methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()), path)
            for method in methods:
                # Every parameter in the path has its place in the document, and no other is taken.
                self.assertEqual(document.parameters(method, path, "path"), {name.strip("{}") for name in path.split("/") if "{" in name})
                query = document.parameters(method, path, "query")
                error = self.api.ask(method, f"{target}?nonsense=1").error
                self.assertEqual(error["message"], 'there is no parameter "nonsense"')
                told = error["hint"].partition(": ")[2]
                self.assertEqual(set(told.split(", ")) if told else set(), query, path)
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
                refused = self.api.ask(method, target)
                self.assertEqual(refused.status, 405)
                self.assertEqual(set(refused.headers["allow"].split(", ")), allowed)

    def test_head_and_options(self) -> None:
        self.serve()
        for target in ("/v1", "/v1/status", "/v1/backups", "/v1/backups/latest", "/healthz", "/nowhere", "/v1/runs/x/events"):
            head, get = self.api.ask("HEAD", target), self.api.get(target)
            self.assertEqual(head.status, get.status, target)
            self.assertEqual(head.body, b"")
            self.assertEqual(head.headers["content-type"], get.headers["content-type"])
        self.assertIn("content-length", self.api.ask("HEAD", "/metrics").headers)
        options = self.api.ask("OPTIONS", "*")
        self.assertEqual((options.status, options.headers["allow"]), (204, "GET, HEAD, POST, DELETE, OPTIONS"))

    def test_wrong_values_are_named_with_those_allowed(self) -> None:
        self.serve()
        for target, told in [
            ("/v1/backups?page=0", 'page must be a whole number from 1 to 1000000 (got "0")'),
            ("/v1/backups?page_size=201", 'page_size must be a whole number from 1 to 200 (got "201")'),
            ("/v1/backups?status=FOO", "status must be one of SUCCESS, WARNING, FAILED"),
            ("/v1/backups/latest?job=a%2Fb", 'job must be a job\'s name (got "a/b")'),
            ("/v1/backups?pageNum=1", 'there is no parameter "pageNum"'),
            ("/v1/backups?page=1&page=2", "page is given twice"),
        ]:
            answer = self.api.get(target)
            self.assertEqual(answer.status, 400)
            self.assertIn(told, answer.error["message"])
        answer = self.api.post("/v1/jobs/job/runs?wait=1")
        self.assertEqual((answer.status, answer.error["message"]), (400, 'wait must be true or false (got "1")'))
        self.assertEqual(self.api.get("/v1/backups").json["total"], 0, "nothing was started")
        self.assertEqual(self.api.post("/v1/jobs/job/runs", b'{"wait": true}').status, 400)
        self.assertIn("GET /v1/backups/latest", self.api.get("/v2/status").error["hint"])


class Runs(ApiCase):
    def test_whoever_waits_is_told_what_became_of_it(self) -> None:
        daemon = self.serve()
        done = self.api.post("/v1/jobs/job/runs?wait=true")
        report = done.json
        self.assertEqual((done.status, report["success"], report["uploaded"], report["status"]), (200, True, False, "SUCCESS"))
        [artifact] = report["artifacts"]
        self.assertEqual(artifact["bytes"], Path(artifact["path"]).stat().st_size)
        self.assertEqual(Path(artifact["path"]).parent, daemon.set_directory(report["set"]))
        self.assertIn(report["set"], report["message"])
        failed = self.api.post("/v1/jobs/broken/runs?wait=true").json
        self.assertEqual((failed["success"], failed["status"]), (False, "FAILED"))
        self.assertIn("nowhere", failed["message"])
        milestone = self.api.post("/v1/jobs/job/milestones/first?wait=true", b"{}").json
        self.assertTrue(milestone["set"].endswith("_first"), milestone["set"])
        self.assertEqual(self.api.get(f"/v1/runs/{report['run']}").json["set"], report["set"])
        self.assertEqual(self.api.post("/v1/jobs/nobody/runs").status, 404)
        over = self.api.ask("DELETE", f"/v1/runs/{report['run']}")
        self.assertEqual((over.status, over.error["hint"]), (409, f"GET /v1/runs/{report['run']} tells how it ended"))
        self.assertEqual(self.api.get("/v1/runs/nonsense").status, 400)
        status = self.api.get("/v1/status").json
        [place] = status["places"]
        self.assertEqual((place["place"], place["count"], place["jobs"]), ("local", 2, 2))
        self.assertEqual(place["bytes"], report["size_bytes"] + milestone["size_bytes"])
        jobs = {job["job"]: job for job in status["jobs"]}
        self.assertEqual(jobs["job"]["newest_set"]["set"], milestone["set"])
        self.assertIsNone(jobs["broken"]["newest_set"])
        self.assertEqual(self.local.get("/v1/status").json["jobs"], status["jobs"])

    def test_pages_and_filters(self) -> None:
        daemon = self.serve()
        started = [self.api.post("/v1/jobs/job/runs?wait=true").json["run"] for _ in range(3)]
        failed = self.api.post("/v1/jobs/broken/runs?wait=true").json["run"]
        newest_first = [failed, *reversed(started)]
        everything = self.api.get("/v1/backups").json
        self.assertEqual((everything["page"], everything["page_size"], everything["total"]), (1, 10, 4))
        self.assertEqual([item["run"] for item in everything["items"]], newest_first)
        for size in (1, 3, 4):
            pages = [self.api.get(f"/v1/backups?page={page}&page_size={size}").json for page in range(1, 6)]
            self.assertEqual([item["run"] for page in pages for item in page["items"]], newest_first)
            self.assertTrue(all(page["total"] == 4 and len(page["items"]) <= size for page in pages))
        self.assertEqual(self.api.get("/v1/backups?page=1000000&page_size=200").json["items"], [])
        self.assertEqual([item["run"] for item in self.api.get("/v1/backups?status=FAILED").json["items"]], [failed])
        self.assertEqual(self.api.get("/v1/backups?status=FAILED&job=job").json["total"], 0)
        self.assertEqual(self.api.get("/v1/backups/latest").json["run"], failed)
        self.assertEqual(self.api.get("/v1/backups/latest?job=&status=SUCCESS").json["run"], started[-1])
        # What a clock ahead has dated is not the latest for the rest of the year.
        with sqlite3.connect(daemon.directory / "state" / "state.db", timeout=60) as state:
            state.execute("update runs set started_at = started_at + 86400000 where id = ?", [started[0]])
        state.close()
        self.assertEqual(self.api.get("/v1/backups/latest").json["run"], failed)
        none = self.api.get("/v1/backups/latest?job=job&status=FAILED")
        self.assertEqual((none.status, none.error["message"]), (404, "there is no run of job that is FAILED"))

    def test_what_goes_on_is_listed_as_far_as_it_has_come(self) -> None:
        daemon = self.serve()
        run = self.start_stuck_run(daemon, self.hold_lock())
        [item] = self.api.get("/v1/backups?status=RUNNING").json["items"]
        self.assertEqual((item["run"], [stage["name"] for stage in item["stages"]]), (run, ["preflight", "dump"]))
        busy = self.api.post("/v1/jobs/job/runs?wait=true")
        self.assertEqual((busy.status, busy.error["code"]), (409, "conflict"))
        [running] = self.api.get("/v1/status").json["running"]
        self.assertEqual(running["run"], run)
        self.assertEqual(self.api.ask("DELETE", f"/v1/runs/{run}").json["status"], "CANCELLED")

    def test_a_client_that_leaves_while_it_waits_ends_nothing_and_holds_no_connection(self) -> None:
        daemon = self.serve()
        lock = self.hold_lock()
        run = self.start_stuck_run(daemon, lock)
        daemon.ctl("cancel", run)
        for _ in range(MOST + 5):
            # All that it takes to wait, and away.
            with self.api.connect() as connection:
                connection.sendall(f"POST /v1/jobs/job/runs?wait=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
                daemon.wait_for(lambda: self.local.get("/v1/status").json["running"], what="the run")
        lock.wait_for_dump()
        self.assertEqual(self.api.get("/v1/status").status, 200)
        [running] = self.api.get("/v1/status").json["running"]
        lock.release()
        daemon.wait_for(lambda: self.api.get(f"/v1/runs/{running['run']}").json["status"] == "SUCCESS", what="its end")

    def test_events_are_as_the_document_says(self) -> None:
        daemon = self.serve()
        lock = self.hold_lock()
        run = self.start_stuck_run(daemon, lock)
        document = Document()
        with self.api.open("GET", f"/v1/runs/{run}/events") as stream:
            self.assertEqual(stream.getheader("Content-Type"), "text/event-stream")
            self.assertEqual(stream.readline(), b"event: progress\n")
            document.validate(json.loads(stream.readline().removeprefix(b"data: ")), "Progress")
            lock.release()
            name, data = stream.read().strip().split(b"\n\n")[-1].split(b"\n")
        self.assertEqual(name, b"event: finished")
        report = json.loads(data.removeprefix(b"data: "))
        document.validate(report, "Report")
        self.assertEqual(report["status"], "SUCCESS")
        with self.api.open("GET", f"/v1/runs/{run}/events") as stream:
            self.assertTrue(stream.read().startswith(b"event: finished\n"))

    def test_a_client_of_http_1_0_gets_events_without_chunks(self) -> None:
        self.serve()
        run = self.api.post("/v1/jobs/job/runs?wait=true").json["run"]
        answer = self.local.raw(f"GET /v1/runs/{run}/events HTTP/1.0\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head)
        self.assertTrue(body.startswith(b"event: finished\ndata: {"), body[:60])

    def test_what_another_program_does_to_the_repository_is_seen_at_once(self) -> None:
        daemon = self.serve()
        sets = [self.api.post("/v1/jobs/job/runs?wait=true").json["set"] for _ in range(2)]
        self.assertEqual(self.api.get("/v1/status").json["places"][0]["count"], 2)
        (daemon.set_directory(sets[1]) / "corrupt").touch()
        self.assertEqual(self.api.get("/v1/status").json["jobs"][0]["newest_set"]["set"], sets[0])
        subprocess.run(["rm", "-r", daemon.set_directory(sets[1])], check=True)
        self.assertEqual(self.api.get("/v1/status").json["places"][0]["count"], 1)

    def test_a_directory_that_cannot_be_looked_at_blinds_nobody_to_the_other_jobs(self) -> None:
        daemon = self.serve()
        made = self.api.post("/v1/jobs/job/runs?wait=true").json["set"]
        directory = daemon.repository / "job"
        directory.chmod(0)
        self.addCleanup(directory.chmod, 0o700)
        jobs = {job["job"]: job for job in self.api.get("/v1/status").json["jobs"]}
        self.assertIn("Permission denied", jobs["job"]["problem"])
        self.assertEqual(jobs["job"]["newest_set"]["set"], made)
        self.assertIsNone(jobs["broken"]["problem"])
        self.assertIn("Permission denied", daemon.ctl("status").out)
        self.assertIn(b'pgbakd_newest_set_bytes{backup_job="job"}', self.api.get("/metrics").body)
        daemon.ctl("reload")
        found = daemon.wait_for(lambda: [each for each in daemon.status()["findings"] if each["kind"] == "check_incomplete"], what="a finding")
        self.assertEqual([(each["job"], each["place"], each["severity"]) for each in found], [("job", "local", "critical")])
        directory.chmod(0o700)
        self.assertIsNone(self.api.get("/v1/status").json["jobs"][0]["problem"])

    def test_a_reload_is_told_as_documented(self) -> None:
        daemon = self.serve()
        self.assertEqual(self.api.post("/v1/reload").json["changes"], [])
        daemon.write_config("jobs: [")
        refused = self.api.post("/v1/reload")
        self.assertEqual((refused.status, refused.json["accepted"]), (422, False))

    def test_prometheus_accepts_the_metrics(self) -> None:
        self.serve()
        self.api.post("/v1/jobs/job/runs?wait=true")
        self.api.post("/v1/jobs/broken/runs?wait=true")
        text = self.api.get("/metrics").body
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))
        for line in (
            b'pgbakd_runs_total{backup_job="job",outcome="success"} 1\n',
            b'pgbakd_runs_total{backup_job="broken",outcome="failed"} 1\n',
            b'pgbakd_sets{backup_job="job",place="local"} 1\n',
            b'pgbakd_run_in_progress{backup_job="job"} 0\n',
        ):
            self.assertIn(line, text)
        self.assertIn(b'pgbakd_last_success_timestamp_seconds{backup_job="job"}', text)
        self.assertNotIn(b'pgbakd_last_success_timestamp_seconds{backup_job="broken"}', text)

    def test_without_channels_nothing_is_tested(self) -> None:
        self.serve()
        self.assertEqual(self.api.post("/v1/alerts/test").json, {"channels": []})
        self.assertEqual(self.api.post("/v1/alerts/test?channel=nobody").status, 404)

    def test_health(self) -> None:
        self.serve()
        health = self.api.get("/healthz")
        self.assertEqual((health.status, health.json["healthy"], health.json["jobs"]), (200, True, 2))


class Token(ApiCase):
    def test_without_the_token_nobody_is_served_over_tcp(self) -> None:
        self.serve()
        for token in (None, "", "wrong", TOKEN[:-1], TOKEN + "0", "x" * 10_000):
            for target in ("/v1/status", "/metrics", "/healthz", "/nowhere"):
                refused = Api(self.api.place, token).get(target)
                self.assertEqual((refused.status, refused.error["code"]), (401, "authentication_failed"))
                self.assertTrue(refused.headers["www-authenticate"].startswith('Bearer realm="pgbakd"'))
                self.assertEqual(refused.headers["connection"], "close")
        self.assertEqual(self.api.get("/v1/status").status, 200)
        self.assertEqual(self.local.get("/v1/status").status, 200)

    def test_a_thousand_wrong_tokens_do_no_harm_and_do_not_fill_the_log(self) -> None:
        daemon = self.serve()
        for number in range(1000):
            answer = self.api.raw(f"GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {number:032}\r\n\r\n".encode())
            self.assertTrue(answer.startswith(b"HTTP/1.1 401 "), answer[:100])
        self.assertEqual(self.api.get("/v1/status").status, 200)
        lines = [line for line in daemon.log().splitlines() if "without the right token" in line]
        self.assertIn(len(lines), (1, 2), lines)
        self.assertIn("the last one from 127.0.0.1", lines[0])
        self.assertNotIn(TOKEN, daemon.log())

    def test_a_body_is_not_read_from_a_stranger(self) -> None:
        self.serve()
        answer = self.api.raw(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 401 "), answer[:100])

    def test_a_new_token_is_taken_over_and_what_goes_on_is_not_dropped(self) -> None:
        daemon = self.serve()
        file = daemon.directory / "token"
        os.umask(0o077)
        file.write_text("a token of the first day\n", encoding="utf-8")
        os.chown(file, daemon.account.uid, daemon.account.gid)
        config = self.config_at(self.port, {"file": str(file)})
        daemon.write_config(config)
        daemon.ctl("reload")
        self.assertEqual(self.api.get("/v1/status").status, 401)
        self.api.token = "a token of the first day"
        lock = self.hold_lock()
        run = self.start_stuck_run(daemon, lock)
        with self.api.open("GET", f"/v1/runs/{run}/events") as stream:
            stream.readline()
            file.write_text("a token of the second day\n", encoding="utf-8")
            daemon.ctl("reload")
            self.assertEqual(self.api.get("/v1/status").status, 401)
            self.api.token = "a token of the second day"
            self.assertEqual(self.api.get("/v1/status").status, 200)
            lock.release()
            self.assertIn(b"event: finished", stream.read())
        file.write_text("short\n", encoding="utf-8")
        self.assertIn("the token has 5 characters", daemon.ctl("reload").err)
        file.write_text("\n", encoding="utf-8")
        refused = daemon.ctl("reload", check=False)
        self.assertEqual(refused.code, 3)
        self.assertIn("the token is empty", refused.out + refused.err)

    def test_a_new_address_is_taken_over_and_what_goes_on_is_not_dropped(self) -> None:
        daemon = self.serve()
        lock = self.hold_lock()
        run = self.start_stuck_run(daemon, lock)
        before = self.api
        with before.open("GET", f"/v1/runs/{run}/events") as stream:
            stream.readline()
            port = free_port()
            daemon.write_config(self.config_at(port))
            daemon.ctl("reload")
            self.assertEqual(Api(("127.0.0.1", port), TOKEN).get("/v1/status").status, 200)
            with self.assertRaises(ConnectionRefusedError):
                before.connect()
            # The same port, other addresses: the old one would be in the way of the new one.
            config = self.config_at(port)
            config["api"]["listen"] = f"0.0.0.0:{port}"
            daemon.write_config(config)
            daemon.ctl("reload")
            self.assertEqual(Api(("127.0.0.2", port), TOKEN).get("/v1/status").status, 200)
            lock.release()
            self.assertIn(b"event: finished", stream.read())
        del config["api"]["listen"], config["api"]["token"]
        daemon.write_config(config)
        daemon.ctl("reload")
        with self.assertRaises(ConnectionRefusedError):
            Api(("127.0.0.1", port)).connect()
        self.assertEqual(self.local.get("/v1/status").status, 200)

    def test_an_address_that_cannot_be_had_refuses_a_reload_and_stops_no_start(self) -> None:
        daemon = self.serve()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            config = self.config_at(taken.getsockname()[1])
            daemon.write_config(config)
            refused = daemon.ctl("reload", check=False)
            self.assertEqual(refused.code, 3)
            self.assertIn("api.listen: the API cannot be served on 127.0.0.1:", refused.out + refused.err)
            self.assertEqual(self.api.get("/v1/status").status, 200, "the old address is still served")
            daemon.restart()
            daemon.wait_for_log("the API cannot be served on 127.0.0.1:")
            self.assertEqual(self.local.get("/v1/status").status, 200)
        api = Api(("127.0.0.1", int(config["api"]["listen"].rpartition(":")[2])), TOKEN)

        def is_served() -> bool:
            with contextlib.suppress(ConnectionRefusedError):
                return api.get("/v1/status").status == 200
            return False

        daemon.wait_for(is_served, what="the API at the address that is free again")


class Harm(ApiCase):
    CTEST = {"cost": 40}

    def hold(self, api: Api, number: int, text: bytes = b"") -> list[socket.socket]:
        held = []
        for _ in range(number):
            connection = api.connect()
            self.addCleanup(connection.close)
            if text:
                connection.sendall(text)
            held.append(connection)
        return held

    def is_over(self, connection: socket.socket) -> bool:
        connection.settimeout(0.001)
        try:
            return connection.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True

    def test_64_idle_connections_and_one_more(self) -> None:
        daemon = self.serve()
        for api in (self.api, self.local):
            held = self.hold(api, MOST)
            if api is self.api:
                self.assertEqual(daemon.ctl("status").code, 0, "TCP and the socket are counted apart")
            # As soon as one is not just come any more it gives way.
            daemon.wait_for(lambda api=api: api.get("/v1/status").status == 200, what="an answer")
            self.assertGreaterEqual(sum(self.is_over(connection) for connection in held), 1)
            self.assertEqual(daemon.ctl("status").code, 0)
            for connection in held:
                connection.close()

    def test_strangers_that_are_idle_crowd_out_nobody_who_has_shown_a_token(self) -> None:
        daemon = self.serve()
        request = f"GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        [known] = self.hold(self.api, 1, request)
        self.assertTrue(known.recv(65536).startswith(b"HTTP/1.1 200"))
        held = self.hold(self.api, MOST - 1)

        def one_gave_way() -> bool:
            held.extend(self.hold(self.api, 1))  # the one more for which somebody gives way
            return self.is_over(known) or sum(self.is_over(connection) for connection in held[: MOST - 1]) > 3

        daemon.wait_for(one_gave_way, what="a connection that gives way")
        known.settimeout(60)
        known.sendall(request)
        self.assertTrue(known.recv(65536).startswith(b"HTTP/1.1 200"), "it was idle for longest, but is no stranger")

    def test_strangers_that_were_refused_and_stay_give_way_at_once(self) -> None:
        self.serve()
        held = self.hold(self.api, MOST, b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in held:
            connection.settimeout(60)
            self.assertTrue(connection.recv(12).startswith(b"HTTP/1.1 401"))
        for _ in range(MOST):
            self.assertEqual(self.api.get("/healthz").status, 200)

    def test_64_that_are_served_and_one_more_is_told_to_come_back(self) -> None:
        daemon = self.serve()
        lock = self.hold_lock()
        run = self.start_stuck_run(daemon, lock)
        request = f"GET /v1/runs/{run}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        held = self.hold(self.api, MOST, request)
        for connection in held:
            self.assertTrue(connection.recv(12).startswith(b"HTTP/1.1 200"))
        refused = self.api.get("/v1/status")
        self.assertEqual(refused.status, 503)
        self.assertEqual(refused.headers["retry-after"], "5")
        self.assertEqual(daemon.ctl("status").code, 0, "TCP clients keep nobody from the socket")
        held[0].close()
        daemon.wait_for(lambda: self.api.get("/v1/status").status == 200, what="an answer")
        lock.release()

    def test_slow_clients_are_ended_and_hold_up_nobody(self) -> None:
        daemon = self.serve()
        heads = self.hold(self.api, MOST - 4, b"GET /v1/status HTTP/1.1\r\nX: ")
        [body] = self.hold(
            self.api, 1, f"POST /v1/reload HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 100\r\n\r\nx".encode()
        )
        stop = threading.Event()

        def dribble() -> None:
            while not stop.wait(0.5):
                for connection in [*heads, body]:
                    with contextlib.suppress(OSError):
                        connection.send(b"x")

        thread = threading.Thread(target=dribble)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        self.assertEqual(self.api.get("/v1/status").status, 200)
        self.assertEqual(daemon.ctl("status").code, 0)
        # A total for the head, and for the body, however often a byte comes.
        for connection in [heads[0], body]:
            connection.settimeout(100)
            self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 408 "))
        self.assertEqual(self.api.get("/v1/status").status, 200)

    def test_oversized_and_senseless_requests(self) -> None:
        daemon = self.serve()
        good = f"Host: x\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
        for text, status in [
            (b"GET /v1/status HTTP/1.1\r\n" + good + b"X: " + b"x" * 20_000 + b"\r\n\r\n", 431),
            (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n" + good + b"\r\n", 431),
            (b"POST /v1/reload HTTP/1.1\r\n" + good + b"Content-Length: 70000\r\n\r\n" + b"x" * 70_000, 413),
            (b"POST /v1/reload HTTP/1.1\r\n" + good + b"Transfer-Encoding: chunked\r\n\r\n11170\r\n" + b"x" * 70_000 + b"\r\n0\r\n\r\n", 413),
            (b"POST /v1/reload HTTP/1.1\r\n" + good + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
            (b"POST /v1/reload HTTP/1.1\r\n" + good + b"Content-Length: 4\r\nConnection: close\r\n\r\n{x:}", 400),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client\r\n\r\n", 400),
            (b"\x00" * 1000, 400),
            (b"GET / HTTP/1.1\r\n" + good + b"Connection: close\r\n\r\n", 404),
            (b"GET /%zz HTTP/1.1\r\n" + good + b"Connection: close\r\n\r\n", 400),
            (b"GET /v1/status%0d%0aX:%20y HTTP/1.1\r\n" + good + b"Connection: close\r\n\r\n", 404),
        ]:
            answer = self.api.raw(text)
            self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), (text[:100], answer[:200]))
            Document().validate(json.loads(answer.partition(b"\r\n\r\n")[2]), "Error")
            self.assertNotIn(b"\nX: y", answer.partition(b"\r\n\r\n")[0])
        self.assertTrue(daemon.running)
        self.assertEqual(self.api.get("/v1/status").status, 200)

    def test_many_requests_on_one_connection_and_one_that_asks_before_it_sends(self) -> None:
        self.serve()
        one = f"GET /v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
        answers = self.api.raw((one + b"\r\n") * 20 + one + b"Connection: close\r\n\r\n")
        self.assertEqual(answers.count(b"HTTP/1.1 200 OK\r\n"), 21)
        expecting = f"POST /v1/reload HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nExpect: 100-continue\r\nConnection: close\r\n".encode()
        with self.api.connect() as connection:
            connection.sendall(expecting + b"Content-Length: 2\r\n\r\n")
            self.assertEqual(connection.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(b"{}")
            self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 200 "))

    def test_clients_that_do_not_read_hold_up_nobody(self) -> None:
        daemon = self.serve()
        request = f"GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        for connection in self.hold(self.api, 20):
            connection.settimeout(1)
            with contextlib.suppress(TimeoutError):
                connection.sendall(request * 20_000)
        self.assertEqual(self.api.get("/v1/status").status, 200)
        self.assertEqual(daemon.ctl("status").code, 0)


if __name__ == "__main__":
    unittest.main()
