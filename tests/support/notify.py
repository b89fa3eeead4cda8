"""The socket that systemd would give to a service of Type=notify, and what arrives on it."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

from support.process import wait_for


MARK = b"mark "


class NotifySocket:
    """Collects every message as a dictionary, in order; `NOTIFY_SOCKET` of the service is `str(path)`.

    Whatever was sent before one asks is counted: a mark is sent behind it, and read first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.messages: list[dict[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        os.chmod(path, 0o666)
        self._marks = 0
        self._seen = 0
        self._marked = threading.Condition()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data or data.startswith(MARK):
                with self._marked:
                    self._seen = int(data.removeprefix(MARK)) if data else self._marks + 1
                    self._marked.notify_all()
                if not data:
                    return
                continue
            text = data.decode(errors="replace")
            pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
            self.messages.append({name: value for name, _, value in pairs})

    def _catch_up(self) -> None:
        """Until the thread has read all that lies in the socket now."""
        with self._marked:
            self._marks += 1
            mark = self._marks
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
                own.sendto(MARK + str(mark).encode(), str(self.path))
        except OSError:
            return  # closed: nothing more comes
        with self._marked:
            if not self._marked.wait_for(lambda: self._seen >= mark, 30):
                raise AssertionError("the notify socket is not read any more")

    def values(self, name: str) -> list[str]:
        """All values of one variable so far, such as STATUS."""
        self._catch_up()
        return [message[name] for message in list(self.messages) if name in message]

    def count(self, name: str, value: str = "1") -> int:
        return self.values(name).count(value)

    @property
    def status(self) -> str:
        """The newest STATUS, as `systemctl status` would show it."""
        return (self.values("STATUS") or [""])[-1]

    def wait(self, name: str, value: str = "1", *, times: int = 1, timeout: float = 30) -> None:
        """Waits until a variable has had the value that many times in all."""
        wait_for(lambda: self.count(name, value) >= times, timeout, f"{name}={value} from the daemon")

    def close(self) -> None:
        try:
            # Wakes the thread: closing a socket does not end a recv that waits on it.
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
                own.sendto(b"", str(self.path))
        except OSError:
            pass
        self._thread.join(5)
        self._socket.close()
