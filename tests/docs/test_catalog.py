"""journalctl -x: every kind of event has its explanation, and journalctl accepts them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(os.environ["PGBAKD_SOURCE_DIR"])
CATALOG = TOP / "units/pgbakd.catalog"


def entries() -> dict[str, str]:
    """By message id, the rest of each."""
    text = re.sub(r"^#.*\n", "", CATALOG.read_text(encoding="utf-8"), flags=re.M)
    found = re.findall(r"^-- ([0-9a-f]{32})\n(.*?)(?=^-- |\Z)", text, re.M | re.S)
    return dict(found)


class Catalog(unittest.TestCase):
    def test_every_message_id_of_the_programs_has_an_entry_and_no_other(self) -> None:
        ids = re.findall(r'\{"([^"]+)",\s*"([0-9a-f]{32})"\}', (TOP / "lib/systemd/message_ids.hpp").read_text(encoding="utf-8"))
        self.assertGreater(len(ids), 10)
        self.assertEqual(len(set(dict(ids).values())), len(ids), "an id stands for one kind")
        self.assertEqual({number for _, number in ids}, set(entries()))
        elsewhere = [path for path in TOP.glob("lib/*/*.?pp") if path.name != "message_ids.hpp"]
        for path in elsewhere:
            self.assertNotRegex(path.read_text(encoding="utf-8"), r'"[0-9a-f]{32}"', str(path))

    def test_entries_are_complete_and_name_fields_that_entries_of_the_journal_have(self) -> None:
        sources = "".join(path.read_text(encoding="utf-8") for path in TOP.glob("lib/service/*.cpp"))
        fields = set(re.findall(r'"(PGBAKD_[A-Z_]+)"', sources))
        for number, text in entries().items():
            head, _, body = text.partition("\n\n")
            self.assertRegex(head, r"\ASubject: \S.*\nDefined-By: pgbakd\Z", number)
            self.assertGreater(len(body.split()), 10, number)
            self.assertLessEqual(max(len(line) for line in text.splitlines()), 120, number)
            for field in re.findall(r"@(\w+)@", text):
                self.assertIn(field, fields, number)

    def test_the_commands_named_exist(self) -> None:
        done = subprocess.run([Path(os.environ["PGBAKD_BIN_DIR"]) / "pgbakctl", "--help"], capture_output=True, text=True, check=True)
        for verb in re.findall(r"pgbakctl ([a-z-]+)", CATALOG.read_text(encoding="utf-8")):
            self.assertRegex(done.stdout, rf"(?m)^ +{verb} ", verb)

    def test_journalctl_accepts_it(self) -> None:
        if not shutil.which("journalctl"):
            self.skipTest("there is no journalctl")
        with tempfile.TemporaryDirectory() as root:
            place = Path(root, "usr/lib/systemd/catalog")
            place.mkdir(parents=True)
            shutil.copy(CATALOG, place)
            Path(root, "var/lib/systemd/catalog").mkdir(parents=True)
            done = subprocess.run(["journalctl", "--update-catalog", f"--root={root}"], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            database = Path(root, "var/lib/systemd/catalog/database").read_bytes()
            for number, text in entries().items():
                self.assertIn(bytes.fromhex(number), database)
                self.assertIn(text.partition("\n")[0].removeprefix("Subject: ").encode(), database)

    def test_it_is_installed_where_journald_looks(self) -> None:
        with tempfile.TemporaryDirectory() as root:
            done = subprocess.run(
                ["cmake", "--install", os.environ["PGBAKD_BUILD_DIR"], "--component", "catalog", "--prefix", f"{root}/usr"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(Path(root, "usr/lib/systemd/catalog/pgbakd.catalog").read_bytes(), CATALOG.read_bytes())


if __name__ == "__main__":
    unittest.main()
