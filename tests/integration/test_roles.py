"""Options of pg_dump that change by whose rights it reads: what is checked and counted is what is dumped."""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon, config_for

CTEST = {"timeout": 600}


class Roles(ServerCase):
    def role_daemon(self, role: str, source: dict[str, Any]) -> Daemon:
        config = config_for(self.server, jobs={"job": {"source": source, "retries": {"attempts": 1}}})
        config["servers"]["local"]["user"] = role
        return self.new_daemon(config).start()

    def rows(self, daemon: Daemon, name: str) -> dict[str, int]:
        (facts,) = daemon.manifest(name)["databases"]
        return {table["name"]: table["rows"] for table in facts["fingerprint"]}

    def test_with_a_role_option_the_counts_and_the_checks_are_by_the_rights_of_that_role(self) -> None:
        self.server.createdb("borrowed")
        self.server.sql('create role thin login noinherit; create role "Odd ""Role"; grant "Odd ""Role" to thin; '
                        "create table t as select generate_series(1, 7) i; create table hidden as select 1 as i; "
                        'grant select on t to "Odd ""Role"; create role stranger', "borrowed")
        source = {"type": "pg_dump", "server": "local", "databases": ["borrowed"], "options": ['--role=Odd "Role']}
        daemon = self.role_daemon("thin", source)
        # The connecting role may read nothing; what the other one lacks is told with its own name.
        report = daemon.run("job", check=False)
        self.assertEqual(report["error"]["code"], "permission_denied")
        self.assertIn("public.hidden", report["error"]["message"])
        self.assertNotIn("public.t", report["error"]["message"])
        self.assertIn('TO "Odd ""Role"', report["error"]["hint"])
        self.server.sql('grant select on hidden to "Odd ""Role"', "borrowed")
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertEqual(self.rows(daemon, report["set"]), {"hidden": 1, "t": 7})
        self.assertEqual(report["notes"], [])
        # One that it may not take on is refused before anything is read.
        for options in (["--role=stranger"], ["--role", "nobody there"]):
            config = json.loads(daemon.config_file.read_text(encoding="utf-8"))
            config["jobs"]["job"]["source"]["options"] = options
            daemon.write_config(config)
            daemon.ctl("reload")
            report = daemon.run("job", check=False)
            self.assertEqual(report["status"], "FAILED")
            self.assertIn(options[-1].removeprefix("--role="), report["error"]["message"])
            self.assertIn(" TO \"thin\", or correct --role", report["error"]["hint"])
            self.assertEqual([stage["name"] for stage in report["stages"]], ["preflight"])

    def test_a_role_that_reads_less_than_the_connecting_one_is_counted_for_no_more(self) -> None:
        self.server.createdb("narrow")
        self.server.sql("create role narrow_reader; create table t as select generate_series(1, 5) i; "
                        "alter table t enable row level security; create policy p on t using (i <= 2); "
                        "grant select on t to narrow_reader", "narrow")  # fmt: skip
        source = {
            "type": "pg_dump", "server": "local", "databases": ["narrow"],
            "options": ["--role=narrow_reader", "--enable-row-security", "--inserts"],
        }  # fmt: skip
        daemon = self.role_daemon(self.server.superuser, source)
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertEqual(self.rows(daemon, report["set"]), {"t": 2})

    def test_with_row_security_switched_on_only_the_rows_that_are_dumped_are_counted(self) -> None:
        self.server.createdb("rowwise")
        self.server.sql("create table r as select generate_series(1, 9) i; alter table r enable row level security; "
                        "create policy p on r using (i <= 4); create role rowwise login; grant select on r to rowwise",
                        "rowwise")  # fmt: skip
        source = {
            "type": "pg_dump", "server": "local", "databases": ["rowwise"], "options": ["--enable-row-security", "--inserts"],
        }  # fmt: skip
        daemon = self.role_daemon("rowwise", source)
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertEqual(self.rows(daemon, report["set"]), {"r": 4})
        self.assertEqual(report["notes"], [])


if __name__ == "__main__":
    unittest.main()
