"""TDengine as a source, by stand-ins of its programs that are as strict as they are (support/taosdump): what a set holds,
what the stock commands bring back, and that a dump which did not come to its end is none, whatever its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import proc
from support.daemon import Daemon, fire_far_away
from support.docker import Docker
from support.process import run as run_program
from support.process import scratch_directory, unprivileged_account, wait_for
from support.ssh_host import SshHost
from support.tdengine import PASSWORD, TdengineServer, database, programs, rows

CTEST = {"timeout": 300}

MARKET = database(stables={"ticks": {"d0": rows(300), "d1": rows(200, 1000)}}, tables={"plain": rows(50)})
LOG = database(tables={"lines": rows(20)})


class TdengineCase(unittest.TestCase):
    def setUp(self) -> None:
        self.account = unprivileged_account()
        self.server = TdengineServer({"market_data": MARKET, "log": LOG}).start()
        self.addCleanup(self.server.close)

    def config(self, databases: Any = "all", job: dict[str, Any] | None = None, **server: Any) -> dict[str, Any]:
        spec = {
            "schedule": fire_far_away(),
            "retries": {"attempts": 1},
            "source": {"type": "taosdump", "server": "ticks", "databases": databases},
            **(job or {}),
        }
        bin_directory = server.pop("bin", None) or programs(self.account)
        return {
            "timezone": "UTC",
            "servers": {"ticks": {**self.server.config(bin_directory), **server}},
            "jobs": {"ticks": spec},
        }

    def daemon(self, databases: Any = "all", job: dict[str, Any] | None = None, **server: Any) -> Daemon:
        daemon = Daemon(self.config(databases, job, **server))
        self.addCleanup(daemon.close)
        return daemon.start()

    def rows_of(self, manifest: dict[str, Any]) -> dict[str, int]:
        return {facts["database"]: facts["rows"] for facts in manifest["databases"]}

    def marked(self, run: str) -> list[int]:
        """The processes of a run."""
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if f"PGAPPNAME=pgbakd/{run}".encode() in (directory / "environ").read_bytes():
                    found.append(int(directory.name))
            except OSError:
                continue
        return found

    def stalled_run(self, daemon: Daemon) -> str:
        self.server.misbehave(stall=True)
        run: str = daemon.ctl("--json", "run", "ticks").json["run"]
        self.server.wait_stalled()
        self.assertTrue(self.marked(run))
        return run

    def check_nothing_left(self, daemon: Daemon, run: str) -> None:
        wait_for(lambda: not self.marked(run), what="the end of the run's programs")
        self.assertEqual(daemon.partial_directories(), [])
        self.assertEqual(list(daemon.repository.rglob("*.work")), [])
        self.assertEqual(proc.children(daemon.pid), [])

    def failed(self, daemon: Daemon) -> dict[str, Any]:
        report: dict[str, Any] = daemon.run("ticks", check=False)
        self.assertEqual(report["status"], "FAILED", report)
        self.check_nothing_left(daemon, report["run"])
        return report


class Taosdump(TdengineCase):
    # --- what is good ---

    def test_each_database_is_a_tar_with_its_rows_in_the_manifest(self) -> None:
        daemon = self.daemon()
        report = daemon.run("ticks")
        self.assertEqual(report["status"], "SUCCESS", report)
        manifest = daemon.manifest(report["set"])
        names = [re.sub(r"_\d{8}_\d{6}", "", entry["file"]) for entry in manifest["artifacts"]]
        self.assertEqual(names, ["taos_log.tar.gz", "taos_market_data.tar.gz"])
        self.assertEqual(self.rows_of(manifest), {"log": 20, "market_data": 550})
        self.assertEqual({entry["verified"] for entry in manifest["artifacts"]}, {"decoded"})
        source = manifest["source"]
        self.assertEqual((source["type"], source["server_version"]), ("taosdump", "3.3.6.3"))
        self.assertEqual(source["client_version"], "taosdump version: 3.3.6.3")
        with tarfile.open(daemon.set_directory(report["set"]) / manifest["artifacts"][1]["file"]) as tar:
            members = tar.getnames()
        self.assertEqual(members[0], "dbs.sql")
        self.assertEqual(sum(name.endswith(".avro") for name in members), 3)
        self.assertEqual(daemon.ctl("verify", report["set"]).code, 0)
        shown = daemon.ctl("show", report["set"]).out
        self.assertRegex(shown, r"market_data +not counted +550")
        self.assertIn("TDengine 3.3.6.3", shown)
        self.check_nothing_left(daemon, report["run"])
        checked = daemon.ctl("check", "--connect").out
        self.assertIn("2 databases to dump: log, market_data", checked)

    def test_the_stock_commands_bring_it_back_also_under_another_name(self) -> None:
        daemon = self.daemon(["market_data"], {"compression": "zstd:3"})
        report = daemon.run("ticks")
        directory = daemon.set_directory(report["set"])
        commands = daemon.manifest(report["set"])["stock_restore"]
        other = TdengineServer({}).start()
        self.addCleanup(other.close)
        environment = {
            "PATH": f"{programs(self.account)}:/usr/bin:/bin",
            "HOME": str(daemon.directory),
            "TAOS_LOG_DIR": str(daemon.directory / "log-of-taos"),
        }

        def restore(command: str) -> None:
            command = command.replace(f"-P {self.server.port} ", f"-P {other.port} ")
            done = run_program(
                ["/bin/sh", "-c", command], daemon.account, environment=environment, directory=directory, text=PASSWORD + "\n"
            )
            self.assertEqual(done.code, 0, f"{command}: {done.out}{done.err}")

        for command in commands:
            restore(command)
        self.assertEqual(other.databases, {"market_data": MARKET})
        hint = re.search(r"# another name: (-W \S+=)NEW$", commands[-1])
        assert hint
        restore(commands[-1].split("  #")[0] + f" {hint.group(1)}copy")
        self.assertEqual(other.databases["copy"], MARKET)

    def test_databases_that_come_and_go_are_told(self) -> None:
        daemon = self.daemon()
        daemon.run("ticks")
        self.server.control(databases={"fresh": LOG}, drop=["log"])
        report = daemon.run("ticks")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertIn('database "fresh" is new', report["notes"])
        self.assertIn('database "log" is gone from the server', report["notes"])
        self.assertEqual(self.rows_of(daemon.manifest(report["set"])), {"fresh": 20, "market_data": 550})

    def test_a_name_that_needs_quotes_and_a_server_with_its_first_password(self) -> None:
        self.server.control(users={"root": "taosdata"}, databases={"Odd $(id)": LOG})
        config = self.config(["Odd $(id)"])
        del config["servers"]["ticks"]["password"]
        daemon = Daemon(config)
        self.addCleanup(daemon.close)
        report = daemon.start().run("ticks")
        manifest = daemon.manifest(report["set"])
        self.assertTrue(manifest["artifacts"][0]["file"].startswith("taos_Odd%20%24%28id%29_"))
        self.assertIn(" -e -i ", manifest["stock_restore"][-1])
        self.assertEqual(self.rows_of(manifest), {"Odd $(id)": 20})

    def test_encrypted(self) -> None:
        key = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout
        recipient = re.search(r"age1\w+", key)
        assert recipient
        daemon = self.daemon(["log"], {"encryption": {"age": [recipient.group()]}})
        report = daemon.run("ticks")
        file = daemon.set_directory(report["set"]) / report["artifacts"][0]["file"]
        self.assertTrue(file.name.endswith(".tar.gz.age"), file)
        key_file = daemon.directory / "key"
        key_file.write_text(key, encoding="utf-8")
        tar = subprocess.run(["age", "--decrypt", "--identity", key_file, file], capture_output=True, check=True).stdout
        listed = subprocess.run(["tar", "--list", "--gzip"], input=tar, capture_output=True, check=True).stdout
        self.assertTrue(listed.startswith(b"dbs.sql\n"), listed)

    def test_without_the_shell_databases_are_named(self) -> None:
        bin_directory = programs(self.account, without="taos")
        report = self.daemon(["market_data"], bin=bin_directory).run("ticks")
        self.assertEqual(report["status"], "SUCCESS", report)
        report = self.failed(self.daemon(bin=bin_directory))
        self.assertIn("there is no program taos", report["error"]["message"])

    def test_a_connection_that_comes_about_at_the_second_attempt_is_told_and_no_failure(self) -> None:
        # Without the shell, whose own attempt would fail.
        daemon = self.daemon(["log"], bin=programs(self.account, without="taos"))
        self.server.misbehave(flaky_connects=1)
        report = daemon.run("ticks")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertRegex("\n".join(report["notes"]), r'taosdump of "log": 1 attempt failed, and a later one did not')

    # --- what is not ---

    def test_a_missing_database_makes_an_incomplete_set_of_the_others(self) -> None:
        daemon = self.daemon(["market_dta", "log"])
        report = daemon.run("ticks", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertIn('database "market_dta" does not exist', report["error"]["message"])
        manifest = daemon.manifest(report["set"])
        self.assertFalse(manifest["complete"])
        self.assertEqual([part["database"] for part in manifest["missing"]], ["market_dta"])
        self.assertEqual(self.rows_of(manifest), {"log": 20})
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertEqual(checked.code, 1)
        self.assertIn('did you mean "market_data"?', checked.out)
        # Where nobody tells in advance, the dump itself does.
        report = self.failed(self.daemon(["nowhere"], bin=programs(self.account, without="taos")))
        self.assertEqual(report["error"]["code"], "not_found")
        self.assertIn("0 database(s) valid to dump", report["error"]["message"])

    def test_a_wrong_password_is_told_and_never_shown(self) -> None:
        wrong = "not-the-right-one"
        daemon = self.daemon(password=wrong)
        report = self.failed(daemon)
        self.assertEqual(report["error"]["code"], "authentication_failed")
        self.assertIn("server ticks: asking with taos failed", report["error"]["message"])
        told = daemon.log() + json.dumps(report) + daemon.ctl("check", "--connect", check=False).out
        self.assertNotIn(wrong, told)
        message = self.daemon(password="two words").run("ticks", check=False)["error"]["message"]
        self.assertEqual(message, "server ticks: the password has a blank or a control character in it")

    def test_a_server_that_is_down(self) -> None:
        daemon = self.daemon()
        self.server.stop()
        report = self.failed(daemon)
        self.assertEqual(report["error"]["code"], "unreachable")
        self.assertIn("server ticks: 127.0.0.1:", report["error"]["message"])
        self.assertIn("Connection refused", report["error"]["message"])

    def test_a_table_that_cannot_be_read_is_no_success_though_the_program_says_so(self) -> None:
        daemon = self.daemon()
        self.server.misbehave(unreadable=["d1"])
        report = daemon.run("ticks", check=False)
        self.assertEqual(report["status"], "FAILED", report)
        self.assertIn("exit code 0: Failed to execute taosQuery", report["error"]["message"])
        self.assertIn("Table does not exist", report["error"]["message"])
        # The other database is there all the same.
        self.assertEqual(self.rows_of(daemon.manifest(report["set"])), {"log": 20})

    def test_a_database_that_is_left_out_is_no_success_though_the_program_says_so(self) -> None:
        daemon = self.daemon(["log"])
        self.server.misbehave(no_subdirectory=True)
        self.assertIn("mkdir(", self.failed(daemon)["error"]["message"])

    def test_the_result_file_must_be_there_and_fit(self) -> None:
        for wrapper, said in {
            "{real} \"$@\"; rm dump_result.txt": "ended well, but left no result file",
            "{real} \"$@\"; sed -i /TOTAL/d dump_result.txt": "ended well, but its result file is not whole",
            "{real} \"$@\"; sed -i 's/row count: .*/row count: 7/' dump_result.txt": "said 20 rows, and 7 in its result file",
            "{real} \"$@\"; rm dump/dbs.sql": "dbs.sql is missing",
            "{real} \"$@\"; ln -s /etc/passwd dump/link": "taosdump left something that is no file",
            "cat >/dev/null; exit 0": "ended well, but left no result file",
            "exit 3": "failed: exit code 3",
        }.items():
            with self.subTest(wrapper):
                daemon = self.daemon(["log"], bin=programs(self.account, wrapper))
                self.assertIn(said, self.failed(daemon)["error"]["message"])
                self.assertEqual(daemon.sets(), [])

    def test_a_server_that_dies_in_the_middle(self) -> None:
        daemon = self.daemon(["market_data"])
        self.server.misbehave(die_after=1)
        report = self.failed(daemon)
        self.assertEqual(report["error"]["code"], "unreachable")
        self.assertIn("Conn is broken", report["error"]["message"])

    def test_a_program_that_is_killed_is_tried_again(self) -> None:
        daemon = self.daemon(["market_data"], {"retries": {"attempts": 2, "backoff": "1s"}})
        run = self.stalled_run(daemon)
        (pid,) = self.marked(run)
        self.server.control(forget=True)
        os.kill(pid, signal.SIGKILL)
        self.server.wait_stalled()
        self.server.misbehave()
        daemon.wait_for(lambda: daemon.sets(), what="the set")
        daemon.wait_for(lambda: daemon.status()["running"] == [], what="the end of the run")
        self.assertEqual(self.rows_of(daemon.manifest(daemon.sets()[0]["set"])), {"market_data": 550})
        self.assertIn("killed by signal 9", daemon.log())
        self.check_nothing_left(daemon, run)

    # --- its end ---

    def test_cancelled(self) -> None:
        daemon = self.daemon()
        run = self.stalled_run(daemon)
        daemon.ctl("cancel", run)
        self.check_nothing_left(daemon, run)
        self.assertEqual(daemon.ctl("--json", "runs").json["runs"][0]["status"], "CANCELLED")

    def test_it_takes_too_long(self) -> None:
        daemon = self.daemon(["log"], {"timeout": "2s"})
        self.server.misbehave(stall=True)
        report = self.failed(daemon)
        self.assertEqual(report["error"]["code"], "timed_out")

    def test_nothing_outlives_a_daemon_that_is_killed(self) -> None:
        # A program that has left the daemon's process group does not die with it.
        daemon = self.daemon(["log"], bin=programs(self.account, "setsid -w {real} \"$@\""))
        run = self.stalled_run(daemon)
        daemon.kill9()
        daemon.start()
        self.check_nothing_left(daemon, run)
        self.assertEqual(daemon.ctl("--json", "runs").json["runs"][0]["status"], "INTERRUPTED")

    def test_the_password_is_nowhere(self) -> None:
        daemon = self.daemon()
        run = self.stalled_run(daemon)
        self.assertEqual(proc.find_in_processes(PASSWORD), [])
        # Nor in the files of a dump under way.
        done = subprocess.run(["grep", "-rlF", PASSWORD, daemon.repository], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        for directory in daemon.repository.rglob("*.work"):
            self.assertEqual(directory.stat().st_mode & 0o777, 0o700)
        self.server.misbehave()
        daemon.wait_for(lambda: daemon.status()["running"] == [], what="the end of the run")
        (found,) = daemon.sets()
        told = [daemon.log(), json.dumps(daemon.manifest(found["set"])), daemon.ctl("check", "--effective").out]
        told += [path.read_text(encoding="utf-8") for path in daemon.reports.iterdir()]
        for text in told:
            self.assertNotIn(PASSWORD, text)
        self.check_nothing_left(daemon, run)


class Elsewhere(TdengineCase):
    """The programs in a container (a stand-in for docker), or on another host (a real sshd on loopback)."""

    def ways(self) -> list[tuple[str, dict[str, str], str, Callable[[Daemon], None]]]:
        """What each is called, its `client`, the PATH of who uses it, and how its connection is cut."""
        docker = Docker(self.account)
        self.addCleanup(docker.close)
        self.addCleanup(lambda: self.assertEqual((docker.refusals(), docker.bad_orphans()), ([], [])))
        docker.containers["tdengine"] = {"environment": {"TMPDIR": str(self.scratch)}}
        docker.save()
        host = SshHost(self.account, self.scratch)
        self.addCleanup(host.close)
        host.start()

        def kill_docker(daemon: Daemon) -> None:
            for pid in proc.children(daemon.pid):
                os.kill(pid, signal.SIGKILL)

        return [
            ("in container tdengine", {"docker": "tdengine"}, docker.path, kill_docker),
            ("on host db1", {"ssh": "db1"}, host.path, lambda _: host.cut()),
        ]

    def setUp(self) -> None:
        super().setUp()
        self.scratch = scratch_directory(self.account, "pgb-there-")
        self.bin = programs(self.account)

    def left(self) -> list[Path]:
        """Directories that a dump has, or had, over there."""
        return list(self.scratch.glob("pgbakd-*"))

    def elsewhere(self, client: dict[str, str], path: str, databases: Any = "all", **server: Any) -> Daemon:
        config = self.config(databases, bin=self.bin, client={**client, "bin": str(self.bin)}, **server)
        daemon = Daemon(config, environment={"PATH": path})
        self.addCleanup(daemon.close)
        return daemon.start()

    def marked(self, run: str) -> list[int]:
        # The stand-in's "daemon" is a copy of docker's client, and waits for orphans a while.
        return [pid for pid in super().marked(run) if not any(word.endswith("/stand-in.py") for word in self.words_of(pid))]

    @staticmethod
    def words_of(pid: int) -> list[str]:
        try:
            return proc.command_line(pid)
        except OSError:
            return []

    def stalled_run(self, daemon: Daemon) -> str:
        self.server.control(forget=True)  # those before it
        return super().stalled_run(daemon)

    def check_nothing_left(self, daemon: Daemon, run: str) -> None:
        super().check_nothing_left(daemon, run)
        wait_for(lambda: not self.left(), what="the end of what was over there")

    def test_a_dump_comes_as_it_does_from_here(self) -> None:
        for place, client, path, _ in self.ways():
            with self.subTest(place):
                daemon = self.elsewhere(client, path)
                report = daemon.run("ticks")
                self.assertEqual(report["status"], "SUCCESS", report)
                self.assertEqual(report["notes"], [])
                manifest = daemon.manifest(report["set"])
                self.assertEqual(self.rows_of(manifest), {"log": 20, "market_data": 550})
                self.assertEqual(manifest["source"]["server_version"], "3.3.6.3")
                with tarfile.open(daemon.set_directory(report["set"]) / manifest["artifacts"][1]["file"]) as tar:
                    self.assertEqual(sum(name.endswith(".avro") for name in tar.getnames()), 3)
                    self.assertIn("dbs.sql", tar.getnames())
                self.assertEqual(daemon.ctl("verify", report["set"]).code, 0)
                self.check_nothing_left(daemon, report["run"])
                self.assertIn(f"taosdump version: 3.3.6.3 in {self.bin}, {place}", daemon.ctl("check", "--connect").out)

    def test_however_it_ends_nothing_is_left_there_and_the_password_is_nowhere(self) -> None:
        for place, client, path, cut in self.ways():
            with self.subTest(place):
                daemon = self.elsewhere(client, path, ["log"])
                run = self.stalled_run(daemon)
                self.assertEqual(proc.find_in_processes(PASSWORD), [])
                (directory,) = self.left()
                self.assertEqual(directory.stat().st_mode & 0o777, 0o700)
                daemon.ctl("cancel", run)
                self.check_nothing_left(daemon, run)
                run = self.stalled_run(daemon)
                cut(daemon)
                self.check_nothing_left(daemon, run)
                daemon.wait_for(lambda: daemon.status()["running"] == [], what="the end of the run")
                self.assertEqual(daemon.ctl("--json", "runs").json["runs"][0]["status"], "FAILED")
                run = self.stalled_run(daemon)
                daemon.kill9()
                wait_for(lambda: not self.marked(run) and not self.left(), what="the end of what was over there")
                # What a kill of the other host has left is the next run's to remove.
                left = directory.with_suffix(".left00")
                left.mkdir()
                os.chown(left, self.account.uid, -1)
                self.server.misbehave()
                daemon.start()
                self.assertEqual(daemon.run("ticks")["status"], "SUCCESS")
                self.assertEqual(self.left(), [])

    def test_what_goes_wrong_there_is_told(self) -> None:
        place, client, path, _ = self.ways()[1]
        self.server.misbehave()
        daemon = self.elsewhere(client, path, password="not-the-right-one")
        report = self.failed(daemon)
        self.assertEqual(report["error"]["code"], "authentication_failed")
        daemon = self.elsewhere(client, path)
        self.server.misbehave(unreadable=["d1"])
        report = daemon.run("ticks", check=False)
        self.assertIn("Table does not exist", report["error"]["message"])
        self.assertEqual(self.rows_of(daemon.manifest(report["set"])), {"log": 20})
        self.server.misbehave(die_after=1)
        report = self.failed(daemon)
        self.assertEqual(report["error"]["code"], "unreachable")
        self.assertIn("Conn is broken", report["error"]["message"])
        self.server.misbehave()
        empty = scratch_directory(self.account, "pgb-none-")
        config = self.config("all", bin=empty, client={**client, "bin": str(empty)})
        daemon.write_config(config)
        daemon.ctl("reload")
        message = self.failed(daemon)["error"]["message"]
        self.assertEqual(message, f"{place} there is no program taosdump in {empty}")


class StandIn(unittest.TestCase):
    """That the stand-in is as strict as it says."""

    def setUp(self) -> None:
        self.server = TdengineServer({"market_data": MARKET, "log": LOG}).start()
        self.addCleanup(self.server.close)
        self.account = unprivileged_account()
        self.programs = programs(self.account)

    def taosdump(self, *arguments: str, text: str = PASSWORD + "\n", directory: Path | None = None) -> tuple[int, str]:
        work = directory or self.programs
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(work), "TAOS_LOG_DIR": str(work / "log")}
        done = run_program([self.programs / "taosdump", *arguments], self.account, environment=environment, directory=work, text=text)
        return done.code, done.err

    def test_it_refuses_what_the_real_one_refuses(self) -> None:
        reach = ("-h", "127.0.0.1", "-P", str(self.server.port), "-u", "root")
        out = self.programs / "out"
        out.mkdir(mode=0o777)
        os.chmod(out, 0o777)
        for arguments, code, said in (
            (("--no-such-option",), 64, "invalid option"),
            (("-P",), 64, "option requires an argument"),
            (("-D",), 1, "option requires an argument"),
            (("-P", "x", "-D", "log"), 1, "requires a number argument"),
            ((*reach,), 1, "taosdump requires parameters"),
            ((*reach, "-p", "-A", "-D", "log"), 1, "conflict option"),
            ((*reach, "-p", PASSWORD, "-D", "log"), 1, "is an invalid input"),
            ((*reach, "-p", "-D", "log", "-o", str(self.programs / "missing")), 255, "is not exist!"),
            ((*reach, "-p", "-D", "nowhere", "-o", str(out)), 255, "0 database(s) valid to dump"),
            ((*reach, "-p", "-D", "log", "-o", str(out)), 255, "Found data file(s) exists"),  # the last one began dbs.sql
        ):
            with self.subTest(arguments):
                found = self.taosdump(*arguments)
                self.assertEqual(found[0], code, found)
                self.assertIn(said, found[1])

    def test_without_a_password_to_read_it_takes_its_own(self) -> None:
        out = self.programs / "out"
        out.mkdir()
        os.chmod(out, 0o777)
        code, said = self.taosdump("-h", "127.0.0.1", "-P", str(self.server.port), "-p", "-D", "log", "-o", str(out), text="")
        self.assertEqual(code, 255)
        self.assertIn("Authentication failure", said)


if __name__ == "__main__":
    unittest.main()
