"""A server of one or more programs on loopback, with all that it has in one directory: how rgw.py, swift.py and sftp.py start
and end theirs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

from support.process import Account, remove_directory, spawn, stop_process, wait_for

IPV6 = "::1"


def free_ipv6_port() -> int:
    """A TCP port of ::1 that nothing listens on at the moment; 0: this machine has no IPv6 on its loopback."""
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind((IPV6, 0))
            return int(listener.getsockname()[1])
    except OSError:
        return 0


class Programs:
    """launch() is what a kind of server adds. Whatever goes wrong in it, what the programs wrote is shown and none is left."""

    death_signal = signal.SIGTERM  # of each program, should the test be killed

    def __init__(self, account: Account, directory: Path) -> None:
        self.account = account
        self.directory = directory
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> Self:
        try:
            self.launch()
        except BaseException:
            print(self.log_text(), file=sys.stderr, flush=True)
            self.close()
            raise
        return self

    def launch(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """What it holds goes with its directory: nothing needs an orderly end."""
        for name in reversed(list(self._children)):
            child = self._children.pop(name)
            try:
                os.killpg(child.pid, signal.SIGKILL)  # with its workers: each program is a session of its own
            except ProcessLookupError:
                pass
            stop_process(child, signal.SIGKILL, 30)
        remove_directory(self.directory)

    def log_text(self) -> str:
        found = []
        for path in sorted(self.directory.glob("*.out")):
            found.append(f"--- {path.name}\n{path.read_text(encoding='utf-8', errors='replace')[-3000:]}")
        return "\n".join(found)

    def spawn(self, name: str, *argv: str | os.PathLike[str], account: Account | None = None) -> None:
        with (self.directory / f"{name}.out").open("ab") as output:
            self._children[name] = spawn(argv, account or self.account, output=output, death_signal=self.death_signal)

    def wait_until_it_listens(self, port: int, host: str = "127.0.0.1") -> None:
        def answers() -> bool:
            for name, child in self._children.items():
                if child.poll() is not None:
                    raise AssertionError(f"{name} ended with {child.returncode}")
            try:
                socket.create_connection((host, port), timeout=5).close()
            except OSError:
                return False
            return True

        wait_for(answers, what=f"a listener on port {port} of {host}")
