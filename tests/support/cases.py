"""What test classes begin with: a server that all tests of a class share, and daemons that are gone with their test."""

from __future__ import annotations

import unittest
from typing import Any

from support.daemon import Daemon, config_for
from support.postgres import PostgresServer


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
