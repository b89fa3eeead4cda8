"""Jobs that run when their files change: by writing, by renaming over, in directories made later, and while nobody looked."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon
from support.process import unprivileged_account

CTEST = {"timeout": 300}


class OnChange(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="pgb-change-")
        self.addCleanup(scratch.cleanup)
        os.chmod(scratch.name, 0o755)
        self.tree = Path(scratch.name) / "config"
        self.tree.mkdir()
        self.write("app.yaml", "a: 1\n")

    def write(self, name: str, text: str) -> None:
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def daemon(self, paths: list[Path] | None = None, **source: Any) -> Daemon:
        account = unprivileged_account()
        if not account.is_current:
            subprocess.run(["chown", "-hR", f"{account.uid}:{account.gid}", self.tree], check=True)
        self.config: dict[str, Any] = {
            "timezone": "UTC",
            "jobs": {
                "app": {
                    "schedule": "on change",
                    "settle": "1s",
                    "retries": {"attempts": 1},
                    "source": {"type": "files", "paths": [str(path) for path in paths or [self.tree]], **source},
                }
            },
        }
        daemon = Daemon(self.config)
        self.addCleanup(daemon.close)
        return daemon.start()

    def runs(self, daemon: Daemon) -> list[dict[str, Any]]:
        """Those that have ended, the first one first."""
        found = daemon.ctl("--json", "runs").json["runs"]
        return [run for run in reversed(found) if run["status"] != "RUNNING"]

    def wait_for_runs(self, daemon: Daemon, count: int) -> list[dict[str, Any]]:
        return daemon.wait_for(lambda: found if len(found := self.runs(daemon)) >= count else None, what=f"{count} runs")

    def content(self, daemon: Daemon, run: dict[str, Any], name: str) -> str:
        [artifact] = daemon.set_directory(run["set"]).glob("*.tar.gz")
        with tarfile.open(artifact) as tar:
            member = tar.extractfile(f"{self.tree}/{name}".lstrip("/"))
            assert member is not None
            return member.read().decode()

    def wait_for_content(self, daemon: Daemon, name: str, text: str) -> list[dict[str, Any]]:
        """Until the newest set has that file as it is now; the runs by then."""

        def has_it() -> list[dict[str, Any]] | None:
            found = self.runs(daemon)
            if not found or found[-1]["set"] is None:
                return None
            try:
                return found if self.content(daemon, found[-1], name) == text else None
            except KeyError:
                return None

        return daemon.wait_for(has_it, what=f"{name} in the newest set")

    def test_each_change_is_saved_however_it_is_made(self) -> None:
        daemon = self.daemon()
        [first] = self.wait_for_runs(daemon, 1)
        self.assertEqual((first["status"], first["trigger"]), ("SUCCESS", "change"))
        self.write("app.yaml", "a: 2\n")
        self.wait_for_content(daemon, "app.yaml", "a: 2\n")
        # As editors do.
        new = self.tree / ".app.yaml.swp"
        new.write_text("a: 3\n", encoding="utf-8")
        new.rename(self.tree / "app.yaml")
        self.wait_for_content(daemon, "app.yaml", "a: 3\n")
        # In a directory that was not there when it was looked first, and then again.
        self.write("later/deep/one", "1\n")
        self.wait_for_content(daemon, "later/deep/one", "1\n")
        self.write("later/deep/one", "2\n")
        self.wait_for_content(daemon, "later/deep/one", "2\n")
        # A mode is a part of it.
        known = len(self.runs(daemon))
        (self.tree / "app.yaml").chmod(0o640)
        self.wait_for_runs(daemon, known + 1)

    def test_what_is_excluded_or_as_it_was_starts_nothing(self) -> None:
        daemon = self.daemon(exclude=["*.log"])
        self.wait_for_runs(daemon, 1)
        self.write("noise.log", "x\n")
        self.write("other.yaml", "1\n")
        self.wait_for_content(daemon, "other.yaml", "1\n")
        known = len(self.runs(daemon))
        self.write("noise.log", "y\n")
        daemon.stop()
        daemon.start()
        self.write("noise.log", "z\n")
        self.write("other.yaml", "2\n")
        self.wait_for_content(daemon, "other.yaml", "2\n")
        self.assertEqual(len(self.runs(daemon)), known + 1)

    def test_what_changed_while_the_daemon_was_down_is_saved_at_its_start(self) -> None:
        daemon = self.daemon()
        self.wait_for_runs(daemon, 1)
        daemon.kill9()
        self.write("app.yaml", "a: down\n")
        daemon.start()
        self.wait_for_content(daemon, "app.yaml", "a: down\n")

    def test_a_file_alone_is_watched_through_its_directory(self) -> None:
        daemon = self.daemon([self.tree / ".env"])
        [failed] = self.wait_for_runs(daemon, 1)
        self.assertEqual(failed["status"], "FAILED")
        daemon.stop()
        self.write(".env", "A=1\n")
        daemon.start()
        self.wait_for_content(daemon, ".env", "A=1\n")
        (self.tree / "new").write_text("A=2\n", encoding="utf-8")
        (self.tree / "new").rename(self.tree / ".env")
        self.wait_for_content(daemon, ".env", "A=2\n")

    def test_a_reload_changes_what_is_watched(self) -> None:
        daemon = self.daemon(exclude=["b.yaml"])
        self.wait_for_runs(daemon, 1)
        self.write("b.yaml", "b: 1\n")
        del self.config["jobs"]["app"]["source"]["exclude"]
        daemon.write_config(self.config)
        daemon.ctl("reload")
        self.wait_for_content(daemon, "b.yaml", "b: 1\n")


if __name__ == "__main__":
    unittest.main()
