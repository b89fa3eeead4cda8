"""Restores a set with nothing of pgbakd: by the commands of its manifest, as a person would type them."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

from support.daemon import Daemon
from support.postgres import PostgresServer
from support.process import run


def restore(test: unittest.TestCase, daemon: Daemon, name: str) -> PostgresServer:
    """A set of the repository into a new server, as restore_directory()."""
    return restore_directory(test, daemon, daemon.set_directory(name))


def restore_directory(test: unittest.TestCase, daemon: Daemon, directory: Path) -> PostgresServer:
    """Into a new server, which is gone with the test. Every command must succeed, but those for the globals."""
    other = PostgresServer()
    test.addCleanup(other.close)
    other.start()
    environment = other.environment()
    environment.pop("PGDATABASE")
    environment["PATH"] = f"{other.bin}:/usr/bin:/bin"
    check = run(["/usr/bin/sh", "-c", "sha256sum --check --quiet *.sha256"], daemon.account, directory=directory)
    test.assertEqual(check.code, 0, check.err)
    for command in json.loads((directory / "manifest.json").read_text(encoding="utf-8"))["stock_restore"]:
        done = run(["/usr/bin/sh", "-c", command], daemon.account, environment=environment, directory=directory)
        if "globals" not in command:
            test.assertEqual(done.code, 0, f"{command}: {done.err}")
    return other
