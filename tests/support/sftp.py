"""OpenSSH's sshd on loopback, with internal-sftp: the real thing that the SFTP target meets. It serves the files of this
host to the account that runs the tests, so that a test sees on the disk what came of its uploads. Started by tests as
lasting.py has it, or in Python:

    sftp = Sftp().start()
    test.addCleanup(sftp.close)
"""

from __future__ import annotations

import os
import shutil
import sys
import unittest
from collections.abc import Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support import lasting
from support.postgres import free_port
from support.process import base_environment, current_account, run, scratch_directory, wait_for
from support.programs import IPV6, Programs, free_ipv6_port

SSHD = "/usr/sbin/sshd"
HOST_KEYS = ("ed25519", "ecdsa", "rsa")

SETTINGS = """
ListenAddress 127.0.0.1:{port}
PidFile none
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 200
LogLevel VERBOSE
"""


class Sftp(Programs):
    """Two servers: one with the SFTP subsystem, and a bare one without. Keys are in `directory`: key, key_rsa,
    key_encrypted (passphrase "open sesame"), key_agent (in the agent) are let in, key_stranger is not."""

    passphrase = "open sesame"

    def __init__(self) -> None:
        for program in (SSHD, shutil.which("ssh-keygen"), shutil.which("ssh-agent")):
            if program is None or not os.access(program, os.X_OK):
                raise unittest.SkipTest("sshd is not installed: packaging/dependencies test")
        account = current_account()
        super().__init__(account, scratch_directory(account, "pgb-sftp-"))
        self.port = self.bare_port = self.ipv6_port = 0

    # --- life ---

    def launch(self) -> None:
        self._make_keys()
        self.port, self.bare_port, self.ipv6_port = free_port(), free_port(), free_ipv6_port()
        ipv6 = f"ListenAddress [{IPV6}]:{self.ipv6_port}\n" if self.ipv6_port else ""
        self._serve("sshd", self.port, ipv6 + "Subsystem sftp internal-sftp\n")
        self._serve("bare", self.bare_port, "")
        self._write_known_hosts()
        self._start_agent()

    def _make_keys(self) -> None:
        for kind in HOST_KEYS:
            self._keygen(f"host_{kind}", kind)
        # What somebody else would show.
        self._keygen("other_host", "ed25519")
        for name in ("key", "key_agent", "key_stranger"):
            self._keygen(name, "ed25519")
        self._keygen("key_rsa", "rsa")
        self._keygen("key_encrypted", "ed25519", self.passphrase)
        allowed = ("key", "key_agent", "key_rsa", "key_encrypted")
        text = "".join((self.directory / f"{name}.pub").read_text(encoding="utf-8") for name in allowed)
        (self.directory / "authorized_keys").write_text(text, encoding="utf-8")

    def _keygen(self, name: str, kind: str, passphrase: str = "") -> None:
        argv = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", self.directory / name]
        run(argv, self.account).check()

    def _serve(self, name: str, port: int, more: str) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # which sshd wants to lock its unprivileged part into
        text = SETTINGS.format(port=port, directory=self.directory) + more
        for kind in HOST_KEYS:
            text += f"HostKey {self.directory}/host_{kind}\n"
        settings = self.directory / f"{name}.conf"
        settings.write_text(text, encoding="utf-8")
        self.spawn(name, SSHD, "-D", "-e", "-f", settings)
        self.wait_until_it_listens(port)

    def _write_known_hosts(self) -> None:
        def line(port: int, key: str, host: str = "127.0.0.1") -> str:
            words = (self.directory / f"{key}.pub").read_text(encoding="utf-8").split()
            return f"[{host}]:{port} {words[0]} {words[1]}\n"

        ports = (self.port, self.bare_port)
        files = {
            "known_hosts": [line(port, f"host_{kind}") for port in ports for kind in HOST_KEYS],
            "known_hosts_ipv6": [line(self.ipv6_port, f"host_{kind}", IPV6) for kind in HOST_KEYS],
            "known_hosts_rsa": [line(self.port, "host_rsa")],
            # Of a host that had a key of another type, too: what it has no longer, libcurl must not insist on.
            "known_hosts_changed": [line(self.port, "other_host")],
            "known_hosts_empty": ["# nobody\n", line(1, "host_ed25519")],
            "known_hosts_hashed": ["elsewhere.example.com " + line(1, "host_rsa").split(" ", 1)[1]]
            + [line(self.port, "host_ecdsa")],
        }
        for name, lines in files.items():
            (self.directory / name).write_text("".join(lines), encoding="utf-8")
        run(["ssh-keygen", "-q", "-H", "-f", self.directory / "known_hosts_hashed"], self.account).check()

    def _start_agent(self) -> None:
        path = self.directory / "agent"
        self.spawn("agent-program", "ssh-agent", "-D", "-a", path)
        wait_for(path.exists, what="the agent's socket")
        environment = base_environment(SSH_AUTH_SOCK=str(path))
        run(["ssh-add", "-q", self.directory / "key_agent"], self.account, environment=environment).check()

    # --- use ---

    def fingerprint(self, key: str) -> str:
        return run(["ssh-keygen", "-l", "-f", self.directory / f"{key}.pub"], self.account).check().out.split()[1]

    def facts(self) -> Mapping[str, str]:
        return {
            "port": str(self.port),
            "bare_port": str(self.bare_port),
            "ipv6_port": str(self.ipv6_port),
            "user": self.account.name,
            "directory": str(self.directory),
            "agent": str(self.directory / "agent"),
            "passphrase": self.passphrase,
            "fingerprint": self.fingerprint("host_ed25519"),
            "other_fingerprint": self.fingerprint("other_host"),
        }


if __name__ == "__main__":
    sys.exit(lasting.main("sftp", lambda: Sftp().start()))
