"""The documentation against the programs: configurations are valid, links lead somewhere, verbs and commands exist."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(os.environ["PGBAKD_SOURCE_DIR"])
BIN = Path(os.environ["PGBAKD_BIN_DIR"])
DOCUMENTS = sorted([TOP / "README.md", TOP / "CHANGELOG.md", *TOP.glob("docs/*.md"), *TOP.glob("tests/*.md"), TOP / "lib/README.md"])


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text(encoding="utf-8"), re.M | re.S)


class Documents(unittest.TestCase):
    def check(self, text: str) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "pgbakd.yaml"
            file.touch(mode=0o600)
            file.write_text(text, encoding="utf-8")
            return subprocess.run([BIN / "pgbakd", "--check", "--config", file], capture_output=True, text=True, check=False)

    def test_every_whole_configuration_shown_is_valid(self) -> None:
        found = 0
        for document in [TOP / "README.md", *TOP.glob("docs/*.md")]:
            for text in blocks(document, "yaml"):
                if not re.search(r"^jobs:", text, re.M):
                    continue  # a piece of one
                found += 1
                done = self.check(text)
                self.assertEqual(done.returncode, 0, f"{document.name}:\n{text}\n{done.stderr}")
        self.assertGreater(found, 1)

    def test_the_default_configuration_is_valid(self) -> None:
        done = self.check((TOP / "etc/pgbakd.yaml").read_text(encoding="utf-8"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_links_lead_to_files(self) -> None:
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
                self.assertTrue((document.parent / target).exists(), f"{document.name}: {target}")

    def test_every_verb_shown_is_one(self) -> None:
        done = subprocess.run([BIN / "pgbakctl", "--help"], capture_output=True, text=True, check=True)
        verbs = set(re.findall(r"^\s{2,}([a-z-]+)\b", done.stdout, re.M))
        self.assertIn("status", verbs)
        for document in [TOP / "README.md", *TOP.glob("docs/*.md")]:
            for verb in re.findall(r"\bpgbakctl ((?!--)[a-z][a-z-]*)", document.read_text(encoding="utf-8")):
                self.assertIn(verb, verbs, document.name)


if __name__ == "__main__":
    unittest.main()
