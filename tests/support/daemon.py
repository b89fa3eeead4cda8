"""The daemon under test, with a configuration, a repository and a notify socket of its own.

    daemon = Daemon(config_for(server, jobs={"shop": {...}})).start()
    test.addCleanup(daemon.close)
    report = daemon.run("shop")
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

from support.notify import NotifySocket
from support.postgres import PostgresServer
from support.process import (
    PATIENCE,
    Account,
    base_environment,
    remove_directory,
    run,
    scratch_directory,
    spawn,
    stop_process,
    unprivileged_account,
    wait_for,
)

T = TypeVar("T")
# Patience costs nothing when all is well: these are for a machine that is twenty times slower.
START_TIMEOUT = 180.0
STOP_TIMEOUT = 180.0


def programs_directory(account: Account) -> Path:
    """Where pgbakd and pgbakctl are, as a directory that the account can run them from.

    A clone below /root cannot be read by anyone else; the programs are copied then.
    """
    top = Path(__file__).resolve().parents[2]
    built = Path(os.environ.get("PGBAKD_BIN_DIR", top / "build" / "dev" / "daemon"))
    for name in ("pgbakd", "pgbakctl"):
        if not (built / name).exists():
            raise AssertionError(f"{built / name} is not built")
    if account.is_current or run(["test", "-x", built / "pgbakd"], account).code == 0:
        return built
    copies = scratch_directory(account, "pgb-bin-")
    for name in ("pgbakd", "pgbakctl"):
        shutil.copy(built / name, copies / name)
        os.chmod(copies / name, 0o755)
    return copies


def server_config(server: PostgresServer, *, tcp: bool = False) -> dict[str, Any]:
    """The entry of `servers` for a server of the test."""
    found: dict[str, Any] = {
        "host": "127.0.0.1" if tcp else server.host,
        "port": server.port,
        "user": server.superuser,
    }
    if tcp or server.auth == "scram-sha-256":
        found["password"] = server.password
    return found


def fire_far_away() -> str:
    """A schedule that is not due in the months around now: what runs, runs because the test asked."""
    return f"yearly on {datetime.now(timezone.utc) + timedelta(days=180):%m}-15 at 12:00"


def hourly_away_from_now() -> str:
    """Once an hour, half an hour from now: a test near the full hour sees the fires that one in mid-hour sees."""
    return f"hourly at :{(datetime.now(timezone.utc) + timedelta(minutes=30)).minute:02}"


def config_for(server: PostgresServer, *, jobs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A configuration with the server as `local`; jobs need no schedule, they then run only when asked."""
    filled = {name: {"schedule": fire_far_away(), **job} for name, job in jobs.items()}
    return {"timezone": "UTC", "servers": {"local": server_config(server)}, "jobs": filled, **more}


@dataclass(frozen=True)
class Answer:
    """What pgbakctl said."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise AssertionError(f"{self}: not JSON: {error}") from None

    def __str__(self) -> str:
        return f"{' '.join(self.argv)}: exit {self.code}\n{self.out}{self.err}"


class Daemon:
    """One daemon. `config` is a dictionary, or the text of a YAML file; close() stops it and removes all.

    In a dictionary, the repository, the reports and the control socket are put into the daemon's own directory unless
    it says otherwise. JSON is YAML too, so that is how a dictionary is written. A text may use `{directory}`.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | str,
        *,
        account: Account | None = None,
        environment: Mapping[str, str] | None = None,
        watchdog_seconds: float | None = None,
        directory: Path | None = None,
    ) -> None:
        self.account = account or unprivileged_account()
        self.bin = programs_directory(self.account)
        self.directory = directory or scratch_directory(self.account, "pgb-daemon-")
        self.config_file = self.directory / "pgbakd.yaml"
        self.log_file = self.directory / "log"
        self.notify = NotifySocket(self.directory / "notify")
        self.extra_environment = dict(environment or {})
        if watchdog_seconds is not None:
            self.extra_environment["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1e6))
        self.before_exec: Callable[[], None] | None = None  # called in the child of the next launch (gate.Gate)
        self._process: subprocess.Popen[bytes] | None = None
        self.write_config(config)

    # --- configuration ---

    def write_config(self, config: Mapping[str, Any] | str, *, mode: int = 0o600) -> None:
        if isinstance(config, str):
            text = config.replace("{directory}", str(self.directory))
        else:
            text = json.dumps(self._with_directories(config), indent=2, ensure_ascii=False) + "\n"
        self.config_file.write_text(text, encoding="utf-8")
        os.chmod(self.config_file, mode)
        if not self.account.is_current:
            os.chown(self.config_file, self.account.uid, self.account.gid)

    def _with_directories(self, config: Mapping[str, Any]) -> dict[str, Any]:
        full = copy.deepcopy(dict(config))
        # The defaults of 5 GiB and 80 % would make tests depend on how full the machine's disk is.
        full["health"] = {"disk_usage": "100%", **full.get("health", {})}
        full["repository"] = {"directory": str(self.repository), "min_free": "1 MiB", **full.get("repository", {})}
        full["reports"] = {"directory": str(self.reports), **full.get("reports", {})}
        full["api"] = {"socket": str(self.control_socket), **full.get("api", {})}
        return full

    @property
    def repository(self) -> Path:
        return self.directory / "state" / "repository"

    @property
    def reports(self) -> Path:
        return self.directory / "state" / "reports"

    @property
    def control_socket(self) -> Path:
        return self.directory / "control.sock"

    # --- life ---

    def start(self, *, wait: bool = True) -> Daemon:
        """Starts it and returns when it has said READY=1."""
        ready = self.notify.count("READY")
        self.launch()
        if wait:
            wait_for(lambda: self.notify.count("READY") > ready or not self.running, START_TIMEOUT, "READY=1")
            if not self.running:
                raise AssertionError(f"pgbakd ended with {self.exit_code}:\n{self.log()}")
        return self

    def launch(self) -> None:
        """Starts it without waiting for anything: for starts that are meant to fail."""
        assert not self.running, "it runs already"
        state = self.directory / "state"
        if not state.exists():
            state.mkdir(mode=0o700)
            if not self.account.is_current:
                os.chown(state, self.account.uid, self.account.gid)
        with self.log_file.open("ab") as log:
            self._process = spawn(
                [self.bin / "pgbakd", "--config", self.config_file],
                self.account,
                environment=self.environment(NOTIFY_SOCKET=str(self.notify.path)),
                directory=self.directory,
                output=log,
                before_exec=self.before_exec,
            )

    def environment(self, **more: str) -> dict[str, str]:
        return base_environment(HOME=str(self.directory), **self.extra_environment, **more)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def wait(self, timeout: float = STOP_TIMEOUT) -> int:
        """Waits for it to end by itself and returns its exit code."""
        assert self._process
        return self._process.wait(timeout)

    def stop(self, timeout: float = STOP_TIMEOUT) -> int:
        """SIGTERM, as systemctl stop does, and its exit code."""
        assert self._process
        return stop_process(self._process, signal.SIGTERM, timeout)

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def kill9(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait(STOP_TIMEOUT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """Stops it, kills it if need be, and removes everything; may be called twice."""
        try:
            if self.running:
                self.stop()
        finally:
            self.notify.close()
            remove_directory(self.directory)

    def __enter__(self) -> Daemon:
        return self if self.running else self.start()

    def __exit__(self, *_error: object) -> None:
        self.close()

    # --- use ---

    def log(self) -> str:
        """All that it wrote to standard error."""
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def ctl(
        self,
        *arguments: str | os.PathLike[str],
        check: bool = True,
        timeout: float = 300,
        account: Account | None = None,
    ) -> Answer:
        """Runs pgbakctl with this daemon's configuration; with `check` any exit code but 0 fails the test."""
        argv = [self.bin / "pgbakctl", "--config", self.config_file, *arguments]
        done = run(
            argv, account or self.account, environment=self.environment(), directory=self.directory, timeout=timeout
        )
        answer = Answer(("pgbakctl", *(os.fspath(argument) for argument in arguments)), done.code, done.out, done.err)
        if check and done.code != 0:
            raise AssertionError(f"{answer}\nlog of the daemon:\n{self.log()}")
        return answer

    def run(self, job: str, *, check: bool = True, timeout: float = 300) -> Any:
        """Runs a job to its end and returns its report (the keys of `run` in the interface)."""
        return self.ctl("--json", "run", job, "--wait", check=check, timeout=timeout).json

    def status(self) -> Any:
        return self.ctl("--json", "status").json

    def sets(self, *arguments: str) -> list[dict[str, Any]]:
        """The sets as `list` shows them, newest first."""
        found: list[dict[str, Any]] = self.ctl("--json", "list", *arguments).json["sets"]
        return found

    def set_directory(self, name: str) -> Path:
        """Where a set, named job/20260113_000001, lies on the disk."""
        return self.repository / name

    def manifest(self, name: str) -> Any:
        return json.loads((self.set_directory(name) / "manifest.json").read_text(encoding="utf-8"))

    def reload_once_at(self, config: Mapping[str, Any], job: str, seconds: float) -> datetime | None:
        """The job becomes one with a single fire, so many seconds from now. Nothing: that time came before the answer."""
        at = (datetime.now(timezone.utc) + timedelta(seconds=seconds)).replace(microsecond=0)
        changed = copy.deepcopy(dict(config))
        changed["jobs"][job]["schedule"] = f"calendar {at:%Y-%m-%d %H:%M:%S}"
        self.write_config(changed)
        answer = self.ctl("reload", check=False)
        if datetime.now(timezone.utc) >= at:
            return None
        if answer.code != 0:
            raise AssertionError(f"{answer}")
        return at

    def partial_directories(self) -> list[Path]:
        """What runs in flight, or crashes, have in the repository."""
        return sorted(self.repository.glob("*/.*.partial"))

    def wait_for(self, condition: Callable[[], T], timeout: float = PATIENCE, what: str = "the condition") -> T:
        """As process.wait_for; the failure carries the daemon's log."""
        try:
            return wait_for(condition, timeout, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\nlog of the daemon:\n{self.log()}") from None

    def wait_for_log(self, text: str, timeout: float = PATIENCE) -> None:
        self.wait_for(lambda: text in self.log(), timeout, f'"{text}" in the log')
