"""A TDengine server and its client programs for tests: all of them stand-ins, as no package of Debian has the real ones.

    server = TdengineServer({"market": database(stables={"ticks": {"d0": rows(100)}})}).start()
    test.addCleanup(server.close)
    config = {"servers": {"ticks": server.config(programs)}, ...}
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.process import Account, scratch_directory, wait_for

PASSWORD = "sesame-of-ticks"
SUPPORT = Path(__file__).resolve().parent


def rows(count: int, begin: int = 0) -> list[list[int]]:
    return [[1_700_000_000_000 + begin + i, i * 7919 % 10_007] for i in range(count)]


def database(
    stables: dict[str, dict[str, list[list[int]]]] | None = None, tables: dict[str, list[list[int]]] | None = None
) -> dict[str, Any]:
    return {"stables": stables or {}, "tables": tables or {}}


def programs(account: Account, wrapper: str = "", without: str = "") -> Path:
    """A directory with taosdump and taos for `servers.NAME.client.bin`. `wrapper`: a bash script in taosdump's place,
    in which {real} is taosdump; `without`: one that is missing."""
    directory = scratch_directory(account, "pgb-taos-")
    for name in {"taosdump", "taos"} - {without}:
        shutil.copy(SUPPORT / name, directory / name)
        os.chmod(directory / name, 0o755)
    if wrapper:
        real = directory / "real-taosdump"
        (directory / "taosdump").rename(real)
        guard = f'case "$1" in -V) exec {real} -V;; esac\n'
        (directory / "taosdump").write_text("#!/bin/bash\n" + guard + wrapper.replace("{real}", str(real)) + "\n", encoding="utf-8")
        os.chmod(directory / "taosdump", 0o755)
    os.chmod(directory, 0o755)
    return directory


class TdengineServer:
    def __init__(self, databases: dict[str, Any]) -> None:
        self._databases = databases
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> TdengineServer:
        self._process = subprocess.Popen(
            [sys.executable, "-B", SUPPORT / "tdengine_server.py"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._process.stdout
        self.port = int(self._process.stdout.readline().removeprefix(b"port="))
        self.control(users={"root": PASSWORD}, databases=self._databases)
        return self

    def stop(self) -> None:
        """At once, as when it is killed."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        if self._process:
            self.stop()
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    stream.close()
            self._process = None

    def config(self, bin_directory: Path) -> dict[str, Any]:
        return {
            "type": "tdengine",
            "host": "127.0.0.1",
            "port": self.port,
            "user": "root",
            "password": PASSWORD,
            "client": {"bin": str(bin_directory)},
        }

    def control(self, **change: Any) -> dict[str, Any]:
        with socket.create_connection(("127.0.0.1", self.port)) as connection, connection.makefile("rw") as file:
            file.write(json.dumps({"op": "control", **change}) + "\n")
            file.flush()
            answer: dict[str, Any] = json.loads(file.readline())
            return answer

    def misbehave(self, **faults: Any) -> None:
        """Until it is told otherwise; without any it is good again."""
        self.control(faults=faults)

    @property
    def databases(self) -> dict[str, Any]:
        found: dict[str, Any] = self.control()["databases"]
        return found

    def wait_stalled(self) -> None:
        """Until a dump waits for rows, after misbehave(stall=True)."""
        wait_for(lambda: self.control()["stalled"] > 0, what="a dump that waits for rows")
