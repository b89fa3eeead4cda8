"""The unit and the drop-ins that are shipped with it: systemd knows every setting, and the sandbox is as tight as is said."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(os.environ["PGBAKD_SOURCE_DIR"])
UNIT = Path(os.environ["PGBAKD_BUILD_DIR"]) / "units/pgbakd.service"
DROP_INS = sorted((TOP / "units/examples").glob("*.conf"))


class Units(unittest.TestCase):
    def setUp(self) -> None:
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze")
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)
        # Programs and pages that are not installed would be told too.
        text = re.sub(r"(?m)^(ExecStart|ExecReload)=\S+/pgbak\w+", r"\1=/bin/true", UNIT.read_text(encoding="utf-8"))
        self.unit = self.directory / "pgbakd.service"
        self.unit.write_text(re.sub(r"(?m)^Documentation=.*\n", "", text), encoding="utf-8")

    def complaints(self) -> str:
        # Its exit status is good where a setting is not known: only what it says tells.
        done = subprocess.run(["systemd-analyze", "verify", self.unit], capture_output=True, text=True, check=False)
        return "\n".join(line for line in done.stderr.splitlines() if "pgbakd" in line)

    def test_systemd_knows_every_setting_of_the_unit(self) -> None:
        self.assertEqual(self.complaints(), "")

    def test_systemd_knows_every_setting_of_the_drop_ins(self) -> None:
        self.assertGreaterEqual(len(DROP_INS), 5)
        place = self.directory / "pgbakd.service.d"
        for drop_in in DROP_INS:
            with self.subTest(drop_in.name):
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                shutil.copy(drop_in, place)
                self.assertEqual(self.complaints(), "")
                # Each says how to put it where it works, under its own name.
                self.assertIn(f"install -D -m 0644 {drop_in.name} /etc/systemd/system/pgbakd.service.d/{drop_in.name}", drop_in.read_text(encoding="utf-8"))

    def test_a_setting_that_is_not_known_is_noticed(self) -> None:
        self.unit.write_text(self.unit.read_text(encoding="utf-8") + "[Service]\nProtectEverything=yes\n", encoding="utf-8")
        self.assertIn("ProtectEverything", self.complaints())

    def test_the_exposure_is_what_the_documentation_says(self) -> None:
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", self.unit], capture_output=True, text=True, check=False)
        found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        assert found, done.stdout + done.stderr
        said = re.search(r"an exposure of ([0-9.]+\d)", (TOP / "docs/systemd.md").read_text(encoding="utf-8"))
        assert said
        self.assertLessEqual(float(found.group(1)), float(said.group(1)))
        self.assertLessEqual(float(said.group(1)), 2.0)


if __name__ == "__main__":
    unittest.main()
