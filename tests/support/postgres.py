"""A PostgreSQL server of the test's own: its own data directory, its own socket, gone at the end.

    server = PostgresServer().start()
    test.addCleanup(server.close)
    server.sql("select 1")
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.process import (
    PATIENCE,
    Account,
    Outcome,
    base_environment,
    remove_directory,
    run,
    scratch_directory,
    spawn,
    stop_process,
    unprivileged_account,
    wait_for,
)

STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def installed_versions() -> dict[int, Path]:
    """Major version → directory of programs, of every server that Debian's packages have installed."""
    found = {}
    for directory in Path("/usr/lib/postgresql").glob("*/bin"):
        if directory.parent.name.isdigit() and (directory / "initdb").exists():
            found[int(directory.parent.name)] = directory
    return dict(sorted(found.items()))


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def quote_identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class PostgresServer:
    """One cluster, run by an unprivileged account.

    `auth` is the method of socket connections: trust, peer or scram-sha-256. TCP connections, if `tcp` is set, always
    need the password. Peer works for programs that run as `account`, whose name the superuser bears. Data is not
    fsynced unless a test asks with `settings={"fsync": "on"}`: only a crash of the machine would show the difference.
    """

    def __init__(
        self,
        *,
        version: int | None = None,
        auth: str = "trust",
        tcp: bool = False,
        settings: Mapping[str, str] | None = None,
        account: Account | None = None,
        password: str = "a secret of the test",
        initdb: Sequence[str] = (),
    ) -> None:
        versions = installed_versions()
        if not versions:
            raise RuntimeError("no PostgreSQL server is installed: packaging/dependencies server")
        self.version = version or max(versions)
        self.bin = versions[self.version]
        self.auth = auth
        self.account = account or unprivileged_account()
        self.superuser = self.account.name
        self.password = password
        self.tcp = tcp
        self.port = 5432
        self.directory = scratch_directory(self.account, "pgb-server-")
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.settings = {
            "fsync": "off",
            "shared_buffers": "32MB",
            "max_connections": "60",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._initdb(initdb)

    # --- life ---

    def _initdb(self, options: Sequence[str]) -> None:
        password_file = self.directory / "password"
        password_file.write_text(self.password + "\n", encoding="utf-8")
        if not self.account.is_current:
            os.chown(password_file, self.account.uid, self.account.gid)
        self.program(
            "initdb", "--no-sync", "--no-instructions", "-D", str(self.data), "-U", self.superuser,
            "--encoding=UTF8", "--locale=C.UTF-8", f"--auth-local={self.auth}", "--auth-host=scram-sha-256",
            f"--pwfile={password_file}", *options,
        ).check()  # fmt: skip
        password_file.unlink()

    def start(self) -> PostgresServer:
        """Starts the server and returns once it accepts connections."""
        assert not self.running, "it runs already"
        for attempt in range(3):
            if self.tcp:
                self.port = free_port()
            if self._start_once():
                return self
            # Between the choice of a port and its use another program may take it.
            if not self.tcp or "Address already in use" not in self.log_text() or attempt == 2:
                break
        self.stop("immediate")
        raise AssertionError(f"PostgreSQL {self.version} did not start:\n{self.log_text()}")

    def _start_once(self) -> bool:
        settings = {
            "listen_addresses": "127.0.0.1" if self.tcp else "",
            "unix_socket_directories": str(self.directory),
            "port": str(self.port),
            **self.settings,
        }
        argv = [str(self.bin / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self._process = spawn(argv, self.account, output=log, death_signal=signal.SIGQUIT)
        wait_for(lambda: self._ready() or not self.running, 180, "PostgreSQL's start")
        return self.running

    def _ready(self) -> bool:
        """As pg_ctl sees it: the eighth line of postmaster.pid."""
        assert self._process
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def stop(self, mode: str = "fast") -> None:
        """Shuts down smart, fast or immediate, as pg_ctl names it."""
        if self._process:
            stop_process(self._process, STOP_SIGNALS[mode], 180)
            self._process = None

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """Ends it as a crash would, and waits until its backends have noticed."""
        if not self._process:
            return
        self._process.kill()
        self._process.wait(PATIENCE)
        self._process = None
        wait_for(lambda: not self._processes(), what="the backends to end after their postmaster was killed")

    def _processes(self) -> list[int]:
        """Processes of this cluster: each has the data directory as its working directory."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if os.readlink(entry / "cwd") == str(self.data):
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def close(self) -> None:
        """Stops it and removes everything; may be called twice."""
        try:
            self.stop("immediate")
        finally:
            remove_directory(self.directory)

    def __enter__(self) -> PostgresServer:
        return self if self.running else self.start()

    def __exit__(self, *_error: object) -> None:
        self.close()

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    # --- use ---

    @property
    def host(self) -> str:
        """What `host` of a configuration's server is set to: the socket's directory."""
        return str(self.directory)

    def environment(self, database: str = "postgres", *, tcp: bool = False) -> dict[str, str]:
        """PG* variables with which any client program reaches the server as its superuser."""
        found = base_environment(
            PGHOST="127.0.0.1" if tcp else self.host,
            PGPORT=str(self.port),
            PGUSER=self.superuser,
            PGDATABASE=database,
            PGCONNECT_TIMEOUT="60",
        )
        if tcp or self.auth == "scram-sha-256":
            found["PGPASSWORD"] = self.password
        return found

    def program(self, name: str, *arguments: str, database: str = "postgres", timeout: float = 300) -> Outcome:
        """Runs a client program of the server's version (pg_dump, pg_restore, createdb …) as the account."""
        return run([self.bin / name, *arguments], self.account, environment=self.environment(database), timeout=timeout)

    def sql(self, query: str, database: str = "postgres", *, role: str | None = None, timeout: float = 300) -> str:
        """Runs SQL through psql's standard input (so it is in no command line); rows as text, `|` between columns."""
        argv = [str(self.bin / "psql"), "-AtXq", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        environment = self.environment(database)
        if role:
            environment["PGUSER"] = role
        done = run(argv, self.account, environment=environment, text=query, timeout=timeout)
        if done.code != 0:
            raise AssertionError(f"psql {database}: exit {done.code}: {done.err.strip()}\n{query[:2000]}")
        return done.out.rstrip("\n")

    def rows(self, query: str, database: str = "postgres") -> list[list[str]]:
        found = self.sql(query, database)
        return [line.split("|") for line in found.split("\n")] if found else []

    def createdb(self, name: str, *, owner: str | None = None, options: str = "") -> str:
        """Creates a database of any name and returns the name."""
        owned = f" owner {quote_identifier(owner)}" if owner else ""
        self.sql(f"create database {quote_identifier(name)}{owned} {options}")
        return name

    def dropdb(self, name: str) -> None:
        self.sql(f"drop database if exists {quote_identifier(name)} with (force)")

    def databases(self) -> list[str]:
        found = self.sql("select datname from pg_database where datallowconn and not datistemplate order by 1")
        return found.split("\n") if found else []

    def backends(self, like: str = "%") -> list[dict[str, str]]:
        """Client backends but our own, by application_name: what a dump left behind shows here."""
        columns = ("pid", "datname", "application_name", "state", "query")
        one_line = ", ".join(f"translate(coalesce({column}::text, ''), chr(10), ' ')" for column in columns)
        query = f"""select {one_line} from pg_stat_activity
            where backend_type = 'client backend' and pid <> pg_backend_pid()
            and application_name like {quote_literal(like)} order by pid"""
        return [dict(zip(columns, line.split("|", len(columns) - 1))) for line in self.sql(query).split("\n") if line]

    def wait_until_idle(self, timeout: float = PATIENCE) -> None:
        """Waits until nobody but us is connected."""
        wait_for(lambda: not self.backends(), timeout, "the last client to disconnect")

    def counts(self, database: str) -> dict[str, int]:
        """Rows of every table as `schema.table`, and of large objects as `large objects`."""
        tables = self.sql(
            """select format('select %L || ''|'' || count(*) from only %I.%I;',
                             n.nspname || '.' || c.relname, n.nspname, c.relname)
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1""",
            database,
        )
        lines = self.sql(tables + "\nselect 'large objects|' || count(*) from pg_largeobject_metadata;", database)
        return {name: int(number) for name, _, number in (line.rpartition("|") for line in lines.split("\n"))}

    def major(self) -> int:
        found = re.match(r"\d+", self.sql("show server_version"))
        assert found
        return int(found.group())
