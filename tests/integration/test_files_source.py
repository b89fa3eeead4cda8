"""Files and trees as a source: what stock tar brings back, what is left out, and what is said of what could not be had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, fire_far_away
from support.process import unprivileged_account

CTEST = {"timeout": 300}
SECRET = "sesame-open-the-door"


class FilesSource(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="pgb-files-")
        self.addCleanup(scratch.cleanup)
        os.chmod(scratch.name, 0o755)
        self.tree = Path(scratch.name) / "erp"
        self.tree.mkdir()

    def daemon(self, source: dict[str, Any], job: dict[str, Any] | None = None, **more: Any) -> Daemon:
        spec = {
            "schedule": fire_far_away(),
            "retries": {"attempts": 1},
            **(job or {}),
            "source": {"type": "files", "paths": [str(self.tree)], **source},
        }
        self.config: dict[str, Any] = {"timezone": "UTC", "jobs": {"app": spec}, **more}
        account = unprivileged_account()
        if not account.is_current:
            subprocess.run(["chown", "-hR", f"{account.uid}:{account.gid}", self.tree], check=True)
        daemon = Daemon(self.config)
        self.addCleanup(daemon.close)
        return daemon.start()

    def change_paths(self, daemon: Daemon, *paths: Path) -> None:
        self.config["jobs"]["app"]["source"]["paths"] = [str(path) for path in paths]
        daemon.write_config(self.config)
        daemon.ctl("reload")

    def write(self, name: str, text: str = "x") -> Path:
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def artifact(self, daemon: Daemon, report: dict[str, Any]) -> Path:
        (artifact,) = report["artifacts"]
        return daemon.set_directory(report["set"]) / artifact["file"]

    def names(self, daemon: Daemon, report: dict[str, Any]) -> list[str]:
        with tarfile.open(self.artifact(daemon, report)) as tar:
            return sorted("/" + name.lstrip("/") for name in tar.getnames())

    def test_stock_tar_brings_the_tree_back(self) -> None:
        self.write("data/one", "first\n" * 1000)
        self.write("data/ünï \"'\\ $(id)", "odd name\n")
        os.link(self.tree / "data/one", self.tree / "data/same")
        (self.tree / "link").symlink_to("/etc/shadow")
        (self.tree / "empty").mkdir(mode=0o750)
        os.utime(self.tree / "data/one", (1_500_000_000, 1_500_000_000.25))
        with (self.tree / "holes").open("wb") as file:
            file.truncate(50 << 20)
            file.seek(20 << 20)
            file.write(b"island")
        daemon = self.daemon({})
        report = daemon.run("app")
        self.assertEqual(report["status"], "SUCCESS", report)
        path = self.artifact(daemon, report)
        self.assertTrue(path.name.endswith(".tar.gz"), path)
        self.assertLess(report["artifacts"][0]["raw_bytes"], 1 << 20)  # the holes are none of it
        manifest = daemon.manifest(report["set"])
        self.assertEqual((manifest["source"]["type"], manifest["artifacts"][0]["format"]), ("files", "tar"))
        self.assertEqual(daemon.ctl("verify", report["set"]).code, 0)
        self.assertIn(f"path: {self.tree}", daemon.ctl("check", "--connect").out)
        for command in manifest["stock_restore"]:
            subprocess.run(command, shell=True, cwd=path.parent, check=True, capture_output=True)
        back = path.parent / "restored" / str(self.tree).lstrip("/")
        done = subprocess.run(["diff", "--recursive", "--no-dereference", self.tree, back], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(os.readlink(back / "link"), "/etc/shadow")
        self.assertEqual((back / "data/one").stat().st_mtime_ns, 1_500_000_000_250_000_000)
        self.assertEqual((back / "data/one").stat().st_ino, (back / "data/same").stat().st_ino)
        self.assertLess((back / "holes").stat().st_blocks * 512, 1 << 20)
        self.assertEqual((back / "empty").stat().st_mode & 0o777, 0o750)

    def test_what_is_excluded_is_not_there(self) -> None:
        for name in ("keep", "a.tmp", "deep/er/b.tmp", "cache/x/y", "deep/cache/z", "whole/w"):
            self.write(name)
        daemon = self.daemon({"exclude": ["*.tmp", "cache/**", f"{self.tree}/whole"]})
        names = self.names(daemon, daemon.run("app"))
        below = [name.removeprefix(str(self.tree)) for name in names]
        self.assertEqual(below, ["", "/cache", "/deep", "/deep/cache", "/deep/cache/z", "/deep/er", "/keep"])

    def test_secrets_are_taken_out_and_nothing_else_changes(self) -> None:
        env = f"# settings\nDB_PASSWORD={SECRET}  # mine\nexport API_KEY='{SECRET}'\nPORT=5432\n"
        yaml = f"db:\n  password: {SECRET}\n  host: db1   # why\nlist: [1, 2]\n"
        self.write(".env", env)
        self.write("app.yaml", yaml)
        self.write("broken.json", f'{{"password": "{SECRET}"')
        self.write("plain.txt", "PASSWORD=stays, as nobody says what this file is\n")
        daemon = self.daemon({"redact": ["*PASSWORD*", "*_KEY"]})
        report = daemon.run("app", check=False)
        # What is not understood is not stored, and the run says so.
        self.assertEqual(report["status"], "FAILED", report)
        self.assertIn("broken.json", report["error"]["message"])
        self.assertNotIn(SECRET, json.dumps(report) + daemon.log())
        (self.tree / "broken.json").unlink()
        report = daemon.run("app")
        with tarfile.open(self.artifact(daemon, report)) as tar:
            def text(name: str) -> str:
                member = tar.extractfile(f"{str(self.tree).lstrip('/')}/{name}")
                assert member is not None
                return member.read().decode()

            self.assertEqual(text(".env"), env.replace(f"PASSWORD={SECRET}", "PASSWORD=***").replace(SECRET, "***"))
            self.assertEqual(text("app.yaml"), yaml.replace(SECRET, '"***"'))
            self.assertIn("stays", text("plain.txt"))

    def test_what_cannot_be_read_fails_the_run_and_is_named(self) -> None:
        self.write("good")
        secret = self.write("secret")
        secret.chmod(0)
        daemon = self.daemon({})
        report = daemon.run("app", check=False)
        self.assertEqual(report["status"], "FAILED", report)
        self.assertIn(str(secret), report["error"]["message"])
        self.assertIn("exclude", report["error"]["hint"])
        # What could be read is kept, and is not taken for a good set.
        [kept] = daemon.sets("app")
        self.assertFalse(kept["complete"])
        self.assertIn(f"{self.tree}/good", self.names(daemon, report))

    def test_paths_that_are_not_there(self) -> None:
        self.write("good")
        daemon = self.daemon({"paths": [str(self.tree), str(self.tree / "gone")]})
        report = daemon.run("app", check=False)
        self.assertEqual(report["status"], "FAILED", report)
        self.assertIn(f"{self.tree}/gone", report["error"]["message"])
        self.change_paths(daemon, self.tree / "gone")
        report = daemon.run("app", check=False)
        self.assertEqual((report["status"], report["set"]), ("FAILED", None), report)
        self.assertIn("is not there", report["error"]["message"])

    def test_the_repository_is_not_stored_in_itself(self) -> None:
        self.write("good")
        daemon = self.daemon({})
        self.change_paths(daemon, daemon.directory, self.tree)
        first = daemon.run("app")
        second = daemon.run("app")
        self.assertTrue(any("pgbakd's own" in note for note in second["notes"]), second)
        self.assertNotIn(first["set"].split("/")[1], " ".join(self.names(daemon, second)))

    def test_wrong_keys_are_told_with_their_place(self) -> None:
        daemon = self.daemon({})
        daemon.write_config(
            {"timezone": "UTC", "jobs": {"app": {"schedule": fire_far_away(), "source": {
                "type": "files", "paths": ["relative", "/x", "/x/"], "exclude": ["!x", "[a"], "redact": ["[[:alpha:]]"], "databases": "all"}}}}
        )  # fmt: skip
        said = daemon.ctl("check", check=False)
        self.assertEqual(said.code, 3)
        for words in ("paths[0]", "listed twice", "begins with a !", "exclude[1]", "redact[0]", "source.databases"):
            self.assertIn(words, said.out + said.err)


if __name__ == "__main__":
    unittest.main()
