"""What tests do with copies that are owed."""

from __future__ import annotations

import sqlite3

from support.daemon import Daemon


def forget_pauses(daemon: Daemon) -> None:
    """As if the pauses before the next attempts had passed. The daemon is stopped."""
    with sqlite3.connect(daemon.repository.parent / "state.db") as connection:
        connection.execute("update copies set next_attempt = 0 where owed")
    connection.close()
