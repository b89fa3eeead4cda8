"""The services of alert_services.py as a test uses them: a process of their own, told how to behave, and what they took.

    services = AlertServices()
    test.addCleanup(services.close)
    config["alerts"] = {"hook": services.webhook()}
    services.behave("failing")
"""

from __future__ import annotations

import json
import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from support.process import current_account, remove_directory, scratch_directory, wait_for


class AlertServices:
    def __init__(self) -> None:
        self.directory = scratch_directory(current_account(), "pgb-alerts-")
        self.behave("ok")
        program = Path(__file__).resolve().parent / "alert_services.py"
        self._process = subprocess.Popen(
            [sys.executable, "-B", program, self.directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        self.ports = {name: int(port) for name, port in (word.split("=") for word in line.split())}

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
        remove_directory(self.directory)

    def behave(self, how: str, path: str = "") -> None:
        """All of them, or what is at that path."""
        file = self.directory / ("behaviour" + path.replace("/", "_"))
        file.with_suffix(".new").write_text(how, encoding="ascii")
        file.with_suffix(".new").rename(file)

    # --- channels, as the configuration has them ---

    def webhook(self, path: str = "/hook", **more: Any) -> dict[str, Any]:
        return {"type": "webhook", "url": f"http://127.0.0.1:{self.ports['http']}{path}", "min_severity": "info", **more}

    def heartbeat(self, **more: Any) -> dict[str, Any]:
        return {"type": "heartbeat", "url": f"http://127.0.0.1:{self.ports['http']}/beat", **more}

    # --- what arrived ---

    def _taken(self) -> list[bytes]:
        files = sorted(path for path in (self.directory / "taken").iterdir() if not path.suffix)
        return [path.read_bytes() for path in files]

    def requests(self) -> list[tuple[str, dict[str, str], bytes]]:
        """Path, headers and body of each request that was taken, in their order."""
        found = []
        for message in self._taken():
            head, _, body = message.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            found.append((lines[0].split(" ")[1], headers, body))
        return found

    def alerts(self, at: str | None = None) -> list[dict[str, Any]]:
        """Those that webhooks were told of, or the one at that path; digests taken apart."""
        found: list[dict[str, Any]] = []
        for path, _, body in self.requests():
            if path.startswith("/beat") or at not in (None, path):
                continue
            told = json.loads(body)
            found += told["alerts"] if told["format"] == "pgbakd-digest/1" else [told]
        return found

    def beats(self) -> list[str]:
        return [path for path, _, _ in self.requests() if path.startswith("/beat")]

    def mails(self) -> list[EmailMessage]:
        found = []
        for message in self._taken():
            _, _, text = message.partition(b"\r\n\r\n")
            mail = message_from_bytes(text, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            found.append(mail)
        return found

    def recipients(self) -> list[list[str]]:
        """Of each mail, by its envelope."""
        envelopes = [message.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n") for message in self._taken()]
        return [[line[line.index("<") + 1 : line.index(">")] for line in lines if line.startswith("RCPT")] for lines in envelopes]

    def wait_for_alert(self, kind: str, at: str | None = None, **like: Any) -> dict[str, Any]:
        """The first of that kind that has these members, of all or of what is at that path."""

        def look() -> dict[str, Any] | None:
            for alert in self.alerts(at):
                if alert["kind"] == kind and all(alert[name] == value for name, value in like.items()):
                    return alert
            return None

        found: dict[str, Any] = wait_for(look, what=f"an alert {kind} {like}")  # type: ignore[assignment]
        return found
