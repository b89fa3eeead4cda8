"""Accounts, directories and children of tests: everything is gone when the test is, however it ended."""

from __future__ import annotations

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

T = TypeVar("T")
PR_SET_PDEATHSIG = 1
PATIENCE = 120.0  # seconds: what a condition is given on a slow machine; it costs nothing when all is well
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """Whom programs run as: PostgreSQL refuses root, and the daemon is not meant to be root either."""

    name: str
    uid: int
    gid: int

    @property
    def is_current(self) -> bool:
        return self.uid == os.geteuid()


def current_account() -> Account:
    entry = pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def unprivileged_account() -> Account:
    """The caller, or when that is root the account of Debian's PostgreSQL package, or nobody."""
    if os.geteuid() != 0:
        return current_account()
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise RuntimeError("there is neither a user postgres nor a user nobody")


def scratch_directory(account: Account, prefix: str = "pgb-") -> Path:
    """A directory of the account, removed when the interpreter ends.

    It lies directly below /tmp, because the path of a Unix socket may have 107 bytes at most.
    """
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp" if os.access("/tmp", os.W_OK) else None))
    if not account.is_current:
        os.chown(directory, account.uid, account.gid)
    atexit.register(remove_directory, directory)
    return directory


def remove_directory(directory: Path) -> None:
    """Removes it with all that is in it; tests leave read-only directories behind."""

    def make_writable(function: Callable[..., Any], path: str, _error: object) -> None:
        try:
            # Never what it lies in: that is everybody's.
            if Path(path) != directory:
                os.chmod(os.path.dirname(path), 0o700)
            function(path)
        except OSError:
            pass

    if directory.exists():
        shutil.rmtree(directory, onerror=make_writable)


def _die_with_parent(number: int, before_exec: Callable[[], None] | None = None) -> Callable[[], None]:
    """Run in the child: a test that is killed cannot clean up, so its children must go by themselves."""

    def prepare() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if before_exec:
            before_exec()

    return prepare


def spawn(
    argv: Sequence[str | os.PathLike[str]],
    account: Account,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
    errors: IO[bytes] | int = subprocess.STDOUT,
    death_signal: int = signal.SIGTERM,
    before_exec: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a program as an account, in a session of its own: Ctrl-C is for the test, which then stops it in order."""
    who: dict[str, Any] = {}
    if not account.is_current:
        who = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(
        [os.fspath(argument) for argument in argv],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        cwd=directory or "/",
        env=dict(environment) if environment is not None else base_environment(),
        start_new_session=True,
        preexec_fn=_die_with_parent(death_signal, before_exec),
        **who,
    )


@dataclass(frozen=True)
class Outcome:
    """What a finished program left."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    def check(self) -> Outcome:
        if self.code != 0:
            raise AssertionError(f"{' '.join(self.argv)}: exit {self.code}\n{self.out}{self.err}")
        return self


def run(
    argv: Sequence[str | os.PathLike[str]],
    account: Account,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    text: str | None = None,
    timeout: float = 300,
) -> Outcome:
    """Runs a program as an account to its end; it is killed if that takes longer than the timeout (seconds)."""
    who: dict[str, Any] = {}
    if not account.is_current:
        who = {"user": account.uid, "group": account.gid, "extra_groups": []}
    words = [os.fspath(argument) for argument in argv]
    done = subprocess.run(
        words,
        input="" if text is None else text,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        cwd=directory or "/",
        env=dict(environment) if environment is not None else base_environment(),
        timeout=timeout,
        check=False,
        preexec_fn=_die_with_parent(signal.SIGKILL),
        **who,
    )
    return Outcome(tuple(words), done.returncode, done.stdout, done.stderr)


def base_environment(**more: str) -> dict[str, str]:
    """An environment without the caller's PG* variables, locale and secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ", "ASAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ}
    return {**kept, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **more}


def wait_for(condition: Callable[[], T], timeout: float = PATIENCE, what: str = "the condition") -> T:
    """Asks until the condition gives something true, and returns that; AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = 0.005
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"after {timeout:g} s still waiting for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def stop_process(process: subprocess.Popen[bytes], number: int, timeout: float) -> int:
    """Sends a signal and waits; what does not end in time is killed with its whole session. Returns the exit code."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            raise AssertionError(f"process {process.pid} did not end within {timeout:g} s of signal {number}") from None
    return process.returncode
