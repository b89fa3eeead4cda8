"""The server that goes away, refuses, or restarts: passing causes are retried, lasting ones are told at once."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import proc
from support.cases import Lock
from support.daemon import Daemon, config_for, server_config
from support.postgres import PostgresServer

CTEST = {"timeout": 600}
SECRET = "correct-horse-battery-staple-7431"


class Server(unittest.TestCase):
    def server(self, **more: Any) -> PostgresServer:
        found = PostgresServer(**more)
        self.addCleanup(found.close)
        found.start()
        found.createdb("shop")
        found.sql("create table t as select i, md5(i::text) body from generate_series(1, 200000) i", "shop")
        return found

    def daemon(self, server: PostgresServer, *, tcp: bool = False, **job: Any) -> Daemon:
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"]}
        config = config_for(server, jobs={"job": {"source": source, "retries": {"attempts": 3, "backoff": "500ms"}, **job}})
        config["servers"]["local"] = server_config(server, tcp=tcp)
        found = Daemon(config)
        self.addCleanup(found.close)
        return found.start()

    def test_a_server_that_restarts_in_mid_dump_is_dumped_again(self) -> None:
        server = self.server()
        daemon = self.daemon(server, retries={"attempts": 12, "backoff": "1s"})
        lock = Lock(server)
        self.addCleanup(lock.release)
        daemon.ctl("run", "job")
        lock.wait_for_dump()
        server.restart("immediate")
        daemon.wait_for(lambda: "job: succeeded" in daemon.log() or "job: failed" in daemon.log())
        self.assertIn("trying again", daemon.log())
        self.assertIn("job: succeeded", daemon.log())
        self.assertEqual(len(daemon.sets()), 1)

    def test_a_server_that_is_down_is_tried_again_and_then_told(self) -> None:
        server = self.server()
        daemon = self.daemon(server, retries={"attempts": 2, "backoff": "100ms"})
        server.stop()
        report = daemon.run("job", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertEqual(report["error"]["code"], "unreachable")
        self.assertEqual(report["stages"][0]["attempts"], 2)
        self.assertTrue(report["error"]["hint"])

    def test_a_wrong_password_is_not_tried_again_and_never_shown(self) -> None:
        server = self.server(auth="scram-sha-256", tcp=True, password="another")
        for tcp in (False, True):
            with self.subTest(tcp=tcp):
                config = config_for(server, jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}}})
                config["servers"]["local"] = server_config(server, tcp=tcp)
                config["servers"]["local"]["password"] = SECRET
                daemon = Daemon(config)
                self.addCleanup(daemon.close)
                daemon.start()
                report = daemon.run("job", check=False)
                self.assertEqual(report["error"]["code"], "authentication_failed")
                self.assertNotIn("trying again", daemon.log())
                self.assertNotIn(SECRET, str(report) + daemon.log())

    def test_a_password_is_in_no_command_line_log_report_or_manifest(self) -> None:
        server = self.server(auth="scram-sha-256", tcp=True, password=SECRET)
        daemon = self.daemon(server, tcp=True)
        seen: list[str] = []
        waiting = subprocess.Popen(
            [daemon.bin / "pgbakctl", "--config", daemon.config_file, "run", "job", "--wait"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=daemon.environment(),
            user=daemon.account.uid if not daemon.account.is_current else None,
        )  # fmt: skip
        dumps = 0
        while waiting.poll() is None:
            for pid in proc.descendants(daemon.pid):
                try:
                    line = " ".join(proc.command_line(pid))
                except OSError:  # it has ended
                    continue
                dumps += "pg_dump" in line
                seen.append(line)
        out = waiting.communicate()[0].decode()
        self.assertEqual(waiting.returncode, 0, out)
        self.assertGreater(dumps, 0, "the dump was watched")
        self.assertEqual([line for line in seen if SECRET in line], [])
        self.assertNotIn(SECRET, out)
        for path in (daemon.directory / "state").rglob("*"):
            if path.is_file():
                self.assertNotIn(SECRET.encode(), path.read_bytes(), path)
        self.assertNotIn(SECRET, daemon.log())
        self.assertNotIn(SECRET, daemon.ctl("show", "job/latest").out + daemon.ctl("check", "--connect").out)

    def test_a_passfile_serves_as_well(self) -> None:
        server = self.server(auth="scram-sha-256", password=SECRET)
        daemon = self.daemon(server)
        passfile = daemon.directory / "pass"
        passfile.write_text(f"*:*:*:{server.superuser}:{SECRET}\n", encoding="utf-8")
        passfile.chmod(0o600)
        if not daemon.account.is_current:
            os.chown(passfile, daemon.account.uid, daemon.account.gid)
        config = config_for(server, jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}}})
        del config["servers"]["local"]["password"]
        config["servers"]["local"]["passfile"] = str(passfile)
        daemon.write_config(config)
        daemon.ctl("reload")
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")

    def test_peer_authentication_needs_nothing(self) -> None:
        server = self.server(auth="peer")
        daemon = self.daemon(server)
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")

    def test_a_client_older_than_the_server_is_refused_with_the_package_to_install(self) -> None:
        server = self.server()
        daemon = self.daemon(server)
        directory = daemon.directory / "bin"
        directory.mkdir()
        for name in ("pg_dump", "pg_dumpall"):
            (directory / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 12.1'\n", encoding="utf-8")
            (directory / name).chmod(0o755)
        config = config_for(server, jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}}})
        config["servers"]["local"]["client"] = {"bin": str(directory)}
        daemon.write_config(config)
        daemon.ctl("reload")
        report = daemon.run("job", check=False)
        self.assertEqual(report["error"]["code"], "client_missing")
        self.assertIn(f"postgresql-client-{server.version}", report["error"]["hint"])


if __name__ == "__main__":
    unittest.main()
