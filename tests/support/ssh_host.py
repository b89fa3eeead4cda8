"""Another host that is this one: OpenSSH's sshd on loopback, for the account that runs the daemon, and an ssh that knows it.
`path` is a PATH whose ssh reads a configuration of the test instead of the account's own, in which these are hosts:
db1 (good), changed (shows another key than is known), unknown (no key is known), keyless (does not let us in), closed
(nobody listens).

    host = SshHost(account).start()
    test.addCleanup(host.close)
    Daemon(config, environment={"PATH": host.path})
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import unittest
from pathlib import Path

from support.postgres import free_port
from support.proc import command_line
from support.process import Account, run, scratch_directory, wait_for
from support.programs import Programs

SSHD = "/usr/sbin/sshd"

SETTINGS = """
ListenAddress 127.0.0.1:{port}
PidFile none
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 200
Banner {directory}/banner
HostKey {directory}/host
"""

HOST = """
Host {name}
  HostName 127.0.0.1
  Port {port}
  IdentityFile {directory}/{key}
  IdentitiesOnly yes
  UserKnownHostsFile {directory}/{known}
  GlobalKnownHostsFile /dev/null
"""


class SshHost(Programs):
    """`scratch`: the TMPDIR of whoever logs in there; without one there is none."""

    def __init__(self, account: Account, scratch: Path | None = None) -> None:
        for program in (SSHD, shutil.which("ssh"), shutil.which("ssh-keygen")):
            if program is None or not os.access(program, os.X_OK):
                raise unittest.SkipTest("OpenSSH is not installed: packaging/dependencies test")
        if pwd.getpwuid(account.uid).pw_shell.endswith(("nologin", "false")):
            raise unittest.SkipTest(f"account {account.name} has no shell to log in with")
        super().__init__(account, scratch_directory(account, "pgb-ssh-"))
        self.scratch = scratch
        self.port = 0

    def launch(self) -> None:
        for name in ("host", "other_host", "key", "key_stranger"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.directory / name]
            run(argv, self.account).check()
        shutil.copy(self.directory / "key.pub", self.directory / "authorized_keys")
        (self.directory / "banner").write_text("Authorised users only: this is no remark of pg_dump\n", encoding="utf-8")
        self.port = free_port()
        settings = self.directory / "sshd.conf"
        environment = f"SetEnv TMPDIR={self.scratch}\n" if self.scratch else ""
        settings.write_text(SETTINGS.format(port=self.port, directory=self.directory) + environment, encoding="utf-8")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self.spawn("sshd", SSHD, "-D", "-e", "-f", settings)
        self.wait_until_it_listens(self.port)
        self._write_client()

    def _write_client(self) -> None:
        def known(key: str) -> str:
            words = (self.directory / f"{key}.pub").read_text(encoding="utf-8").split()
            return f"[127.0.0.1]:{self.port} {words[0]} {words[1]}\n"

        (self.directory / "known").write_text(known("host"), encoding="utf-8")
        (self.directory / "known_other").write_text(known("other_host"), encoding="utf-8")
        (self.directory / "known_nobody").write_text("", encoding="utf-8")
        closed = free_port()
        hosts = [
            ("db1", self.port, "key", "known"), ("changed", self.port, "key", "known_other"),
            ("unknown", self.port, "key", "known_nobody"), ("keyless", self.port, "key_stranger", "known"),
            ("closed", closed, "key", "known"),
        ]  # fmt: skip
        text = "".join(
            HOST.format(name=name, port=port, key=key, known=file, directory=self.directory)
            for name, port, key, file in hosts
        )
        (self.directory / "config").write_text(text, encoding="utf-8")
        bin_ = self.directory / "bin"
        bin_.mkdir()
        bin_.chmod(0o755)
        program = bin_ / "ssh"
        program.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.directory}/config "$@"\n', encoding="utf-8")
        program.chmod(0o755)

    @property
    def path(self) -> str:
        return f"{self.directory}/bin:/usr/bin:/bin"

    def sessions(self) -> list[int]:
        """The processes of sshd in whose sessions something runs. (They may be nobody's children: by what runs in them.)"""
        needle = f" 127.0.0.1 {self.port}\0".encode()
        found = set()
        for entry in Path("/proc").iterdir():
            try:
                if not entry.name.isdigit() or needle not in (entry / "environ").read_bytes():
                    continue
                parent = int((entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[1])
                if command_line(parent)[0].startswith("sshd: "):
                    found.add(parent)
            except OSError:
                continue
        return sorted(found)

    def cut(self) -> None:
        """Every connection, at once and without a word."""
        found = self.sessions()
        assert found, "nobody is connected"
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def wait_until_nobody_is_in(self) -> None:
        wait_for(lambda: not self.sessions(), what="the end of every session of sshd")
