"""A Debian system that boots: a real systemd as PID 1 of a container of systemd-nspawn, on a host whose own PID 1 need not
be systemd. Root only.

    with BootedSystem("bookworm", packages=["postgresql"]) as system:
        system.run("systemctl", "status")

The base system is made once for each list of packages and kept in the build directory; what a test changes is in a layer
above it, which goes with the test. The container has a network of its own, with a loopback alone. What is learnt of
nspawn without systemd stands where it is used.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from support.process import wait_for

TOP = Path(__file__).resolve().parents[2]
BASES = Path(os.environ.get("PGBAKD_BUILD_DIR", TOP / "build/dev")).parent / "systems"
# What every base has beside systemd: enough to look around.
USUAL = ("systemd", "systemd-sysv", "dbus", "libpam-systemd", "libnss-systemd", "procps", "iproute2", "init-system-helpers")
CGROUPS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TERM": "dumb", "LANG": "C.UTF-8",
    "SYSTEMD_PAGER": "cat", "SYSTEMD_COLORS": "0", "DEBIAN_FRONTEND": "noninteractive",
}  # fmt: skip


def why_not() -> str:
    """What keeps this machine from booting one; empty if nothing does."""
    if os.geteuid() != 0:
        return "a system can be booted by root only"
    missing = [name for name in ("systemd-nspawn", "mmdebstrap", "nsenter", "setpriv") if not shutil.which(name)]
    if missing:
        return f"there is no {', '.join(missing)}: packaging/dependencies systemd"
    # Root of a container may lack what it takes.
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "this machine lets nobody make namespaces and mounts"


def mirror() -> str:
    """The one that apt uses here."""
    wanted = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian"]
    return subprocess.run(wanted, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def make_base(suite: str, packages: list[str]) -> Path:
    """A base system with the packages; made by the first who asks for it."""
    wanted = ",".join(dict.fromkeys([*USUAL, *sorted(packages)]))
    base = BASES / f"{suite}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    BASES.mkdir(parents=True, exist_ok=True)
    with open(BASES / f"{suite}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = base.with_suffix(".done")
        if done.exists():
            return base
        shutil.rmtree(base, ignore_errors=True)
        subprocess.run(
            ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={wanted}",
             "--aptopt=APT::Install-Recommends \"false\"", "--aptopt=Acquire::Languages \"none\"",
             "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
             "--customize-hook=rm -f \"$1/etc/resolv.conf\" \"$1/etc/hostname\"; : >\"$1/etc/machine-id\"",
             "--customize-hook=for each in apt-daily.timer apt-daily-upgrade.timer systemd-networkd-wait-online.service; do"
             " ln -sf /dev/null \"$1/etc/systemd/system/$each\"; done",
             suite, str(base), mirror()],
            check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        done.touch()
    return base


def start_ticks(pid: int) -> str:
    """Tells a process from a later one of the same number; empty if there is none, or only its remains."""
    try:
        columns = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if columns[0] == "Z" else columns[19]


class BootedSystem:
    def __init__(self, suite: str, packages: list[str]) -> None:
        self.suite = suite
        self._base = make_base(suite, packages)
        self._layer = Path(tempfile.mkdtemp(prefix=f"pgb-{suite}-", dir="/var/tmp"))
        self.name = f"pgbakd-{secrets.token_hex(4)}"  # a name of a machine takes less than one of a file
        for part in ("upper", "work", "root"):
            (self._layer / part).mkdir()
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._leader_ticks = ""

    def __enter__(self) -> BootedSystem:
        return self.boot()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # ---- life ----

    def _cgroups(self) -> list[Path]:
        """Without systemd on the host, nspawn makes its groups where it finds itself: that is to be a place of its own."""
        if Path("/run/systemd/system").is_dir():
            return []
        return [Path(place) / self.name for place in CGROUPS if Path(place, "cgroup.procs").exists()]

    def _enter_cgroups(self) -> None:
        for group in self._cgroups():
            group.mkdir(exist_ok=True)
            (group / "cgroup.procs").write_text("0", encoding="utf-8")

    def boot(self) -> BootedSystem:
        argv = ["systemd-nspawn", "--quiet", "--boot", f"--directory={self._layer}/root", f"--machine={self.name}", f"--hostname={self.suite}",
                "--register=no", "--console=pipe", "--timezone=off", "--link-journal=no", "--settings=no", "--private-network",
                "--resolv-conf=off", "--capability=CAP_BPF,CAP_NET_ADMIN", "--system-call-filter=bpf"]  # fmt: skip
        if not Path("/run/systemd/system").is_dir():
            argv.append("--keep-unit")
        layer = self._layer
        mount = f"lowerdir={self._base},upperdir={layer}/upper,workdir={layer}/work"
        script = f'mount -t overlay overlay -o {mount} {layer}/root && exec setpriv --pdeathsig KILL "$@"'
        console = open(layer / "console", "ab")  # noqa: SIM115
        # The mount is in a namespace of its own: it goes with the last process that is in it.
        self._nspawn = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, "sh", *argv], stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}, start_new_session=True, preexec_fn=self._enter_cgroups,
        )  # fmt: skip
        console.close()
        wait_for(self._find_leader, what="a PID 1")
        wait_for(self._is_up, 120, what=f"the end of the boot of {self.suite}")
        return self

    def console(self) -> str:
        return (self._layer / "console").read_text(encoding="utf-8", errors="replace")

    def _find_leader(self) -> bool:
        assert self._nspawn
        if self._nspawn.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended:\n{self.console()[-2000:]}")
        with contextlib.suppress(FileNotFoundError):
            children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text(encoding="utf-8").split()
            for child in map(int, children):
                if Path(f"/proc/{child}/comm").read_text(encoding="utf-8").strip() == "systemd":
                    self._leader, self._leader_ticks = child, start_ticks(child)
                    return True
        return False

    @property
    def running(self) -> bool:
        return bool(self._leader_ticks) and start_ticks(self._leader) == self._leader_ticks

    def _is_up(self) -> bool:
        if not self.running:
            raise AssertionError(f"the system died while it booted:\n{self.console()[-2000:]}")
        return self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def _end(self, number: int) -> None:
        if not self._nspawn:
            return
        if self.running:
            os.kill(self._leader, number)
        try:
            self._nspawn.wait(60)
        except subprocess.TimeoutExpired:
            if self.running:
                os.kill(self._leader, signal.SIGKILL)
            self._nspawn.kill()
            self._nspawn.wait(30)
        self._nspawn = None
        self._leader_ticks = ""
        for group in self._cgroups():
            for directory, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)

    def shut_down(self) -> None:
        self._end(signal.SIGRTMIN + 4)  # systemd(1): as `systemctl poweroff`

    def kill(self) -> None:
        """As if the power failed, but for what the host's page cache holds."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        self._end(signal.SIGKILL)
        shutil.rmtree(self._layer, ignore_errors=True)

    # ---- in it ----

    def _entry(self) -> list[str]:
        """nsenter alone would keep the host's capabilities, with which `date -s` in there sets the host's clock."""
        status = Path(f"/proc/{self._leader}/status").read_text(encoding="utf-8")
        bounds = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapBnd"))
        last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="utf-8"))
        hosts_own = (16, 17, 25)  # sys_module, sys_rawio, sys_time
        dropped = [f"-cap_{number}" for number in range(last + 1) if number in hosts_own or not bounds >> number & 1]
        return ["setpriv", f"--bounding-set={','.join(dropped)}", "nsenter", "-t", str(self._leader), "-a", "--"]

    def run(self, *argv: str | Path, check: bool = True, user: str = "", timeout: float = 120, **more: Any) -> subprocess.CompletedProcess[str]:
        """A command in the system, as root or `user`; its output is text."""
        words = [*self._entry(), "env", "-i", *(f"{name}={value}" for name, value in ENVIRONMENT.items())]
        if user:
            words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        if "input" not in more:
            more["stdin"] = subprocess.DEVNULL
        done = subprocess.run([*words, *map(str, argv)], capture_output=True, text=True, check=False, timeout=timeout, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def sh(self, script: str, **more: Any) -> str:
        """What a script of the test's own prints; it fails at its first failing command."""
        return self.run("sh", "-euc", script, **more).stdout

    def write(self, path: str, text: str, mode: str = "0644", owner: str = "root:root") -> None:
        self.run("sh", "-euc", 'mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"; chown "$3" "$1"', "sh", path, mode, owner, input=text)

    def copy_in(self, source: Path, path: str) -> None:
        with open(source, "rb") as file:
            words = [*self._entry(), "env", "-i", f"PATH={ENVIRONMENT['PATH']}", "sh", "-euc", 'cat >"$1"', "sh", path]
            subprocess.run(words, stdin=file, check=True)
