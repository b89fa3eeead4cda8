"""The configurations of etc/examples, run: each job of each of them, with a server, directories and files of the test in the
place of those that the example names. What needs TDengine or docker has tests of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import server_config
from support.process import unprivileged_account

CTEST = {"timeout": 300}
EXAMPLES = Path(os.environ["PGBAKD_SOURCE_DIR"]) / "etc/examples"


class Examples(ServerCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="pgb-examples-")
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)

    def place(self, path: str) -> str:
        """A path of the example, below a directory of the test's own; as a file where it has an ending, else a directory."""
        found = self.scratch / path.lstrip("/")
        if "." in found.name:
            found.parent.mkdir(parents=True, exist_ok=True)
            found.write_text("DB_PASSWORD=secret\n", encoding="utf-8")
        else:
            found.mkdir(parents=True, exist_ok=True)
            (found / "something").write_text("x\n", encoding="utf-8")
        return str(found)

    def here(self, name: str) -> dict[str, Any]:
        config: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
        for key in ("alerts", "api", "reports", "repository"):
            config.pop(key, None)
        config["servers"] = {server: server_config(self.server) for server in config["servers"]}
        config["targets"] = {target: {"type": "directory", "path": self.place(f"/targets/{target}")} for target in config["targets"]}
        config["jobs"] = {job: spec for job, spec in config["jobs"].items() if spec["source"]["type"] != "taosdump"}
        existing = self.server.sql("select datname from pg_database").split()
        for spec in config["jobs"].values():
            source = spec["source"]
            if "paths" in source:
                source["paths"] = [self.place(path) for path in source["paths"]]
            for database in source.get("databases", []):
                if database not in existing:
                    self.server.createdb(database)
                    existing.append(database)
        account = unprivileged_account()
        if not account.is_current:
            subprocess.run(["chown", "-R", f"{account.uid}:{account.gid}", self.scratch], check=True)
        return config

    def check_example(self, name: str) -> None:
        config = self.here(name)
        daemon = self.new_daemon(config).start()
        for job, spec in config["jobs"].items():
            with self.subTest(job):
                if spec["schedule"] == "milestone":
                    report = daemon.ctl("--json", "milestone", job, "phase2_complete", "--wait").json
                elif spec["schedule"] == "on change":
                    daemon.wait_for(lambda job=job: [one for one in daemon.sets(job)], what="the set that a change makes")
                    continue
                else:
                    report = daemon.run(job)
                self.assertEqual(report["status"], "SUCCESS", report)
                self.assertEqual([target["name"] for target in report["targets"]], spec.get("targets", []))
                artifacts = daemon.set_directory(report["set"])
                encrypted = list(artifacts.glob("*.age"))
                self.assertEqual(bool(encrypted), "encryption" in spec)

    def test_postgresql_with_base_backups(self) -> None:
        self.check_example("postgresql-with-base-backups")

    def test_reports_and_platform(self) -> None:
        self.check_example("reports-and-platform")

    def test_containers_and_files(self) -> None:
        self.check_example("containers-and-files")

    def test_postgresql_and_tdengine(self) -> None:
        self.check_example("postgresql-and-tdengine")

    def test_twice_daily_to_s3(self) -> None:
        self.check_example("twice-daily-to-s3")


if __name__ == "__main__":
    unittest.main()
