"""Servers that many test processes share: started once, and gone with the process that they were started for.

A module that has such a server ends with `main(start)`, and is run as

    rgw.py start DIRECTORY [PID]    until it serves; it lives as long as process PID (the caller, unless named)
    rgw.py stop DIRECTORY [PID]     ends it, and returns when it is gone

DIRECTORY gets a file PID.NAME with what has to be known of it, one `name=value` per line; or with one line,
`skipped=REASON`, where this machine cannot have it. ctest starts it for its own process before the first test that wants
it and stops it after the last; should ctest be killed, the server notices by itself and goes.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import traceback
import unittest
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol


class Server(Protocol):
    """What can be shared."""

    def facts(self) -> Mapping[str, str]: ...

    def close(self) -> None: ...


def write_whole(path: Path, text: str) -> None:
    """Whoever sees the file sees all of it. It holds passwords, though of no worth."""
    partial = path.with_name(path.name + ".partial")
    partial.touch(mode=0o600)
    partial.write_text(text, encoding="utf-8")
    partial.rename(path)


def wait_until_gone(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    select.select([descriptor], [], [])
    os.close(descriptor)


def keep(make: Callable[[], Server], path: Path, pid: int) -> None:
    """In the process that has the server: until `pid` has ended, or somebody asks it to stop."""
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    owner = os.pidfd_open(pid)
    server = None
    try:
        server = make()
        facts = {"pid": str(os.getpid()), **server.facts()}
        write_whole(path, "".join(f"{name}={value}\n" for name, value in facts.items()))
        print("ready", flush=True)
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # whoever started us waits for the end of our output
        os.dup2(1, 2)
        select.select([owner, wake], [], [])
    except unittest.SkipTest as reason:
        write_whole(path, f"skipped={reason}\n")
        print(f"SKIPPED: {reason}", flush=True)
    finally:
        if server:
            path.unlink(missing_ok=True)
            server.close()


def start(make: Callable[[], Server], path: Path, pid: int) -> int:
    """Returns when the server of a child serves, or cannot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        os.close(reader)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.close(writer)
        try:
            keep(make, path, pid)
        except BaseException:  # noqa: BLE001 - whatever it was, whoever waits has to see it
            traceback.print_exc()
            sys.exit(1)
        sys.exit(0)  # not os._exit: what was left behind is removed as the interpreter ends
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8", errors="replace") as output:
        text = output.read()
    print(text, end="", flush=True)
    return 0 if path.exists() else 1


def stop(path: Path) -> int:
    if not path.exists():
        return 0
    facts = dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines())
    path.unlink(missing_ok=True)
    if "pid" in facts:
        try:
            os.kill(int(facts["pid"]), signal.SIGTERM)
        except ProcessLookupError:
            return 0
        wait_until_gone(int(facts["pid"]))
    return 0


def need_programs(*programs: str) -> None:
    """Skips where one of them is missing, or where we are not root."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("starting this server needs root")
    for program in programs:
        if subprocess.run(["which", program], capture_output=True, check=False).returncode != 0:
            raise unittest.SkipTest(f"{program} is not installed: packaging/dependencies test")


def main(name: str, make: Callable[[], Server]) -> int:
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in ("start", "stop"):
        print(f"usage: {sys.argv[0]} start|stop DIRECTORY [PID]", file=sys.stderr)
        return 2
    pid = int(sys.argv[3]) if len(sys.argv) == 4 else os.getppid()
    path = Path(sys.argv[2]).absolute() / f"{pid}.{name}"
    return start(make, path, pid) if sys.argv[1] == "start" else stop(path)
