"""Client programs in a container (a stand-in for docker) and on another host (a real sshd on loopback): what arrives there, what
comes back, what is told when it cannot be, and that nothing is left however it ends."""

from __future__ import annotations

import os
import re
import signal
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import stock
from support.cases import Lock, ServerCase
from support.daemon import Daemon, config_for
from support.docker import Docker
from support.postgres import PostgresServer, quote_literal
from support.proc import children, command_line, find_in_processes
from support.process import wait_for
from support.ssh_host import SshHost

CTEST = {"timeout": 600}

NAMES = [
    "with space",
    "it's \"both\" quotes",
    "dollar$(touch x)`touch x`",
    "-leading-dash; touch x",
    "dbname=postgres host=evil\\",
    "Zürich 数据库 " + "ü" * 19 + "!",  # 63 bytes
]
SECRET = f"the word 'of' $the \"backup\" role {os.getpid()}"  # no other test's, which may run at the same time


class ClientCase(ServerCase):
    """A server with a database shop, and a role whose password nobody else has."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = PostgresServer(tcp=True, auth="scram-sha-256")
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.server.createdb("shop")
        cls.server.sql("create table t as select i, md5(i::text) body from generate_series(1, 1000) i", "shop")
        cls.server.sql(f"create role backup superuser login password {quote_literal(SECRET)}")

    def config(self, client: dict[str, Any], source: dict[str, Any] | None = None, **server: Any) -> dict[str, Any]:
        job = {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"], **(source or {})},
               "retries": {"attempts": 1}}  # fmt: skip
        found = config_for(self.server, jobs={"job": job})
        found["servers"]["local"] = {"port": self.server.port, "user": "backup", "password": SECRET, "client": client, **server}
        return found

    def programs(self, name: str, script: str, programs: tuple[str, ...] = ("pg_dump", "pg_dumpall")) -> Path:
        """A directory of client programs that are this script, in which {real} is the real one."""
        directory = Path(self.server.directory, name)
        directory.mkdir(exist_ok=True)
        for program in programs:
            path = directory / program
            path.write_text("#!/bin/sh\n" + script.replace("{real}", str(self.server.bin / program)), encoding="utf-8")
            path.chmod(0o755)
        return directory

    def dumps(self) -> list[int]:
        """Every pg_dump of our server that runs, wherever it was started."""
        needle = f"PGHOST={self.server.directory}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and command_line(int(entry.name))[0].endswith("/pg_dump"):
                    if needle in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
            except OSError:
                continue
        return found

    def wait_until_nothing_is_left(self) -> None:
        wait_for(lambda: not self.dumps(), what="the end of every pg_dump over there")
        wait_for(lambda: not self.server.backends("pgbakd/%"), what="the end of every backend of the run")


class BothWays:
    """What holds in a container and on another host alike; `one` gives a daemon whose job dumps shop from there."""

    one: Callable[..., Daemon]
    way: dict[str, Any]
    place: str
    lock: Lock

    def is_client(self, words: list[str]) -> bool:
        raise NotImplementedError

    def client_pids(self: Any, daemon: Daemon) -> list[int]:
        """Of the programs here that lead there, for a dump under way."""
        return [pid for pid in children(daemon.pid) if self.is_client(command_line(pid))]

    def start_held(self: Any, daemon: Daemon) -> str:
        self.lock = self.hold_lock()
        run: str = daemon.ctl("--json", "run", "job").json["run"]
        self.lock.wait_for_dump()
        self.assertEqual(len(self.dumps()), 1)
        return run

    def ended(self: Any, daemon: Daemon, run: str) -> Any:
        daemon.wait_for(lambda: daemon.ctl("--json", "runs").json["runs"][0]["status"] != "RUNNING", what="the end of the run")
        found = next(entry for entry in daemon.ctl("--json", "runs").json["runs"] if entry["run"] == run)
        return found

    # --- what comes back ---

    def test_databases_of_any_name_come_back_whole_with_globals_and_counts(self: Any) -> None:
        for name in NAMES:
            self.server.createdb(name)
            self.addCleanup(self.server.dropdb, name)
            self.server.sql("create table t as select generate_series(1, 42) as i", name)
        source = {"databases": NAMES, "globals": True}
        daemon = self.one(source, start=False)
        config = self.one_config(source)
        base = config["jobs"]["job"]
        config["jobs"]["plain"] = {**base, "source": {**base["source"], "format": "plain"}}
        # The same, as if the programs were here.
        config["servers"]["here"] = {"host": self.server.host, "port": self.server.port, "user": "backup", "password": SECRET}
        config["jobs"]["here"] = {**base, "source": {**base["source"], "server": "here"}}
        daemon.write_config(config)
        daemon.start()
        manifests = {}
        for job in ("job", "plain", "here"):
            report = daemon.run(job)
            self.assertEqual(report["status"], "SUCCESS", report)
            self.assertEqual(report["notes"], [])
            manifests[job] = daemon.manifest(report["set"])
            self.assertEqual(daemon.ctl("verify", report["set"]).code, 0)
            if job == "here":
                continue
            other = stock.restore(self, daemon, report["set"])
            for name in NAMES:
                self.assertEqual(other.counts(name).get("public.t"), 42, name)
            self.assertEqual(other.sql("select count(*) from pg_roles where rolname = 'backup'"), "1")
        counts = {
            job: {facts["database"]: facts["fingerprint"] for facts in manifest["databases"]}
            for job, manifest in manifests.items()
        }
        self.assertEqual(set(counts["here"]), set(NAMES))
        self.assertEqual(counts["job"], counts["here"])
        self.assertEqual(counts["plain"], counts["here"])
        self.assertEqual(list(daemon.directory.rglob("x")), [])

    def test_options_arrive_as_they_are_also_where_they_choose_what_is_counted(self: Any) -> None:
        self.server.createdb("odd tables")
        self.addCleanup(self.server.dropdb, "odd tables")
        self.server.sql('create table kept as select 1 i; create table "-left out; $(id)" as select 2 i; '
                        'create table "a*b\'c" as select 3 i', "odd tables")  # fmt: skip
        options = ["-T", '"-left out; $(id)"', "--exclude-table-data=\"a*b'c\""]
        daemon = self.one({"databases": ["odd tables"], "options": options})
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        (facts,) = daemon.manifest(report["set"])["databases"]
        self.assertEqual(facts["fingerprint"], [{"schema": "public", "name": "kept", "rows": 1}])
        self.wait_until_nothing_is_left()

    def test_check_connect_tells_where_the_programs_are(self: Any) -> None:
        daemon = self.one(start=False)
        said = daemon.ctl("check", "--connect").out
        self.assertIn(f"in {self.bin}, {self.place}" if self.bin else self.place, said)
        self.assertIn("1 database to dump: shop", said)

    # --- what is told when it cannot be ---

    def fails(self: Any, daemon: Daemon) -> Any:
        report = daemon.run("job", check=False)
        self.assertEqual(report["status"], "FAILED", report)
        self.assertEqual(daemon.sets(), [])
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertEqual(checked.code, 1)
        self.assertIn(report["error"]["message"], checked.out)
        return report["error"]

    def test_a_wrong_password_is_told_and_not_shown(self: Any) -> None:
        daemon = self.one(password="not the one")
        error = self.fails(daemon)
        self.assertEqual(error["code"], "authentication_failed")
        self.assertNotIn("not the one", daemon.log())

    def test_no_programs_there(self: Any) -> None:
        empty = Path(self.server.directory, "empty")
        empty.mkdir(exist_ok=True)
        error = self.fails(self.one(client={**self.way, "bin": str(empty)}))
        self.assertEqual(error["code"], "client_missing")
        self.assertEqual(error["message"], f"no pg_dump and pg_dumpall for a server of PostgreSQL {self.server.major()} are "
                                           f"installed {self.place} in {empty}; found: none")  # fmt: skip
        self.assertIn("client.bin", error["hint"])

    def test_programs_that_are_older_than_the_server(self: Any) -> None:
        old = self.programs("old", 'echo "pg_dump (PostgreSQL) 9.6.24"\n')
        error = self.fails(self.one(client={**self.way, "bin": str(old)}))
        self.assertEqual(error["code"], "client_missing")
        self.assertIn(f"are installed {self.place} in {old}; found: 9 in {old}", error["message"])

    def test_a_program_that_is_killed_over_there(self: Any) -> None:
        daemon = self.one()
        run = self.start_held(daemon)
        os.kill(self.dumps()[0], signal.SIGKILL)
        self.assertEqual(self.ended(daemon, run)["status"], "FAILED")
        self.assertIn('pg_dump of "shop" failed: killed by signal 9 (SIGKILL)', daemon.log())

    # --- nothing is left, nothing is shown ---

    def test_the_password_is_in_no_command_line_log_report_or_manifest(self: Any) -> None:
        daemon = self.one()
        lock = self.hold_lock()
        run = daemon.ctl("--json", "run", "job").json["run"]
        lock.wait_for_dump()
        self.assertEqual(find_in_processes(SECRET, environment=False), [])
        (dump,) = self.dumps()
        allowed = {dump, *self.may_know(daemon)}
        shown = [line for line in find_in_processes(SECRET) if int(line.split("/")[2]) not in allowed]
        self.assertEqual(shown, [])
        lock.release()
        self.assertEqual(self.ended(daemon, run)["status"], "SUCCESS")
        for path in daemon.directory.rglob("*"):
            if path.is_file() and path != daemon.config_file:
                self.assertNotIn(SECRET.encode(), path.read_bytes(), path)

    def test_a_cancelled_run_leaves_nothing(self: Any) -> None:
        daemon = self.one()
        run = self.start_held(daemon)
        daemon.ctl("cancel", run)
        self.assertEqual(self.ended(daemon, run)["status"], "CANCELLED")
        self.wait_until_nothing_is_left()

    def test_the_program_here_is_killed_and_nothing_is_left_there(self: Any) -> None:
        daemon = self.one()
        run = self.start_held(daemon)
        (client,) = self.client_pids(daemon)
        os.kill(client, signal.SIGKILL)
        self.assertEqual(self.ended(daemon, run)["status"], "FAILED")
        self.wait_until_nothing_is_left()

    def test_the_daemon_is_killed_and_nothing_is_left_before_it_starts_again(self: Any) -> None:
        daemon = self.one()
        self.start_held(daemon)
        daemon.kill9()
        self.wait_until_nothing_is_left()
        daemon.start()
        self.assertEqual([entry["status"] for entry in daemon.ctl("--json", "runs").json["runs"]], ["INTERRUPTED"])

    def test_one_that_ignores_its_end_is_killed(self: Any) -> None:
        stubborn = self.programs("stubborn", 'case "$1" in --version) exec {real} --version;; esac\n'
                                             "exec /usr/bin/python3 -c 'import os, signal, sys\n"
                                             "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
                                             "os.execv(\"{real}\", [\"{real}\"] + sys.argv[1:])' \"$@\"\n")  # fmt: skip
        daemon = self.one(client={**self.way, "bin": str(stubborn)}, host=self.server.host)
        self.start_held(daemon)
        daemon.kill9()
        self.wait_until_nothing_is_left()


class Containers(BothWays, ClientCase):
    CTEST = {"cost": 25}

    way = {"docker": "erp_postgres"}
    place = "in container erp_postgres"
    bin: Path

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        directory = Path(cls.server.directory, "container-bin")
        directory.mkdir()
        for program in ("pg_dump", "pg_dumpall"):
            path = directory / program
            # The socket of the container's own server is where its build looks for it.
            path.write_text(f'#!/bin/sh\n[ "$PGHOST" ] || export PGHOST={cls.server.directory}\n'
                            f'exec {cls.server.bin}/{program} "$@"\n', encoding="utf-8")  # fmt: skip
            path.chmod(0o755)
        cls.bin = directory

    def setUp(self) -> None:
        super().setUp()
        self.docker = Docker(self.server.account)
        self.addCleanup(self.docker.close)
        self.docker.containers["erp_postgres"] = {"address": "127.0.0.1"}
        self.docker.save()
        self.addCleanup(self.check_stand_in)

    def check_stand_in(self) -> None:
        self.assertEqual(self.docker.refusals(), [])
        self.assertEqual(self.docker.bad_orphans(), [], "PostgreSQL as a container's first process would have restarted")

    def one_config(self, source: dict[str, Any] | None = None, **server: Any) -> dict[str, Any]:
        client = server.pop("client", {**self.way, "bin": str(self.bin)})
        return self.config(client, source, **server)

    def one(self, source: dict[str, Any] | None = None, *, start: bool = True, **server: Any) -> Daemon:
        daemon = self.new_daemon(self.one_config(source, **server), environment={"PATH": self.docker.path})
        return daemon.start() if start else daemon

    def is_client(self, words: list[str]) -> bool:
        return "exec" in words and any(word.endswith("/pg_dump") for word in words)

    def may_know(self, daemon: Daemon) -> list[int]:
        """docker's own processes: it takes the values from its environment. The stand-in's daemon is a copy of it, and waits
        for orphans a while."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and any(word.endswith("/stand-in.py") for word in command_line(int(entry.name))):
                    found.append(int(entry.name))
                    # sh and its guard, which have what docker gave them.
                    found += children(int(entry.name)) + [c for pid in children(int(entry.name)) for c in children(pid)]
            except OSError:
                continue
        return found

    def test_argv_is_what_docker_understands(self) -> None:
        daemon = self.one()
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")
        dump = next(words for words in self.docker.calls() if words[0] == "exec" and str(self.bin / "pg_dump") in words)
        names = [dump[i + 1] for i, word in enumerate(dump) if word == "-e"]
        self.assertLessEqual({"PGPASSWORD", "PGDATABASE", "PGAPPNAME", "PGUSER"}, set(names))
        self.assertEqual(dump[:2], ["exec", "-i"])
        self.assertEqual(dump[2 + 2 * len(names)], "erp_postgres")

    def test_a_container_without_address_needs_a_host(self) -> None:
        self.docker.containers["erp_postgres"] = {"mode": "none"}
        self.docker.save()
        error = self.fails(self.one())
        self.assertEqual(error["message"], "container erp_postgres has no address of its own (network none)")
        self.assertIn("give the server a host", error["hint"])
        # With one, docker is not asked; inside it leads to the same server.
        self.assertEqual(self.one(host="127.0.0.1").run("job")["status"], "SUCCESS")

    def test_a_container_in_several_networks_is_reached_by_the_one_that_answers(self) -> None:
        self.docker.containers["erp_postgres"] = {"networks": [{"address": "127.0.0.77"}, {}, {"address": "127.0.0.1"}]}
        self.docker.save()
        self.assertEqual(self.one().run("job")["status"], "SUCCESS")

    def test_a_container_that_does_not_run_or_is_not_there(self) -> None:
        rows: list[tuple[dict[str, Any], str, str]] = [
            ({"erp_postgres": {"state": "exited"}}, "unreachable", "container erp_postgres is not running: its state is exited"),
            ({}, "not_found", "there is no container erp_postgres"),
        ]  # fmt: skip
        for containers, code, message in rows:
            with self.subTest(message):
                self.docker.containers = containers
                self.docker.save()
                error = self.fails(self.one())
                self.assertEqual(error["code"], code)
                self.assertIn(message, error["message"])
        # With a host, it is the program that does not run.
        self.docker.containers = {"erp_postgres": {"state": "exited"}}
        self.docker.save()
        error = self.fails(self.one(host="127.0.0.1"))
        self.assertIn("container erp_postgres is not running", error["message"])
        self.assertEqual(error["hint"], "docker start erp_postgres")

    def test_docker_that_is_not_there_not_running_or_not_allowed(self) -> None:
        (self.docker.directory / "socket-denied").touch()
        error = self.fails(self.one())
        self.assertEqual(error["code"], "permission_denied")
        self.assertIn("SupplementaryGroups=docker", error["hint"])
        (self.docker.directory / "socket-denied").unlink()
        (self.docker.directory / "daemon-down").touch()
        error = self.fails(self.one())
        self.assertEqual(error["code"], "unreachable")
        self.assertIn("docker's daemon does not answer", error["message"])
        (self.docker.directory / "docker").unlink()
        error = self.fails(self.one())
        self.assertEqual(error["message"], "there is no program docker to reach container erp_postgres")

    def test_a_docker_that_tells_nothing_of_the_callers_death(self) -> None:
        """Then it is the server that ends what is left: at the run's end, or after a kill at the next start."""
        self.docker.containers["erp_postgres"] = {"address": "127.0.0.1", "keeps_input": True}
        self.docker.save()
        daemon = self.one()
        run = self.start_held(daemon)
        daemon.ctl("cancel", run)
        self.wait_until_nothing_is_left()
        self.lock.release()
        self.start_held(daemon)
        daemon.kill9()
        self.assertEqual(len(self.dumps()), 1)
        daemon.start()
        self.wait_until_nothing_is_left()


class Hosts(BothWays, ClientCase):
    CTEST = {"cost": 40}

    way = {"ssh": "db1"}
    place = "on host db1"
    bin = None
    host: SshHost

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.host = SshHost(cls.server.account)
        cls.addClassCleanup(cls.host.close)
        cls.host.start()

    def one_config(self, source: dict[str, Any] | None = None, **server: Any) -> dict[str, Any]:
        return self.config(server.pop("client", self.way), source, **{"host": self.server.host, **server})

    def one(self, source: dict[str, Any] | None = None, *, start: bool = True, **server: Any) -> Daemon:
        daemon = self.new_daemon(self.one_config(source, **server), environment={"PATH": self.host.path, "TMPDIR": "/tmp"})
        return daemon.start() if start else daemon

    def is_client(self, words: list[str]) -> bool:
        return words[0].endswith("ssh") and "-L" not in words

    def may_know(self, daemon: Daemon) -> list[int]:
        return []

    def left_directories(self) -> list[str]:
        found = []
        for path in Path("/tmp").glob("pgbakd-ssh-*"):
            try:
                if path.stat().st_uid == self.server.account.uid:
                    found.append(path.name)
            except OSError:
                continue
        return found

    def test_the_forward_ends_with_the_run_and_is_private(self) -> None:
        daemon = self.one()
        self.start_held(daemon)
        (forward,) = [pid for pid in children(daemon.pid) if "-L" in command_line(pid)]
        words = command_line(forward)
        socket = Path(words[words.index("-L") + 1].split(":")[0])
        self.assertEqual(socket.parent.stat().st_mode & 0o777, 0o700)
        self.assertEqual(socket.parent.stat().st_uid, self.server.account.uid)
        self.assertTrue(socket.is_socket())
        daemon.ctl("cancel", "job")
        daemon.wait_for(lambda: not socket.parent.exists(), what="the end of the forward")
        self.host.wait_until_nobody_is_in()

    def test_a_forward_that_a_killed_daemon_left_is_removed_by_the_next(self) -> None:
        daemon = self.one()
        self.start_held(daemon)
        (forward,) = [pid for pid in children(daemon.pid) if "-L" in command_line(pid)]
        words = command_line(forward)
        directory = Path(words[words.index("-L") + 1].split(":")[0]).parent
        daemon.kill9()
        self.wait_until_nothing_is_left()
        self.assertTrue(directory.exists())
        daemon.start()
        daemon.wait_for(lambda: not directory.exists(), what="what the kill had left")

    def test_by_an_address_as_the_other_host_sees_it(self) -> None:
        report = self.one(host="127.0.0.1").run("job")
        self.assertEqual(report["status"], "SUCCESS", report)

    def test_the_connection_is_cut(self) -> None:
        daemon = self.one()
        run = self.start_held(daemon)
        self.host.cut()
        self.assertEqual(self.ended(daemon, run)["status"], "FAILED")
        self.wait_until_nothing_is_left()
        self.host.wait_until_nobody_is_in()
        self.lock.release()
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")

    def test_the_connection_is_cut_and_the_next_attempt_succeeds(self) -> None:
        config = self.one_config()
        config["jobs"]["job"]["retries"] = {"attempts": 3, "backoff": "100ms"}
        daemon = self.new_daemon(config, environment={"PATH": self.host.path}).start()
        lock = self.hold_lock()
        run = daemon.ctl("--json", "run", "job").json["run"]
        lock.wait_for_dump()
        self.host.cut()
        daemon.wait_for_log("failed, ")
        lock.release()
        self.assertEqual(self.ended(daemon, run)["status"], "SUCCESS")

    def test_a_base_backup_goes_through_the_forward_and_ends_with_it(self) -> None:
        """No client program runs for one: the walsender's stream comes by the forward."""
        slow = {"type": "pg_basebackup", "server": "local", "max_rate": "1 MiB/s"}
        config = self.one_config()
        config["jobs"] = {
            name: {**config["jobs"]["job"], "source": source}
            for name, source in {"slow": slow, "whole": {"type": "pg_basebackup", "server": "local"}}.items()
        }
        daemon = self.new_daemon(config, environment={"PATH": self.host.path, "TMPDIR": "/tmp"}).start()
        self.assertIn("some ", daemon.ctl("check", "--connect").out)
        run = daemon.ctl("--json", "run", "slow").json["run"]
        streaming = "select count(*) from pg_stat_progress_basebackup where phase = 'streaming database files'"
        wait_for(lambda: self.server.sql(streaming) == "1", what="a base backup under way")
        self.host.cut()
        report = self.ended(daemon, run)
        self.assertEqual(report["status"], "FAILED")
        self.assertEqual(report["error"]["code"], "unreachable")
        wait_for(lambda: self.server.sql(streaming) == "0", what="the end of the walsender")
        wait_for(lambda: self.server.sql("select count(*) from pg_replication_slots") == "0", what="the end of its slot")
        report = daemon.run("whole")
        self.assertEqual(report["status"], "SUCCESS", report)
        names = sorted(re.sub(r"_\d{8}_\d{6}", "", artifact["file"]) for artifact in report["artifacts"])
        self.assertEqual(names, ["backup_manifest.json.gz", "base.tar.gz"])
        self.assertIn("good, decoded", daemon.ctl("verify", report["set"]).out)
        self.host.wait_until_nobody_is_in()
        self.assertEqual(self.left_directories(), [])

    def test_hosts_that_do_not_let_us_in(self) -> None:
        rows = [
            ("unknown", "authentication_failed", "the key of host unknown is not known", "known_hosts"),
            ("changed", "authentication_failed", "host changed shows another key", "known_hosts"),
            ("keyless", "authentication_failed", "host keyless does not let account", "authorized_keys"),
            ("closed", "unreachable", "host closed cannot be reached", "sudo -u"),
        ]
        for name, code, message, hint in rows:
            with self.subTest(name):
                error = self.fails(self.one(client={"ssh": name}))
                self.assertEqual(error["code"], code)
                self.assertIn(message, error["message"])
                self.assertIn(hint, error["hint"])

    def test_a_server_that_the_other_host_does_not_reach(self) -> None:
        error = self.fails(self.one(host="/nowhere"))
        self.assertEqual(error["code"], "unreachable")
        self.assertIn("ssh says: ", error["message"])
        self.assertIn("as the other host sees it", error["hint"])

    def test_ssh_that_is_not_installed(self) -> None:
        daemon = self.new_daemon(self.one_config(), environment={"PATH": "/nowhere"}).start()
        error = self.fails(daemon)
        self.assertEqual(error["message"], "there is no program ssh to reach host db1")


if __name__ == "__main__":
    unittest.main()
