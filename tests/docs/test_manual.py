"""The manual pages: man takes them without a word, they say what --help says, and they are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

BIN = Path(os.environ["PGBAKD_BIN_DIR"])
PAGES = ("pgbakd.8", "pgbakctl.1", "pgbakd.yaml.5")


def page(name: str) -> str:
    return subprocess.run([BIN / "pgbakctl", "manual", name], capture_output=True, text=True, check=True).stdout


class Manual(unittest.TestCase):
    def test_man_sets_them_without_a_warning(self) -> None:
        if not shutil.which("groff"):
            self.skipTest("there is no groff")
        for name in PAGES:
            with self.subTest(name):
                argv = ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-rLL=100n", "-z"]
                done = subprocess.run(argv, input=page(name), capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, re.sub(r".*(adjust|break).*\n", "", done.stderr)), (0, ""))

    def test_they_have_what_tells_other_programs_what_they_are(self) -> None:
        for name in PAGES:
            with self.subTest(name):
                title, section = name.rsplit(".", 1)
                self.assertRegex(page(name), rf"(?m)^\.TH {title.upper()} {section} ")
                self.assertRegex(page(name), rf"(?m)^\.SH NAME\n\.PP\n{title} \\- \S")

    def test_the_flags_of_the_daemon_are_those_of_its_help(self) -> None:
        done = subprocess.run([BIN / "pgbakd", "--help"], capture_output=True, text=True, check=True)
        options = page("pgbakd.8").partition(".SH OPTIONS\n")[2].partition(".SH ")[0].replace("\\-", "-")
        self.assertEqual(set(re.findall(r"--[a-z-]+", options)), set(re.findall(r"--[a-z-]+", done.stdout)))

    def test_they_are_installed_with_the_completions(self) -> None:
        with tempfile.TemporaryDirectory() as root:
            for component in ("manual", "completion"):
                subprocess.run(
                    ["cmake", "--install", os.environ["PGBAKD_BUILD_DIR"], "--component", component, "--prefix", f"{root}/usr"],
                    capture_output=True, check=True,
                )  # fmt: skip
            share = Path(root, "usr/share")
            self.assertEqual((share / "man/man5/pgbakd.yaml.5").read_text(encoding="utf-8"), page("pgbakd.yaml.5"))
            for path in ("man/man8/pgbakd.8", "man/man1/pgbakctl.1", "bash-completion/completions/pgbakctl",
                         "zsh/vendor-completions/_pgbakctl", "fish/vendor_completions.d/pgbakctl.fish"):  # fmt: skip
                self.assertTrue((share / path).is_file(), path)


if __name__ == "__main__":
    unittest.main()
