"""The fingerprint counts the tables whose rows are in the dump, and touches no others."""

from __future__ import annotations

import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import stock
from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.dump_program import Halt, replace_pg_dump

CTEST = {"timeout": 300, "cost": 55}

FORMATS = ("custom", "plain", "directory")
ALL = {"public.a": 3, "public.t": 5, "public.u": 7, "other.b": 2}


def without(*names: str) -> dict[str, int]:
    return {name: rows for name, rows in ALL.items() if name not in names}


class Choice(ServerCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server.createdb("shop")
        cls.server.sql(
            "create extension pgcrypto; create schema other; create table a as select generate_series(1, 3) i; "
            "create table t as select generate_series(1, 5) i; create unlogged table u as select generate_series(1, 7) i; "
            "create table other.b as select '-- Data for Name: t; Type: TABLE DATA; Schema: public' i from generate_series(1, 2)",
            "shop",
        )

    def source(self, form: str, options: list[str], **more: Any) -> dict[str, Any]:
        return {"type": "pg_dump", "server": "local", "databases": ["shop"], "format": form, "options": options, **more}

    def fingerprint(self, daemon: Daemon, job: str) -> dict[str, int]:
        report = daemon.run(job)
        self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
        found = daemon.manifest(report["set"])["databases"][0]["fingerprint"]
        self.assertIsNotNone(found, report)
        self.assertEqual(self.server.backends("pgbakd/%"), [])
        counts = {f"{table['schema']}.{table['name']}": table["rows"] for table in found}
        file = daemon.set_directory(report["set"]) / report["artifacts"][0]["file"]
        if file.suffix == ".dump":
            listed = self.server.program("pg_restore", "--list", str(file)).check().out
            data = [line.split(" TABLE DATA ")[1].split() for line in listed.splitlines() if " TABLE DATA " in line]
            self.assertEqual(sorted(counts), sorted(f"{schema}.{name}" for schema, name, *_ in data))
        return counts

    def check(self, rows: list[tuple[list[str], dict[str, int]]], **more: Any) -> None:
        names = {(number, form): f"row{number}-{form}" for number in range(len(rows)) for form in FORMATS}
        jobs = {
            name: {"source": self.source(form, rows[number][0], **more), "retries": {"attempts": 1}}
            for (number, form), name in names.items()
        }
        daemon = self.start_daemon(jobs)
        for (number, form), name in names.items():
            options, expected = rows[number]
            with self.subTest(options=options, format=form):
                self.assertEqual(self.fingerprint(daemon, name), expected)

    def test_every_spelling_of_a_choice_is_counted_as_pg_dump_takes_it(self) -> None:
        self.check([
            ([], ALL),
            (["-O", "--inserts"], ALL),
            (["-t", "public.a"], {"public.a": 3}),
            (["-Ot", "public.a"], {"public.a": 3}),
            (["--tab=public.a"], {"public.a": 3}),
            (["-t", "*.[ab]", "--column-inserts"], {"public.a": 3, "other.b": 2}),
            (["-e", "pgcrypto"], ALL),  # it chooses among extensions only
            (["-Os"], {}),
            (["-ON", "public"], {"other.b": 2}),
            (["--sec=pre-data"], {}),
            (["--section=data", "-T", "t"], without("public.t")),
            (["--no-unlogged-table-data"], without("public.u")),
            (["--exclude-table-data=t"], without("public.t")),
            (["-v", "--exclude-table=other.*"], without("other.b")),
        ])  # fmt: skip

    def test_a_table_that_is_left_out_may_be_locked(self) -> None:
        lock = self.hold_lock()
        self.check([(["--exclude-table=t"], without("public.t")), (["-n", "other"], {"other.b": 2})], lock_wait_timeout="1s")
        lock.release()

    def test_a_table_that_is_left_out_need_not_be_readable(self) -> None:
        self.server.sql("create role narrow login; grant select on a, u, other.b to narrow; grant usage on schema other to narrow", "shop")
        rows = [["-OT", "t"], ["-T", "t"], ["--exclude-table=t"], ["--tab=a", "--table=u", "-tother.b"]]
        config = config_for(self.server, jobs={f"row{i}": {"source": self.source("custom", row)} for i, row in enumerate(rows)})
        config["servers"]["local"]["user"] = "narrow"
        daemon = self.new_daemon(config).start()
        for number, row in enumerate(rows):
            with self.subTest(row):
                self.assertEqual(self.fingerprint(daemon, f"row{number}"), without("public.t"))

    def test_names_and_patterns_in_an_encoding_of_their_own_are_taken_as_pg_dump_takes_them(self) -> None:
        """A pattern is read in the encoding of the dump: there "Öl" in UTF-8 is no table of a LATIN1 database."""
        self.server.createdb("latin", options="template template0 encoding 'LATIN1' locale 'C'")
        self.server.sql('set client_encoding to utf8; create table "Bär" as select 1 i; create table "Öl" as select 1 i', "latin")
        for options, expected in (
            (["-T", "Öl"], {"public.Bär": 1, "public.Öl": 1}),
            (["-T", "Öl", "--enc=UTF8"], {"public.Bär": 1}),
            (["-T", "?l"], {"public.Bär": 1}),
        ):
            jobs = {form: {"source": self.source(form, options, databases=["latin"])} for form in ("plain", "directory")}
            daemon = self.start_daemon(jobs)
            for form in jobs:
                with self.subTest(options=options, format=form):
                    self.assertEqual(self.fingerprint(daemon, form), expected)
                    name = daemon.sets(form)[0]["set"]
                    with stock.restore(self, daemon, name) as other:
                        tables = other.sql("set client_encoding to utf8; select relname from pg_class where relkind = 'r' "
                                           "and relnamespace = 'public'::regnamespace", "latin").split("\n")  # fmt: skip
                    self.assertEqual(sorted(f"public.{table}" for table in tables), sorted(expected))

    def changing(self, **job: Any) -> tuple[Daemon, Halt]:
        """A daemon with a job for each format, whose pg_dump waits before it begins; a database made anew for them."""
        self.server.dropdb("changing")
        self.server.createdb("changing", options="template shop")
        jobs = {form: {"source": self.source(form, [], databases=["changing"]), **job} for form in FORMATS}
        config = config_for(self.server, jobs=jobs)
        daemon = self.new_daemon(config)
        halt = Halt(daemon.directory)
        programs = replace_pg_dump(daemon.directory / "bin", self.server, halt.command + 'exec {real} "$@"')
        config["servers"]["local"]["client"] = {"bin": str(programs)}
        daemon.write_config(config)
        return daemon.start(), halt

    def run_changed(self, daemon: Daemon, halt: Halt, form: str, change: str) -> tuple[Any, dict[str, int]]:
        """A run during whose beginning that happens, and its counts."""
        halt.arm()
        with ThreadPoolExecutor() as threads:
            run = threads.submit(daemon.run, form, check=False)
            try:
                daemon.wait_for(halt.reached, what="pg_dump's start")
                self.server.sql("set lock_timeout = '5s'; " + change, "changing")
            finally:
                halt.release()
            report = run.result()
        found = daemon.manifest(report["set"])["databases"][0]["fingerprint"]
        return report, {f"{table['schema']}.{table['name']}": table["rows"] for table in found}

    def test_who_changes_a_table_before_pg_dump_has_its_locks_waits_for_nobody(self) -> None:
        """A lock of ours would hold up the change, the change pg_dump, and pg_dump us, until somebody's patience ends."""
        daemon, halt = self.changing()
        for form in FORMATS:
            with self.subTest(form):
                report, counts = self.run_changed(daemon, halt, form, f'alter table a add column "{form}" int')
                self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
                self.assertEqual(counts, ALL)

    def test_a_table_that_is_emptied_or_rewritten_while_a_dump_begins_is_dumped_anew(self) -> None:
        """pg_dump finds it without rows, as such changes do not obey its snapshot, and says nothing."""
        changes = {
            "truncate t; insert into t values (1)": {**ALL, "public.t": 1},
            "alter table t alter column i type bigint": ALL,
            "drop table t; create table t as select generate_series(1, 9) i": {**ALL, "public.t": 9},
            "alter table t rename to former; alter table u rename to t; alter table former rename to u": {**ALL, "public.t": 7, "public.u": 5},
        }
        daemon, halt = self.changing(retries={"attempts": 2, "backoff": "100ms"})
        for form, (change, expected) in zip((*FORMATS, "custom"), changes.items()):
            with self.subTest(form, change=change):
                self.server.dropdb("changing")
                self.server.createdb("changing", options="template shop")
                report, counts = self.run_changed(daemon, halt, form, change)
                self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
                self.assertEqual(counts, expected)
                self.assertRegex(daemon.log(), 'dumping "changing" failed, trying again in .*"public"."t".* just when it was dumped')
                with stock.restore(self, daemon, report["set"]) as other:
                    restored = {name: rows for name, rows in other.counts("changing").items() if name in expected}
                self.assertEqual(restored, expected)

    def test_a_set_that_may_lack_rows_never_counts_as_good(self) -> None:
        keep_one = {"local": {"last": 1, "at_least": 1}}
        daemon, halt = self.changing(retries={"attempts": 1}, retention=keep_one)
        for form in FORMATS:
            with self.subTest(form):
                halt.release()
                good = daemon.run(form)["set"]
                report, counts = self.run_changed(daemon, halt, form, "truncate u")
                self.assertEqual(report["status"], "FAILED", report)
                self.assertIn('"public"."u" was truncated, rewritten or replaced just when it was dumped: its rows may be missing',
                              report["error"]["message"])  # fmt: skip
                self.assertEqual(counts, without("public.u"))
                self.assertEqual({entry["set"]: bool(entry["problem"]) for entry in daemon.sets(form)}, {report["set"]: True, good: False})

    def test_when_nobody_could_look_the_dump_is_made_anew(self) -> None:
        daemon, halt = self.changing(retries={"attempts": 2, "backoff": "100ms"})
        ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'pgbakd/%' and state like 'idle in%'"
        for form in FORMATS:
            with self.subTest(form):
                report, counts = self.run_changed(daemon, halt, form, f"truncate u; insert into u values (1); {ended}")
                self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
                self.assertEqual(counts, {**ALL, "public.u": 1})

    def run_halfway(self, form: str, change: str) -> tuple[Daemon, Any]:
        """A daemon and a run in the middle of whose first dump that happens."""
        self.server.dropdb("changing")
        self.server.createdb("changing")
        self.server.sql("create table a as select repeat(md5(i::text), 30) x from generate_series(1, 20000) i; create schema live; "
                        "create table live.t as select generate_series(1, 5) i", "changing")  # fmt: skip
        job = {"source": self.source(form, [], databases=["changing"]), "compression": "none", "retries": {"attempts": 2, "backoff": "100ms"}}
        config = config_for(self.server, jobs={"job": job})
        daemon = self.new_daemon(config)
        halt = Halt(daemon.directory)
        script = f'{{real}} "$@" | {{ head -c 2000000\n{halt.command}cat; }}\nexit "${{PIPESTATUS[0]}}"'
        programs = replace_pg_dump(daemon.directory / "bin", self.server, script)
        config["servers"]["local"]["client"] = {"bin": str(programs)}
        daemon.write_config(config)
        daemon.start()
        with ThreadPoolExecutor() as threads:
            run = threads.submit(daemon.run, "job", check=False)
            try:
                daemon.wait_for(halt.reached)
                self.server.sql(change, "changing")
            finally:
                halt.release()
            return daemon, run.result()

    def test_a_schema_that_takes_anothers_place_in_mid_dump_is_noticed(self) -> None:
        """ALTER SCHEMA RENAME waits for no lock of a dump, which then reads the tables of the new one."""
        swap = ("create schema build; create table build.t as select generate_series(1, 9) i; begin; "
                "alter schema live rename to old; alter schema build rename to live; commit;")  # fmt: skip
        back = "begin; alter schema live rename to build; alter schema old rename to live; commit;"
        for form, change, expected in (
            ("custom", swap, {"live.t": 9, "old.t": 5, "public.a": 20000}),
            ("plain", swap, {"live.t": 9, "old.t": 5, "public.a": 20000}),
            ("custom", swap + back, {"live.t": 5, "build.t": 9, "public.a": 20000}),
        ):
            with self.subTest(form=form, change=change):
                daemon, report = self.run_halfway(form, change)
                self.assertEqual(report["status"], "SUCCESS", report)
                self.assertIn('schema "live" was renamed or replaced while the dump went on', daemon.log())
                found = daemon.manifest(report["set"])["databases"][0]["fingerprint"]
                self.assertEqual({f"{table['schema']}.{table['name']}": table["rows"] for table in found}, expected)

    def test_what_does_no_harm_in_mid_dump_makes_no_second_one(self) -> None:
        """Sessions that are idle in a transaction for long are ended by many a watchman."""
        ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'pgbakd/%' and state like 'idle in%'"
        for change in ("grant usage on schema live to public", ended):
            with self.subTest(change):
                daemon, report = self.run_halfway("custom", change)
                self.assertEqual(report["status"], "SUCCESS", report)
                self.assertNotIn("trying again", daemon.log())

    def test_counts_are_those_of_a_restored_database(self) -> None:
        jobs = {form: {"source": self.source(form, ["--exclude-table-data=t", "-N", "other", "-x"])} for form in FORMATS}
        daemon = self.start_daemon(jobs)
        for form in FORMATS:
            with self.subTest(form):
                counts = self.fingerprint(daemon, form)
                name = daemon.sets(form)[0]["set"]
                with stock.restore(self, daemon, name) as other:
                    restored = other.counts("shop")
                self.assertEqual({**counts, "public.t": 0, "large objects": 0}, restored)

    def test_a_run_that_is_cancelled_while_pg_dump_is_asked_leaves_nothing(self) -> None:
        lock = self.hold_lock()
        daemon = self.start_daemon({"job": {"source": self.source("plain", ["--exclude-table=a"])}})
        run = daemon.ctl("--json", "run", "job").json["run"]
        lock.wait_for_dump()
        daemon.ctl("cancel", run)
        daemon.wait_for(lambda: daemon.ctl("--json", "runs").json["runs"][0]["status"] == "CANCELLED")
        self.assertEqual(self.server.backends("pgbakd/%"), [])
        self.assertEqual((daemon.sets(), daemon.partial_directories()), ([], []))
        lock.release()

    def test_a_choice_that_finds_nothing_fails_the_run_with_pg_dumps_own_words(self) -> None:
        daemon = self.start_daemon({"job": {"source": self.source("plain", ["-t", "nowhere"]), "retries": {"attempts": 1}}})
        report = daemon.run("job", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertIn("no matching tables were found", report["error"]["message"])
        self.assertEqual(daemon.sets(), [])


if __name__ == "__main__":
    unittest.main()
