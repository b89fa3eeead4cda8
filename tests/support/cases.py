"""What test classes begin with: a server that all tests of a class share, and daemons that are gone with their test."""

from __future__ import annotations

import subprocess
import unittest
from typing import Any

from support.daemon import Daemon, config_for
from support.postgres import PostgresServer
from support.process import wait_for


class Lock:
    """A session that locks table t of a database: a dump of it waits, and so its run is certainly in the middle."""

    def __init__(self, server: PostgresServer, database: str = "shop") -> None:
        self._server = server
        self._holder = subprocess.Popen(
            [server.bin / "psql", "-qX"], env={**server.environment(database), "PGAPPNAME": "holder"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            user=server.account.uid if not server.account.is_current else None,
        )  # fmt: skip
        assert self._holder.stdin and self._holder.stdout
        self._holder.stdin.write(b"begin; lock table t in access exclusive mode;\n\\echo locked\n")
        self._holder.stdin.flush()
        if self._holder.stdout.readline() != b"locked\n":
            raise AssertionError("the table could not be locked")

    def wait_for_dump(self) -> None:
        """Until a dump waits for the lock."""
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'pgbakd/%'"
        wait_for(lambda: self._server.sql(waiting) != "0", what="a dump that waits for the lock")

    def release(self) -> None:
        """May be called twice, and after the server has gone."""
        if self._holder.poll() is None:
            self._holder.communicate()  # psql ends with its input, and its session with it
        if self._server.running:
            wait_for(lambda: not self._server.backends("holder"), what="the end of the session that held the lock")


class ServerCase(unittest.TestCase):
    """A server for all tests of a class. With `shop_rows`, it has a database shop with a table t of so many."""

    server: PostgresServer
    shop_rows = 0

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = PostgresServer()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        if cls.shop_rows:
            cls.server.createdb("shop")
            cls.server.sql(f"create table t as select i, md5(i::text) body from generate_series(1, {cls.shop_rows}) i", "shop")

    def new_daemon(self, config: dict[str, Any] | str, **more: Any) -> Daemon:
        """One that was not started yet."""
        found = Daemon(config, **more)
        self.addCleanup(found.close)
        return found

    def start_daemon(self, jobs: dict[str, Any], **more: Any) -> Daemon:
        """One with these jobs; `more` are other sections of its configuration."""
        return self.new_daemon(config_for(self.server, jobs=jobs, **more)).start()

    def hold_lock(self, database: str = "shop") -> Lock:
        found = Lock(self.server, database)
        self.addCleanup(found.release)
        return found


class LifeCase(ServerCase):
    """A daemon with one small job, named job."""

    shop_rows = 1000

    def config(self, **job: Any) -> dict[str, Any]:
        base = {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}}
        return config_for(self.server, jobs={"job": {**base, **job}})

    def daemon(self, config: dict[str, Any] | None = None, **more: Any) -> Daemon:
        return self.new_daemon(config or self.config(), **more)

    def start_stuck_run(self, daemon: Daemon, lock: Lock) -> str:
        """A run that waits for the lock, and goes on when it is released."""
        run: str = daemon.ctl("--json", "run", "job").json["run"]
        lock.wait_for_dump()
        return run
