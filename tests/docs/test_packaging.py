"""packaging/debian against what the tree says elsewhere: versions, what is needed to build and to run, the scripts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

TOP = Path(os.environ["PGBAKD_SOURCE_DIR"])
DEBIAN = TOP / "packaging/debian"
SCRIPTS = [DEBIAN / name for name in ("postinst", "prerm", "postrm")]


def field(name: str) -> str:
    found = re.search(rf"(?m)^{name}:(.*(?:\n[ ].*)*)", (DEBIAN / "control").read_text(encoding="utf-8"))
    return found.group(1) if found else ""


def names(text: str) -> set[str]:
    return {re.sub(r" *\(.*?\)", "", choice).strip() for part in text.split(",") for choice in part.split("|") if choice.strip()}


class Packaging(unittest.TestCase):
    def test_the_version_is_the_programs(self) -> None:
        version = re.search(r"project\(pgbakd VERSION ([0-9.]+)", (TOP / "CMakeLists.txt").read_text(encoding="utf-8"))
        assert version
        self.assertTrue((DEBIAN / "changelog").read_text(encoding="utf-8").startswith(f"pgbakd ({version.group(1)}) "))

    def test_it_is_built_with_what_dependencies_installs(self) -> None:
        text = (TOP / "packaging/dependencies").read_text(encoding="utf-8")
        build = re.search(r"\n +build\)\n +boost\n +echo (.*?)\n +;;", text, re.S)
        assert build
        installed = set(build.group(1).replace("\\\n", " ").split()) - {"g++"}  # build-essential has it
        wanted = {name for name in names(field("Build-Depends")) if not re.match(r"debhelper|dh-|libboost", name)}
        self.assertEqual(wanted, installed)
        for boost in re.findall(r"echo (libboost\S+ libboost\S+)", text):
            self.assertLessEqual(set(boost.split()), names(field("Build-Depends")))

    def test_what_jobs_may_call_is_suggested(self) -> None:
        self.assertLessEqual({"age", "gnupg", "rclone", "openssh-client"}, names(field("Suggests")))
        self.assertIn("postgresql-client", names(field("Recommends")))

    def test_its_scripts_are_shell_and_say_where_the_backups_stay(self) -> None:
        for script in SCRIPTS:
            with self.subTest(script.name):
                self.assertEqual(subprocess.run(["sh", "-n", script], capture_output=True, check=False).returncode, 0)
                self.assertIn("\n#DEBHELPER#\n", script.read_text(encoding="utf-8"))
                self.assertNotIn("rm -rf", script.read_text(encoding="utf-8"))
        done = subprocess.run(["sh", SCRIPTS[2], "purge"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        if shutil.which("shellcheck"):
            done = subprocess.run(["shellcheck", *SCRIPTS, TOP / "packaging/build-deb"], capture_output=True, text=True, check=False)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
