"""pg_dump in a script's clothes: to hold it up, break it off, or let it fail as programs do."""

from __future__ import annotations

from pathlib import Path

from support.postgres import PostgresServer


def replace_pg_dump(directory: Path, server: PostgresServer, script: str) -> Path:
    """Makes `directory` one of client programs (`servers.NAME.client.bin`) whose pg_dump is this bash script, in which
    {real} is the real one. Only the question for its version goes to that at once."""
    directory.mkdir()
    (directory / "pg_dumpall").symlink_to(server.bin / "pg_dumpall")
    real = str(server.bin / "pg_dump")
    guard = f'case "$1" in --version) exec {real} --version;; esac\n'
    program = directory / "pg_dump"
    program.write_text("#!/bin/bash\n" + guard + script.replace("{real}", real) + "\n", encoding="utf-8")
    program.chmod(0o755)
    return directory


class Halt:
    """A point at which a script waits until the test lets it go on."""

    def __init__(self, directory: Path) -> None:
        self._reached, self._go = directory / "halt-reached", directory / "halt-go"
        # For the script.
        self.command = f"touch {self._reached}\nuntil [ -e {self._go} ]; do /usr/bin/sleep 0.05; done\n"

    def arm(self) -> None:
        self._reached.unlink(missing_ok=True)
        self._go.unlink(missing_ok=True)

    def reached(self) -> bool:
        return self._reached.exists()

    def release(self) -> None:
        self._go.touch()
