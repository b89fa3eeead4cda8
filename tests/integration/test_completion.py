"""The completion scripts, in the shells themselves: what a tab makes of a line that was begun."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import programs_directory
from support.process import base_environment, remove_directory, scratch_directory, unprivileged_account

CTEST = {"timeout": 120}

# What is typed, and what the line is after a tab. {config} is a configuration with the job
# shop-daily, {begun} the beginning of its name.
LINES = [
    ("pgbakctl verif", "pgbakctl verify"),
    ("pgbakctl --js", "pgbakctl --json"),
    ("pgbakctl run --wa", "pgbakctl run --wait"),
    ("pgbakctl runs --status FA", "pgbakctl runs --status FAILED"),
    ("pgbakctl completion fi", "pgbakctl completion fish"),
    ("pgbakctl next --timezone Europe/Berl", "pgbakctl next --timezone Europe/Berlin"),
    ("pgbakctl --config {begun}", "pgbakctl --config {config}"),
    ("pgbakctl --config {config} run sho", "pgbakctl --config {config} run shop-daily"),
    ("pgbakctl --config {config} list --json sho", "pgbakctl --config {config} list --json shop-daily"),
    ("pgbakctl --config {config} show shop-daily/l", "pgbakctl --config {config} show shop-daily/latest"),
    ("pgbakctl verify {begun}", "pgbakctl verify {config}"),
    ("pgbakctl --config {config} verify shop-daily/l", "pgbakctl --config {config} verify shop-daily/latest"),
]

# Ctrl-G writes the line that stands there to the file {out} and empties it.
SET_UP = {
    "bash": """source <(pgbakctl completion bash)
show() {{ printf '%s\\n' "$READLINE_LINE" >{out}.new; mv {out}.new {out}; READLINE_LINE=; }}
bind -x '"\\C-g": show'
bind 'set bell-style none'
echo ready >{out}
""",
    "zsh": """autoload -U compinit && compinit -u -D
source <(pgbakctl completion zsh)
show() {{ print -r -- "$BUFFER" >{out}.new; mv {out}.new {out}; BUFFER= }}
zle -N show
bindkey '^G' show
echo ready >{out}
""",
}
# As a package has it: a file of the function's name along fpath, read when the first tab is pressed.
SET_UP["zsh-installed"] = SET_UP["zsh"].replace("autoload", "mkdir {out}.d; pgbakctl completion zsh >{out}.d/_pgbakctl; fpath=({out}.d $fpath); autoload", 1).replace(
    "source <(pgbakctl completion zsh)\n", ""
)


class Terminal:
    """An interactive shell at the end of a pseudo terminal."""

    def __init__(self, shell: str, directory: Path, path: str) -> None:
        self._out = directory / "line"
        argv = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}[shell.partition("-")[0]]
        self._main, other = pty.openpty()
        environment = {**base_environment(HOME=str(directory), TERM="dumb"), "PATH": path}
        self._process = subprocess.Popen(
            argv, stdin=other, stdout=other, stderr=other, env=environment, cwd=directory, start_new_session=True
        )
        os.close(other)
        self._shown = b""
        self.ask(SET_UP[shell].format(out=self._out))

    def ask(self, keys: str, patience: float = 30) -> str:
        """Types that, and returns the line that the shell tells."""
        self._out.unlink(missing_ok=True)
        os.write(self._main, keys.encode())
        deadline = time.monotonic() + patience
        while not self._out.exists():
            # What the shell prints must be read, or it stops.
            if select.select([self._main], [], [], 0.01)[0]:
                self._shown += os.read(self._main, 65536)
            if time.monotonic() > deadline:
                raise AssertionError(f"no answer to {keys!r}:\n{self._shown.decode(errors='replace')}")
        return self._out.read_text(encoding="utf-8").strip()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._main)


class Completion(unittest.TestCase):
    def setUp(self) -> None:
        account = unprivileged_account()
        self.directory = scratch_directory(account, "pgb-shell-")
        self.addCleanup(remove_directory, self.directory)
        self.path = f"{programs_directory(account)}:{os.environ['PATH']}"
        self.config = self.directory / "some-pgbakd.yaml"
        self.config.touch(mode=0o600)
        self.config.write_text(json.dumps({
            "repository": {"directory": str(self.directory / "repository")}, "servers": {"local": {"host": "/tmp"}},
            "jobs": {"shop-daily": {"schedule": "daily at 02:00",
                                    "source": {"type": "pg_dump", "server": "local", "databases": "all"}}},
        }), encoding="utf-8")  # fmt: skip

    def need(self, shell: str) -> None:
        if shutil.which(shell) is None:
            self.skipTest(f"{shell} is not installed")

    def lines(self) -> list[tuple[str, str]]:
        config = str(self.config)
        return [tuple(text.format(config=config, begun=config[:-3]) for text in line) for line in LINES]  # type: ignore[misc]

    def check_terminal(self, shell: str) -> None:
        self.need(shell.partition("-")[0])
        terminal = Terminal(shell, self.directory, self.path)
        self.addCleanup(terminal.close)
        for typed, completed in self.lines():
            with self.subTest(typed):
                self.assertEqual(terminal.ask(typed + "\t\a"), completed)

    def test_bash(self) -> None:
        self.check_terminal("bash")

    def test_zsh(self) -> None:
        self.check_terminal("zsh")

    def test_zsh_as_it_is_installed(self) -> None:
        self.check_terminal("zsh-installed")

    def test_fish(self) -> None:
        """fish tells what it would offer for a line."""
        self.need("fish")
        for typed, completed in self.lines():
            with self.subTest(typed):
                done = subprocess.run(
                    ["fish", "--no-config", "-c", "pgbakctl completion fish | source; complete -C $argv[1]", typed],
                    env={**base_environment(HOME=str(self.directory)), "PATH": self.path}, cwd=self.directory,
                    capture_output=True, text=True, check=False, timeout=60,
                )  # fmt: skip
                self.assertEqual(done.stderr, "")
                offered = [line.split("\t")[0] for line in done.stdout.splitlines()]
                self.assertIn(completed.split(" ")[-1], offered)


if __name__ == "__main__":
    unittest.main()
