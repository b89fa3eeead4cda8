"""What the journal gets: a real datagram socket where journald's would be, in a mount namespace of the test's own."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, config_for
from support.postgres import PostgresServer

CLONE_NEWNS = 0x00020000
RUN_STARTED = "c21d16304f0d4b5b80e78181f4ef6610"
RUN_SUCCEEDED = "db4532e8bf1949d09fe8157dddfd3345"


def fields(datagram: bytes) -> dict[str, str]:
    """The native protocol of journald: NAME=value lines, or NAME, newline, 64-bit length, value."""
    found: dict[str, str] = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
            datagram = rest
        else:
            name = line
            (length,) = struct.unpack("<Q", rest[:8])
            value, datagram = rest[8 : 8 + length], rest[9 + length :]
        found[name.decode()] = value.decode()
    return found


class Journal(unittest.TestCase):
    def test_entries_carry_fields_and_message_ids(self) -> None:
        if os.getuid() != 0:
            self.skipTest("a mount namespace needs root")
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) != 0:
            self.skipTest("this machine allows no mount namespace")
        if libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None) != 0:  # private, all below too
            self.skipTest("the root of this machine (a chroot?) is no mount of its own")
        Path("/run/systemd").mkdir(exist_ok=True)
        self.assertEqual(libc.mount(b"tmpfs", b"/run/systemd", b"tmpfs", 0, None), 0)
        Path("/run/systemd/journal").mkdir()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.bind("/run/systemd/journal/socket")
        os.chmod("/run/systemd/journal/socket", 0o666)
        entries: list[dict[str, str]] = []

        def listen() -> None:
            while True:
                try:
                    entries.append(fields(listener.recv(1 << 20)))
                except OSError:
                    return

        threading.Thread(target=listen, daemon=True).start()
        server = PostgresServer()
        self.addCleanup(server.close)
        server.start()
        source = {"type": "pg_dump", "server": "local", "databases": ["postgres"]}
        daemon = Daemon(config_for(server, jobs={"job": {"source": source}}))
        self.addCleanup(daemon.close)
        daemon.log_file.touch()
        status = daemon.log_file.stat()
        # As systemd tells a service whose standard error leads to the journal.
        daemon.extra_environment["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
        daemon.start()
        report = daemon.run("job")
        daemon.wait_for(lambda: [entry for entry in entries if entry.get("MESSAGE_ID") == RUN_SUCCEEDED], what="the last entry")
        self.assertEqual(daemon.log(), "", "nothing goes to standard error beside the journal")
        started = next(entry for entry in entries if entry.get("MESSAGE_ID") == RUN_STARTED)
        self.assertEqual(started["PGBAKD_JOB"], "job")
        self.assertEqual(started["PGBAKD_RUN"], report["run"])
        self.assertEqual(started["SYSLOG_IDENTIFIER"], "pgbakd")
        self.assertEqual(started["PRIORITY"], "6")
        ended = next(entry for entry in entries if entry.get("MESSAGE_ID") == RUN_SUCCEEDED)
        self.assertEqual(ended["PGBAKD_SET"], report["set"])
        self.assertEqual(int(ended["PGBAKD_BYTES"]), report["size_bytes"])
        self.assertGreater(int(ended["PGBAKD_DURATION_MS"]), 0)
        self.assertIn("job: succeeded in", ended["MESSAGE"])


if __name__ == "__main__":
    unittest.main()
