"""Dumps of a real server: every format, odd names, what is written and that stock tools bring it back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import stock
from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.postgres import PostgresServer, quote_identifier
from support.shop import Shop

CTEST = {"timeout": 600}

ODD_NAMES = [
    "with space",
    'double"quote',
    "single'quote",
    "slash/and\\back",
    "dollar$(touch x)`y`",
    "-leading-dash",
    ".hidden",
    "dbname=postgres host=evil",
    "postgresql://evil/x",
    "percent%41",
    "Zürich 数据库",
    "n" * 63,
]


class DumpCase(ServerCase):
    def restore(self, daemon: Daemon, name: str) -> PostgresServer:
        return stock.restore(self, daemon, name)


class Formats(DumpCase):
    CTEST = {"cost": 20}

    shop: Shop

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.shop = Shop.load(cls.server, scale=0.05)

    def check(self, source: dict[str, Any], compression: str | None, suffix: str) -> None:
        job: dict[str, Any] = {
            "source": {"type": "pg_dump", "server": "local", "databases": ["shop", "shop_archive"], "globals": True}
        }
        job["source"].update(source)
        if compression:
            job["compression"] = compression
        daemon = self.start_daemon({"job": job})
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        manifest = daemon.manifest(report["set"])
        files = {artifact["file"] for artifact in manifest["artifacts"]}
        stamp = report["set"].split("/")[1]
        self.assertIn(f"shop_{stamp}{suffix}", files)
        self.assertEqual(len(files), 3)
        for artifact in manifest["artifacts"]:
            path = daemon.set_directory(report["set"]) / artifact["file"]
            self.assertEqual(path.stat().st_size, artifact["bytes"])
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            self.assertEqual(artifact["verified"], "decoded")
        self.assertEqual(daemon.ctl("verify", report["set"], check=False).code, 0)
        other = self.restore(daemon, report["set"])
        for database in ("shop", "shop_archive"):
            counts = self.server.counts(database)
            self.assertEqual(other.counts(database), counts)
            facts = next(entry for entry in manifest["databases"] if entry["database"] == database)
            self.assertTrue(facts["fingerprint"])
            for table in facts["fingerprint"]:
                name = f"{quote_identifier(table['schema'])}.{quote_identifier(table['name'])}"
                rows = int(self.server.sql(f"select count(*) from only {name}", database))
                self.assertEqual(table["rows"], rows, name)
        self.assertEqual(daemon.partial_directories(), [])

    def test_custom(self) -> None:
        self.check({}, None, ".dump")

    def test_custom_uncompressed(self) -> None:
        self.check({}, "none", ".dump")

    def test_plain_gzip(self) -> None:
        self.check({"format": "plain"}, "gzip:9", ".sql.gz")

    def test_plain_zstd(self) -> None:
        self.check({"format": "plain"}, "zstd:3", ".sql.zst")

    def test_plain_uncompressed(self) -> None:
        self.check({"format": "plain"}, "none", ".sql")

    def test_directory(self) -> None:
        self.check({"format": "directory", "jobs": 2}, None, ".dir.tar")

    def test_the_fingerprint_is_of_the_dumps_own_snapshot(self) -> None:
        """A writer goes on while the dump runs: counts and dump agree all the same."""
        self.server.createdb("busy")
        self.server.sql("create table t(i bigint); insert into t select generate_series(1, 200000)", "busy")
        daemon = self.start_daemon(
            {"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["busy"], "fingerprint": "counts"}}}
        )
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                self.server.sql("insert into t select generate_series(1, 100); delete from t where i % 7 = 0", "busy")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            report = daemon.run("job")
        finally:
            stop.set()
            writer.join()
        self.assertEqual(report["status"], "SUCCESS", report)
        other = self.restore(daemon, report["set"])
        fingerprint = daemon.manifest(report["set"])["databases"][0]["fingerprint"]
        self.assertEqual(fingerprint, [{"schema": "public", "name": "t", "rows": other.counts("busy")["public.t"]}])

    def test_options_that_leave_tables_out_leave_them_out_of_the_fingerprint(self) -> None:
        source = {
            "type": "pg_dump", "server": "local", "databases": ["shop"], "options": ["--exclude-table=*.order*"],
        }  # fmt: skip
        daemon = self.start_daemon({"job": {"source": source}})
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        tables = [entry["name"] for entry in daemon.manifest(report["set"])["databases"][0]["fingerprint"]]
        self.assertTrue(tables)
        self.assertEqual([name for name in tables if name.startswith("order")], [])


class Databases(DumpCase):
    CTEST = {"cost": 20}

    def job(self, **source: Any) -> dict[str, Any]:
        return {"source": {"type": "pg_dump", "server": "local", "databases": "all", **source}, "retries": {"attempts": 1}}

    def test_names_that_would_break_a_shell_a_path_or_a_connection_string(self) -> None:
        for name in ODD_NAMES:
            self.server.createdb(name)
            self.addCleanup(self.server.dropdb, name)
            self.server.sql("create table t as select 42 as i", name)
        jobs = {form: self.job(databases=ODD_NAMES, format=form) for form in ("custom", "plain", "directory")}
        daemon = self.start_daemon(jobs)
        for job in jobs:
            with self.subTest(job):
                report = daemon.run(job)
                self.assertEqual(report["status"], "SUCCESS", report)
                manifest = daemon.manifest(report["set"])
                self.assertEqual({entry["database"] for entry in manifest["artifacts"]}, set(ODD_NAMES))
                self.assertEqual(len({entry["file"] for entry in manifest["artifacts"]}), len(ODD_NAMES))
                self.assertEqual(daemon.ctl("verify", report["set"]).code, 0)
                with self.restore(daemon, report["set"]) as other:
                    for name in ODD_NAMES:
                        self.assertEqual(other.counts(name).get("public.t"), 1, name)
        self.assertEqual(list(Path(daemon.directory).rglob("x")), [])

    def test_all_databases_but_those_excluded_and_news_of_new_and_vanished_ones(self) -> None:
        for name in ("a", "b", "scratch"):
            self.server.createdb(name)
        daemon = self.start_daemon({"job": self.job(exclude=["scratch"])})
        first = daemon.run("job")
        self.assertEqual({entry["database"] for entry in first["artifacts"]}, {"a", "b", "postgres"})
        self.server.dropdb("b")
        self.server.createdb("c")
        second = daemon.run("job")
        self.assertEqual({entry["database"] for entry in second["artifacts"]}, {"a", "c", "postgres"})
        self.assertIn('database "c" is new', daemon.log())
        self.assertIn('database "b" is gone', daemon.log())
        for name in ("a", "c", "scratch"):
            self.server.dropdb(name)

    def test_an_empty_database_and_one_with_300_tables(self) -> None:
        self.server.createdb("empty")
        self.server.createdb("many")
        self.addCleanup(self.server.dropdb, "empty")
        self.addCleanup(self.server.dropdb, "many")
        self.server.sql(
            "do $$ begin for i in 1..300 loop execute format('create table t%s as select generate_series(1, %s) i', i, i);"
            " end loop; end $$",
            "many",
        )
        daemon = self.start_daemon({"job": self.job(databases=["empty", "many"])})
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        facts = {entry["database"]: entry for entry in daemon.manifest(report["set"])["databases"]}
        self.assertEqual(facts["empty"]["fingerprint"], [])
        rows = {entry["name"]: entry["rows"] for entry in facts["many"]["fingerprint"]}
        self.assertEqual(rows, {f"t{i}": i for i in range(1, 301)})

    def test_a_missing_database_makes_an_incomplete_set_that_never_counts_as_good(self) -> None:
        self.server.createdb("there")
        self.addCleanup(self.server.dropdb, "there")
        job = self.job(databases=["there", "theer"])
        job["retention"] = {"local": {"last": 1, "at_least": 1}}
        daemon = self.start_daemon({"job": job})
        answer = daemon.ctl("--json", "run", "job", "--wait", check=False)
        self.assertEqual(answer.code, 1)
        report = answer.json
        self.assertEqual(report["status"], "FAILED")
        self.assertEqual(report["error"]["message"], 'database "theer" does not exist')
        self.assertEqual(report["error"]["hint"], 'did you mean "there"?')
        manifest = daemon.manifest(report["set"])
        self.assertFalse(manifest["complete"])
        self.assertEqual([entry["database"] for entry in manifest["artifacts"]], ["there"])
        self.assertIn("incomplete", daemon.ctl("list").out)
        daemon.run("job", check=False)
        self.assertEqual(len(daemon.sets()), 2, "nothing is pruned after a failed run")
        self.server.createdb("theer")
        self.addCleanup(self.server.dropdb, "theer")
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")
        left = daemon.sets()
        self.assertEqual(len(left), 1, "incomplete sets go once a complete one has followed")

    def test_only_missing_databases_leave_no_set(self) -> None:
        daemon = self.start_daemon({"job": self.job(databases=["nowhere"], globals=True)})
        report = daemon.run("job", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertEqual(daemon.sets(), [])

    def test_a_database_dropped_between_listing_and_dumping(self) -> None:
        for name in ("gone", "stays"):
            self.server.createdb(name)
        self.addCleanup(self.server.dropdb, "stays")
        daemon = self.start_daemon({"job": self.job(databases=["gone", "stays"])})
        bin_directory = daemon.directory / "bin"
        bin_directory.mkdir()
        real = self.server.bin
        # A stand-in that lets the drop happen at just that moment, then is the real pg_dump.
        script = (
            f"#!/bin/sh\n"
            f'if [ "$PGDATABASE" = gone ]; then PGDATABASE=postgres {real}/psql -qX -c '
            f"'drop database if exists gone with (force)' >/dev/null 2>&1; fi\n"
            f'exec {real}/pg_dump "$@"\n'
        )
        (bin_directory / "pg_dump").write_text(script, encoding="utf-8")
        (bin_directory / "pg_dump").chmod(0o755)
        os.symlink(real / "pg_dumpall", bin_directory / "pg_dumpall")
        daemon.stop()
        config = config_for(self.server, jobs={"job": self.job(databases=["gone", "stays"])})
        config["servers"]["local"]["client"] = {"bin": str(bin_directory)}
        daemon.write_config(config)
        daemon.start()
        report = daemon.run("job", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertIn("gone", report["error"]["message"])
        self.assertEqual([entry["database"] for entry in report["artifacts"]], ["stays"])


class Privileges(DumpCase):
    def role_daemon(self, role: str, source: dict[str, Any]) -> Daemon:
        config = config_for(self.server, jobs={"job": {"source": source, "retries": {"attempts": 1}}})
        config["servers"]["local"]["user"] = role
        return self.new_daemon(config).start()

    def test_what_a_role_cannot_read_is_said_before_anything_is_read_with_the_grant_that_mends_it(self) -> None:
        self.server.createdb("guarded")
        self.server.sql("create table open_t(i int); create table closed_t(i int); create role reader login; "
                        "grant select on open_t to reader", "guarded")
        daemon = self.role_daemon("reader", {"type": "pg_dump", "server": "local", "databases": ["guarded"]})
        report = daemon.run("job", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertEqual(report["error"]["code"], "permission_denied")
        self.assertIn("closed_t", report["error"]["message"])
        self.assertNotIn("open_t", report["error"]["message"])
        grant = report["error"]["hint"]
        self.assertIn("GRANT", grant)
        self.assertEqual(daemon.sets(), [])
        self.server.sql(grant[grant.index("GRANT"):], "guarded")
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")

    def test_a_role_that_may_not_read_passwords_saves_roles_without_them_and_says_so(self) -> None:
        self.server.createdb("plainly")
        self.server.sql("create role saver login; "
                        "create role customer login password 'customers own'")
        daemon = self.role_daemon(
            "saver", {"type": "pg_dump", "server": "local", "databases": ["plainly"], "globals": True}
        )
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertTrue([note for note in report["notes"] if "without their passwords" in note], report)
        name = next(a["file"] for a in report["artifacts"] if a["file"].startswith("globals"))
        text = subprocess.run(["gunzip", "-c", daemon.set_directory(report["set"]) / name],
                              check=True, capture_output=True, text=True).stdout
        self.assertIn("customer", text)
        self.assertNotIn("SCRAM-SHA-256", text)

    def test_row_security_that_would_hide_rows_fails_the_run_and_not_the_backup_in_silence(self) -> None:
        self.server.createdb("secured")
        self.server.sql("create table r(i int); insert into r values (1), (2); alter table r enable row level security; "
                        "create policy p on r using (i = 1); create role half login; grant select on r to half", "secured")
        daemon = self.role_daemon("half", {"type": "pg_dump", "server": "local", "databases": ["secured"]})
        report = daemon.run("job", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertIn("BYPASSRLS", report["error"]["hint"])
        self.assertEqual(daemon.sets(), [])

    def test_what_pg_dump_warns_of_is_told_although_the_run_is_a_success(self) -> None:
        self.server.createdb("told")
        self.server.sql("create table t as select 1 i; create role all_reader login in role pg_read_all_data; "
                        "create subscription s connection 'dbname=nowhere' publication p with (connect = false)", "told")
        source = {"type": "pg_dump", "server": "local", "databases": ["told"]}
        forms = {"custom": {}, "plain": {"format": "plain"}, "directory": {"format": "directory"},
                 "verbose": {"options": ["-v"]}}  # fmt: skip
        config = config_for(self.server, jobs={name: {"source": {**source, **more}} for name, more in forms.items()})
        config["servers"]["local"]["user"] = "all_reader"
        daemon = self.new_daemon(config).start()
        warning = 'pg_dump of "told": warning: subscriptions not dumped because current user is not a superuser'
        for job in forms:
            with self.subTest(job):
                report = daemon.run(job)
                self.assertEqual(report["status"], "SUCCESS", report)
                self.assertEqual(report["notes"], [warning])
                self.assertIn(f"{job}: {warning}", daemon.log())


class Locks(DumpCase):
    def test_a_lock_that_is_not_granted_is_retried_then_told_and_leaves_no_backend(self) -> None:
        self.server.createdb("locked")
        self.server.sql("create table t(i int)", "locked")
        source = {"type": "pg_dump", "server": "local", "databases": ["locked"], "lock_wait_timeout": "1s"}
        daemon = self.start_daemon({"job": {"source": source, "retries": {"attempts": 2, "backoff": "100ms"}}})
        holder = subprocess.Popen(
            [self.server.bin / "psql", "-qX", "-c", "begin; lock table t in access exclusive mode; select pg_sleep(3600)"],
            env=self.server.environment("locked"), stdout=subprocess.DEVNULL,
            user=self.server.account.uid if not self.server.account.is_current else None,
        )  # fmt: skip
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        daemon.wait_for(lambda: self.server.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' "
                                                "and granted and relation is not null") != "0", what="the lock")
        report = daemon.run("job", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertIn("lock", report["error"]["message"])
        self.assertIn("lock_wait_timeout", report["error"]["hint"])
        self.assertIn("trying again", daemon.log())
        self.assertEqual(self.server.backends("pgbakd/%"), [])


if __name__ == "__main__":
    unittest.main()
