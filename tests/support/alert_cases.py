"""What tests of alerts begin with: daemons that tell people, and the services that they tell."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from typing import Any

from support.alerts import AlertServices
from support.cases import ServerCase
from support.daemon import Daemon


class AlertCase(ServerCase):
    """Daemons that tell people, and the services that they tell."""

    shop_rows = 1000

    def setUp(self) -> None:
        self.services = AlertServices()
        self.addCleanup(self.services.close)

    def job(self, database: str = "shop", **more: Any) -> dict[str, Any]:
        source = {"type": "pg_dump", "server": "local", "databases": [database]}
        return {"source": source, "retries": {"attempts": 1}, **more}

    def mail(self) -> dict[str, Any]:
        os.chmod(self.services.directory, 0o755)
        os.chmod(self.services.directory / "authority.pem", 0o644)
        return {
            "type": "mail", "url": f"smtps://localhost:{self.services.ports['smtps']}", "from": "pgbakd@example.com",
            "user": "u", "password": "a-password", "to": ["dba@example.com"], "min_severity": "info",
            "ca_file": str(self.services.directory / "authority.pem"),
        }  # fmt: skip

    def daemon(self, alerts: dict[str, Any], jobs: dict[str, Any] | None = None, **more: Any) -> Daemon:
        return self.start_daemon(jobs or {"shop": self.job()}, alerts=alerts, **more)

    def waiting(self, daemon: Daemon) -> int:
        return int(daemon.status()["alerts"]["waiting"])

    def reload(self, daemon: Daemon, edit: Callable[[dict[str, Any]], None]) -> None:
        config = json.loads(daemon.config_file.read_text(encoding="utf-8"))
        edit(config)
        daemon.write_config(config)
        daemon.ctl("reload")

    def in_catalog(self, daemon: Daemon, statement: str) -> None:
        with sqlite3.connect(daemon.directory / "state" / "state.db", timeout=60) as state:
            state.execute(statement)
        state.close()

    def wait_until_told(self, daemon: Daemon) -> None:
        daemon.wait_for(lambda: self.waiting(daemon) == 0, what="an empty outbox")
