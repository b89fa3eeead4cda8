"""Backups of a whole cluster: what comes is what the server has, restored it is the server it was, and nothing stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.postgres import PostgresServer
from support.process import remove_directory, run, scratch_directory, spawn, stop_process, wait_for

CTEST = {"timeout": 900}

SOURCE = {"type": "pg_basebackup", "server": "local"}
SLOWLY = {**SOURCE, "max_rate": "32 KiB/s"}  # such a backup is certainly in the middle for minutes
WALSENDERS = "select count(*) from pg_stat_activity where backend_type = 'walsender'"


def make_tablespace(test: type[unittest.TestCase], server: PostgresServer, name: str) -> Path:
    directory = scratch_directory(server.account, "pgb-space-")
    test.addClassCleanup(remove_directory, directory)
    server.sql(f"create tablespace {name} location '{directory}'")
    return directory


def restored(
    test: unittest.TestCase, daemon: Daemon, set_directory: Path, key: Path | None = None, *, start: bool = True
) -> PostgresServer:
    """A server made of a set by the commands of its manifest, as a person would type them; gone with the test."""
    place = scratch_directory(daemon.account, "pgb-restored-")
    test.addCleanup(remove_directory, place)
    for file in set_directory.iterdir():
        shutil.copy(file, place)
        if not daemon.account.is_current:
            os.chown(place / file.name, daemon.account.uid, daemon.account.gid)
    server = PostgresServer()
    test.addCleanup(server.close)
    check = run(["/usr/bin/sh", "-c", "sha256sum --check --quiet *.sha256"], daemon.account, directory=place)
    test.assertEqual(check.code, 0, check.err)
    for command in daemon.manifest(f"{set_directory.parent.name}/{set_directory.name}")["stock_restore"]:
        done = run(
            ["/usr/bin/sh", "-c", command.replace("KEYFILE", str(key))], daemon.account,
            environment={"PATH": f"{server.bin}:/usr/bin:/bin"}, directory=place,
        )  # fmt: skip
        test.assertEqual(done.code, 0, f"{command}: {done.out}{done.err}")
    remove_directory(server.data)
    os.rename(place / "data", server.data)
    return server.start() if start else server


class Cluster(ServerCase):
    """A cluster with two tablespaces and a database that is in both and beside them."""

    fast: Path
    slow: Path

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.fast = make_tablespace(cls, cls.server, "fast")
        cls.slow = make_tablespace(cls, cls.server, '"slow disks"')
        cls.server.createdb("shop")
        cls.server.sql(
            "create table here as select i, md5(i::text) body from generate_series(1, 20000) i;"
            "create table quick tablespace fast as select i from generate_series(1, 3000) i;"
            "create table archive tablespace \"slow disks\" as select i, repeat('x', 500) y from generate_series(1, 5000) i;"
            "create index on archive (i) tablespace fast; create table empty (i int) tablespace fast",
            "shop",
        )
        cls.server.sql("create role app login password 'secret'; create role plain login; create role backup login replication")

    def nothing_left(self) -> None:
        """Neither a walsender nor a slot, nor a server that believes it is backed up."""
        wait_for(lambda: self.server.sql(WALSENDERS) == "0", what="the end of the last walsender")
        self.assertEqual(self.server.sql("select count(*) from pg_replication_slots"), "0")
        self.assertEqual(self.server.sql("select count(*) from pg_stat_progress_basebackup"), "0")

    def wait_for_stream(self) -> None:
        streaming = "select count(*) from pg_stat_progress_basebackup where backup_streamed > 0"
        wait_for(lambda: self.server.sql(streaming) == "1", what="a backup in the middle")


class WholeClusters(Cluster):
    CTEST = {"cost": 35}

    def check_restored(self, daemon: Daemon, name: str, key: Path | None = None) -> None:
        server = restored(self, daemon, daemon.set_directory(name), key)
        self.assertEqual(server.counts("shop"), self.server.counts("shop"))
        self.assertEqual(server.sql("select rolpassword is not null from pg_authid where rolname = 'app'"), "t")
        places = server.sql("select pg_tablespace_location(oid) from pg_tablespace where pg_tablespace_location(oid) <> ''")
        for place in places.split("\n"):
            self.assertIn("/pgb-restored-", place)
        server.sql("insert into quick values (1)", "shop")
        self.assertEqual(server.sql("select count(*) from archive where i > 0", "shop"), "5000")
        server.close()

    def test_a_cluster_comes_back_with_its_tablespaces(self) -> None:
        key = Path(self.enterContext(tempfile.TemporaryDirectory())) / "key"
        os.chmod(key.parent, 0o755)
        subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
        os.chmod(key, 0o644)
        public = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True, text=True).stdout.strip()
        jobs: dict[str, Any] = {
            "gzip": {"source": SOURCE},
            "zstd": {"source": {**SOURCE, "checkpoint": "spread"}, "compression": "zstd:3"},
            "secret": {"source": SOURCE, "compression": "none", "encryption": {"age": [public]}},
        }
        daemon = self.start_daemon(jobs)
        oids = self.server.sql("select oid from pg_tablespace where spcname in ('fast', 'slow disks') order by oid").split("\n")
        for job, extension in (("gzip", ".gz"), ("zstd", ".zst"), ("secret", ".age")):
            with self.subTest(job):
                if job == "zstd":
                    self.server.sql("checkpoint")  # nothing left to spread
                report = daemon.run(job)
                self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
                time = report["set"].split("/")[1]
                files = {artifact["file"]: artifact["kind"] for artifact in report["artifacts"]}
                expected = {f"{oid}_{time}.tar{extension}": "tablespace" for oid in oids}
                expected[f"base_{time}.tar{extension}"] = "base"
                expected[f"backup_manifest_{time}.json{extension}"] = "manifest"
                self.assertEqual(files, expected)
                self.assertEqual(list(files)[2:], list(expected)[2:])  # the data directory behind the tablespaces
                self.assertEqual({artifact["verified"] for artifact in report["artifacts"]}, {"decoded"})
                self.check_facts(daemon.manifest(report["set"])["source"], oids)
                verdict = daemon.ctl("verify", report["set"]).out
                if job != "secret":
                    self.assertIn("its own checksum is right", verdict)
                self.check_restored(daemon, report["set"], key)
        self.nothing_left()

    def check_facts(self, source: dict[str, Any], oids: list[str]) -> None:
        self.assertEqual((source["type"], source["server"], source["databases"]), ("pg_basebackup", "local", []))
        self.assertEqual(source["system_identifier"], self.server.sql("select system_identifier from pg_control_system()"))
        facts = source["base_backup"]
        self.assertEqual((facts["start_timeline"], facts["end_timeline"]), (1, 1))
        self.assertEqual(self.server.sql(f"select '{facts['start_lsn']}'::pg_lsn < '{facts['end_lsn']}'::pg_lsn"), "t")
        found = {str(space["oid"]): (space["name"], space["location"]) for space in facts["tablespaces"]}
        self.assertEqual(found, dict(zip(oids, [("fast", str(self.fast)), ("slow disks", str(self.slow))])))

    def test_rows_written_meanwhile_are_there_up_to_the_end_of_the_backup(self) -> None:
        """Files that change while they are read are made right by the WAL that comes with them."""
        daemon = self.start_daemon({"job": {"source": {**SOURCE, "max_rate": "8 MiB/s"}}})
        run_id = daemon.ctl("--json", "run", "job").json["run"]
        self.wait_for_stream()
        self.server.createdb("meanwhile")
        self.server.sql("create table t as select i from generate_series(1, 50000) i; update t set i = -i", "meanwhile")
        daemon.wait_for_log("job: succeeded")
        (entry,) = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual(entry["run"], run_id)
        server = restored(self, daemon, daemon.set_directory(entry["set"]))
        self.assertEqual(server.sql("select count(*), sum(i) from t", "meanwhile"), "50000|-1250025000")
        self.assertEqual(server.counts("shop"), self.server.counts("shop"))

    def test_a_target_gets_it_while_it_is_made_and_it_is_read_back_from_there(self) -> None:
        place = scratch_directory(self.server.account, "pgb-target-")
        self.addCleanup(remove_directory, place)
        target = {"nas": {"type": "directory", "path": str(place)}}
        jobs: dict[str, Any] = {
            "both": {"source": SOURCE, "targets": ["nas"]},
            "there": {"source": SOURCE, "targets": ["nas"], "keep_local": "never"},
        }
        daemon = self.start_daemon(jobs, targets=target)
        for job in jobs:
            with self.subTest(job):
                report = daemon.run(job)
                self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
                self.assertEqual(len(report["artifacts"]), 4)
                daemon.ctl("verify", report["set"], "--from", "nas")
        self.assertEqual(daemon.partial_directories(), [])

    def test_what_pgbakctl_says_of_one(self) -> None:
        daemon = self.start_daemon({"job": {"source": SOURCE}})
        checked = daemon.ctl("check", "--connect").out
        self.assertIn("it lets the role in for replication; 10 of 10 walsenders are free", checked)
        self.assertIn("with 2 tablespaces beside the data directory", checked)
        name = daemon.run("job")["set"]
        shown = daemon.ctl("show", name).out
        for text in ("(base)", "(tablespace)", "(manifest)", "timeline 1", "slow disks, was in", "pg_verifybackup data"):
            self.assertIn(text, shown)

    def test_a_standby_is_backed_up_like_its_primary(self) -> None:
        daemon = self.start_daemon({"job": {"source": SOURCE}})
        standby = restored(self, daemon, daemon.set_directory(daemon.run("job")["set"]), start=False)
        (standby.data / "standby.signal").touch()
        with (standby.data / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
            settings.write(f"primary_conninfo = 'host={self.server.host} user={self.server.superuser}'\n")
        standby.start()
        self.server.sql("create table later as select generate_series(1, 1000) i", "shop")
        self.addCleanup(self.server.sql, "drop table later", "shop")
        there = "select count(*) from pg_class where relname = 'later'"
        wait_for(lambda: standby.sql(there, "shop") == "1", what="the standby to catch up")
        daemon.write_config(config_for(standby, jobs={"job": {"source": SOURCE}}))
        daemon.ctl("reload")
        self.assertIn(", a standby, as role", daemon.ctl("check", "--connect").out)
        report = daemon.run("job")
        self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
        standby.close()
        server = restored(self, daemon, daemon.set_directory(report["set"]), start=False)
        (server.data / "standby.signal").unlink()
        self.assertEqual(server.start().counts("shop"), self.server.counts("shop"))

    def test_the_last_walsender_is_enough(self) -> None:
        server = PostgresServer(settings={"max_wal_senders": "1"})
        self.addCleanup(server.close)
        server.start()
        daemon = self.new_daemon(config_for(server, jobs={"job": {"source": SOURCE, "retries": {"attempts": 1}}}))
        report = daemon.start().run("job")
        self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)

    def test_without_a_free_slot_it_goes_on_and_says_what_to_raise(self) -> None:
        for number in range(10):
            self.server.sql(f"select pg_create_physical_replication_slot('slot{number}')")
        self.addCleanup(self.server.sql, "select pg_drop_replication_slot(slot_name) from pg_replication_slots")
        report = self.start_daemon({"job": {"source": SOURCE}}).run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        (note,) = report["notes"]
        self.assertIn("(raise max_replication_slots)", note)
        self.assertIn("all replication slots are in use", note)

    def test_an_ordinary_role_with_replication_may_take_one(self) -> None:
        config = config_for(self.server, jobs={"job": {"source": SOURCE}})
        config["servers"]["local"]["user"] = "backup"
        report = self.new_daemon(config).start().run("job")
        self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
        self.nothing_left()


class Refusals(unittest.TestCase):
    """What stands in the way is told before anything is read, with what to do about it."""

    def refused(self, server: PostgresServer, *, user: str | None = None, tcp: bool = False) -> tuple[str, str, str]:
        config = config_for(server, jobs={"job": {"source": SOURCE, "retries": {"attempts": 1}}})
        if user:
            config["servers"]["local"]["user"] = user
        daemon = Daemon(config)
        self.addCleanup(daemon.close)
        report = daemon.start().run("job", check=False)
        self.assertEqual((report["status"], report["set"]), ("FAILED", None), report)
        self.assertEqual([stage["name"] for stage in report["stages"]], ["preflight"])
        self.assertEqual(daemon.sets(), [])
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertNotEqual(checked.code, 0)
        self.assertIn(report["error"]["message"], checked.out + checked.err)
        return report["error"]["code"], report["error"]["message"], report["error"]["hint"]

    def server(self, **settings: str) -> PostgresServer:
        server = PostgresServer(settings=settings)
        self.addCleanup(server.close)
        return server.start()

    def test_a_role_without_the_attribute(self) -> None:
        server = self.server()
        server.sql('create role "pla""in" login')
        code, message, hint = self.refused(server, user='pla"in')
        self.assertEqual((code, hint), ("permission_denied", 'ALTER ROLE "pla""in" REPLICATION'))
        self.assertIn('role pla"in may not take base backups: it lacks the attribute REPLICATION', message)
        server.sql(hint)
        daemon = Daemon(config_for(server, jobs={"job": {"source": SOURCE}}))
        self.addCleanup(daemon.close)
        self.assertEqual(daemon.start().run("job")["status"], "SUCCESS")

    def test_no_line_for_replication_in_pg_hba_conf(self) -> None:
        server = self.server()
        rules = server.data / "pg_hba.conf"
        kept = [line for line in rules.read_text(encoding="utf-8").splitlines() if "replication" not in line]
        rules.write_text("\n".join(kept) + "\n", encoding="utf-8")
        server.sql("select pg_reload_conf(); create role backup login replication")
        seen = "select count(*) from pg_hba_file_rules where 'replication' = any (database)"
        wait_for(lambda: server.sql(seen) == "0", what="the new rules")
        code, message, hint = self.refused(server, user="backup")
        self.assertEqual(code, "authentication_failed")
        self.assertIn("as backup for replication: no pg_hba.conf entry for replication connection", message)
        self.assertIn('local replication "backup" scram-sha-256 (or peer); then reload the server', hint)

    def test_wal_that_says_too_little(self) -> None:
        code, message, hint = self.refused(self.server(wal_level="minimal", max_wal_senders="0"))
        self.assertEqual(code, "invalid_configuration")
        self.assertIn("has wal_level = minimal", message)
        self.assertIn("set wal_level = replica", hint)

    def test_no_walsenders_at_all(self) -> None:
        code, message, hint = self.refused(self.server(max_wal_senders="0"))
        self.assertEqual(code, "invalid_configuration")
        self.assertIn("has max_wal_senders = 0", message)
        self.assertIn("max_wal_senders = 10", hint)

    def test_all_walsenders_in_use(self) -> None:
        server = self.server(max_wal_senders="1")
        place = scratch_directory(server.account, "pgb-wal-")
        self.addCleanup(remove_directory, place)
        other = spawn([server.bin / "pg_receivewal", "-D", place], server.account, environment=server.environment())
        self.addCleanup(stop_process, other, signal.SIGTERM, 60)
        wait_for(lambda: server.sql(WALSENDERS) == "1", what="another walsender")
        code, message, hint = self.refused(server)
        self.assertEqual(code, "conflict")
        self.assertIn("all 1 walsenders are in use (max_wal_senders)", message)
        self.assertIn("raise max_wal_senders", hint)


class Damage(unittest.TestCase):
    def test_pages_that_the_server_has_damaged_are_no_backup(self) -> None:
        server = PostgresServer(initdb=["--data-checksums"])
        self.addCleanup(server.close)
        server.start().sql("create table t as select i, md5(i::text) body from generate_series(1, 20000) i")
        file = server.data / server.sql("checkpoint; select pg_relation_filepath('t')")
        daemon = Daemon(config_for(server, jobs={"job": {"source": SOURCE}}))
        self.addCleanup(daemon.close)
        self.assertEqual(daemon.start().run("job")["status"], "SUCCESS")
        with file.open("r+b") as pages:
            pages.seek(3 * 8192 + 4000)
            pages.write(b"damage")
        report = daemon.run("job", check=False)
        self.assertEqual((report["status"], report["set"]), ("FAILED", None), report)
        self.assertEqual(report["error"]["code"], "corrupt")
        self.assertIn(f'"./{file.relative_to(server.data)}", block 3', report["error"]["message"])
        self.assertIn("run pg_amcheck", report["error"]["hint"])
        self.assertEqual(len(daemon.sets()), 1)


class Middles(Cluster):
    """A backup that is ended in the middle, by whomever, leaves nothing, here or on the server."""

    CTEST = {"cost": 30}

    def start_slow(self, **job: Any) -> tuple[Daemon, str]:
        daemon = self.start_daemon({"job": {"source": SLOWLY, "retries": {"attempts": 1}, **job}})
        run_id: str = daemon.ctl("--json", "run", "job").json["run"]
        self.wait_for_stream()
        return daemon, run_id

    def status_of(self, daemon: Daemon, run_id: str) -> str:
        (entry,) = [entry for entry in daemon.ctl("--json", "runs").json["runs"] if entry["run"] == run_id]
        return str(entry["status"])

    def test_cancelled(self) -> None:
        daemon, run_id = self.start_slow()
        daemon.ctl("cancel", run_id)
        self.assertEqual(self.status_of(daemon, run_id), "CANCELLED")
        self.assertEqual((daemon.sets(), daemon.partial_directories()), ([], []))
        self.nothing_left()

    def test_killed(self) -> None:
        daemon, run_id = self.start_slow()
        daemon.kill9()
        daemon.start()
        daemon.wait_for(lambda: self.status_of(daemon, run_id) == "INTERRUPTED", what="the run to be settled")
        self.nothing_left()
        self.assertEqual((daemon.sets(), daemon.partial_directories()), ([], []))

    def test_killed_while_it_waits_for_the_checkpoint(self) -> None:
        """The server would not notice before the checkpoint is done, minutes later."""
        self.server.sql("create table dirty as select i, repeat('d', 500) x from generate_series(1, 30000) i", "shop")
        self.addCleanup(self.server.sql, "drop table dirty", "shop")
        daemon = self.start_daemon({"job": {"source": {**SOURCE, "checkpoint": "spread"}, "retries": {"attempts": 1}}})
        run_id = daemon.ctl("--json", "run", "job").json["run"]
        waiting = "select count(*) from pg_stat_progress_basebackup where phase like 'waiting for checkpoint%'"
        wait_for(lambda: self.server.sql(waiting) == "1", what="a backup that waits for its checkpoint")
        daemon.kill9()
        daemon.start()
        daemon.wait_for(lambda: self.status_of(daemon, run_id) == "INTERRUPTED", what="the run to be settled")
        self.nothing_left()
        self.server.sql("checkpoint")

    def test_stopped(self) -> None:
        daemon, run_id = self.start_slow()
        self.assertEqual(daemon.stop(), 0)
        self.nothing_left()
        daemon.start()
        self.assertEqual(self.status_of(daemon, run_id), "INTERRUPTED")
        self.assertEqual((daemon.sets(), daemon.partial_directories()), ([], []))

    def end_walsender(self) -> None:
        self.server.sql("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'walsender'")

    def test_its_walsender_is_ended(self) -> None:
        daemon, run_id = self.start_slow()
        self.end_walsender()
        daemon.wait_for(lambda: self.status_of(daemon, run_id) == "FAILED", what="the run to fail")
        error = daemon.ctl("--json", "runs").json["runs"][0]["error"]
        self.assertIn("terminating connection due to administrator command (SQLSTATE 57P01)", error["message"])
        self.assertEqual((daemon.sets(), daemon.partial_directories()), ([], []))
        self.nothing_left()

    def test_its_walsender_is_ended_and_another_attempt_succeeds(self) -> None:
        self.server.sql("create table dirty as select i, repeat('d', 500) x from generate_series(1, 30000) i", "shop")
        self.addCleanup(self.server.sql, "drop table dirty", "shop")
        retries = {"attempts": 3, "backoff": "100ms"}
        daemon = self.start_daemon({"job": {"source": {**SOURCE, "checkpoint": "spread"}, "retries": retries}})
        daemon.ctl("run", "job")
        waiting = "select count(*) from pg_stat_progress_basebackup where phase like 'waiting for checkpoint%'"
        wait_for(lambda: self.server.sql(waiting) == "1", what="a backup that waits for its checkpoint")
        self.end_walsender()
        daemon.wait_for_log("the backup failed, trying again in")

        def succeeded() -> bool:
            self.server.sql("checkpoint")  # in place of the one that is spread
            return "job: succeeded" in daemon.log()

        daemon.wait_for(succeeded, what="the second attempt")
        (found,) = daemon.sets()
        self.assertEqual(found["verified"], "decoded")
        daemon.ctl("verify", found["set"])
        self.nothing_left()

    def test_what_an_attempt_had_done_and_sent_is_made_anew(self) -> None:
        place = scratch_directory(self.server.account, "pgb-target-")
        self.addCleanup(remove_directory, place)
        job = {
            "source": {**SOURCE, "max_rate": "4 MiB/s"}, "targets": ["nas"], "retries": {"attempts": 2, "backoff": "100ms"},
        }  # fmt: skip
        jobs: dict[str, Any] = {"both": job, "there": {**job, "keep_local": "never"}}
        daemon = self.start_daemon(jobs, targets={"nas": {"type": "directory", "path": str(place)}})
        for job_name in jobs:
            with self.subTest(job_name):
                run_id = daemon.ctl("--json", "run", job_name).json["run"]
                daemon.wait_for(
                    lambda: [entry for entry in daemon.status()["running"] if entry["parts_done"] == 2],
                    what="the tablespaces to be there, and not the data directory",
                )
                self.end_walsender()
                daemon.wait_for(lambda: self.status_of(daemon, run_id) != "RUNNING", what="the end of the run")
                (report,) = [entry for entry in daemon.ctl("--json", "runs").json["runs"] if entry["run"] == run_id]
                self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), daemon.log())
                (dump,) = [stage for stage in report["stages"] if stage["name"] == "dump"]
                self.assertEqual((dump["attempts"], dump["message"]), (2, "4 of 4 parts"))
                daemon.ctl("verify", report["set"], "--from", "nas")
        self.assertEqual(daemon.partial_directories(), [])
        self.nothing_left()

    def test_the_server_stops(self) -> None:
        daemon, run_id = self.start_slow()
        self.server.restart("immediate")
        daemon.wait_for(lambda: self.status_of(daemon, run_id) == "FAILED", what="the run to fail")
        self.assertEqual((daemon.sets(), daemon.partial_directories()), ([], []))
        self.nothing_left()

    def test_how_far_it_is_shows_in_the_status(self) -> None:
        daemon, run_id = self.start_slow(source={**SOURCE, "max_rate": "256 KiB/s"})
        query = self.server.sql("select query from pg_stat_activity where backend_type = 'walsender'")
        self.assertIn("MAX_RATE 256,", query)
        self.assertIn("CHECKPOINT 'fast'", query)
        total = int(self.server.sql("select backup_total from pg_stat_progress_basebackup"))
        (running,) = daemon.wait_for(
            lambda: [entry for entry in daemon.status()["running"] if entry["raw_bytes"] > 0], what="the first bytes"
        )
        # Each archive's size is told in KiB.
        self.assertAlmostEqual(running["expected_raw_bytes"], total, delta=3 * 1024)
        self.assertLess(running["raw_bytes"], running["expected_raw_bytes"])
        self.assertEqual(running["parts"], 4)
        self.assertLess(running["parts_done"], 4)
        self.assertTrue(running["part"] == "base" or running["part"].startswith("tablespace "), running["part"])
        daemon.ctl("cancel", run_id)


if __name__ == "__main__":
    unittest.main()
