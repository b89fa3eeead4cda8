"""The documentation against the programs: configurations are valid, links lead somewhere, verbs and commands exist."""

from __future__ import annotations

import json
import os
import re
import shlex
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

    def test_what_it_refers_to_is_installed(self) -> None:
        with tempfile.TemporaryDirectory() as root:
            done = subprocess.run(
                ["cmake", "--install", os.environ["PGBAKD_BUILD_DIR"], "--component", "doc", "--prefix", f"{root}/usr"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stderr)
            named = re.findall(r"/usr/share/doc/pgbakd/\S+", (TOP / "etc/pgbakd.yaml").read_text(encoding="utf-8"))
            self.assertTrue(named)
            for path in named:
                self.assertTrue(Path(root + path).is_file(), path)
            readme = Path(root, "usr/share/doc/pgbakd/README.md")
            for target in re.findall(r"\]\((docs/[^)#:]+)(?:#[^)]*)?\)", readme.read_text(encoding="utf-8")):
                self.assertTrue((readme.parent / target).exists(), target)

    def test_one_job_is_one_job(self) -> None:
        done = self.check((TOP / "etc/pgbakd.yaml").read_text(encoding="utf-8"))
        self.assertTrue(done.stdout.endswith(": valid, 1 job\n"), done.stdout)

    def test_links_lead_to_files(self) -> None:
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
                self.assertTrue((document.parent / target).exists(), f"{document.name}: {target}")


class Usage:
    """What a program's --help says: its flags, whether each takes a value, and how many other words there may be."""

    def __init__(self, *argv: str) -> None:
        done = subprocess.run([BIN / argv[0], *argv[1:], "--help"], capture_output=True, text=True, check=True)
        self.flags: dict[str, bool] = {}
        for names, value in re.findall(r"^ +((?:-\w,)?--[a-z-]+|-\w)( [A-Z]+)?(?: |$)", done.stdout, re.M):
            for name in names.split(","):
                self.flags[name] = bool(value)
        positionals = done.stdout.partition("Positionals:\n")[2].partition("\n\n")[0]
        self.words = len(re.findall(r"^ +[A-Z]+", positionals, re.M))
        verbs = done.stdout.partition("Subcommands:\n")[2].partition("\n\n")[0]
        self.verbs = set(re.findall(r"^ +([a-z-]+)", verbs, re.M))


class Commands(unittest.TestCase):
    """The command lines shown: in shell blocks, and between backquotes."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = Usage("pgbakd")
        cls.tool = Usage("pgbakctl")
        cls.verbs = {verb: Usage("pgbakctl", verb) for verb in cls.tool.verbs}

    @staticmethod
    def shown(document: Path) -> list[list[str]]:
        text = document.read_text(encoding="utf-8")
        lines = [line for block in blocks(document, "(?:sh|console)?") for line in block.splitlines()]
        lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))]
        found = []
        for line in lines:
            try:
                words = shlex.split(line.removeprefix("$ "), comments=True)
            except ValueError:
                continue  # no command: a single quotation mark in a text
            command: list[str] = []
            for word in [*words, ";"]:
                if word in (";", "&&", "|", "||"):
                    found.append(command)
                    command = []
                else:
                    command.append(word)
        return [Commands.without_sudo(command) for command in found if command]

    @staticmethod
    def without_sudo(command: list[str]) -> list[str]:
        if command[0] != "sudo":
            return command
        return command[3:] if command[1:2] == ["-u"] else command[1:]

    def wrong(self, command: list[str]) -> str:
        """What is wrong with a command line of ours; nothing for one that is right, or not of ours."""
        if not command or command[0] not in ("pgbakd", "pgbakctl"):
            return ""
        usage = self.daemon if command[0] == "pgbakd" else self.tool
        allowed = {**usage.flags, "--help": False}
        words, verb = 0, ""
        rest = iter(command[1:])
        for word in rest:
            name, equals, _ = word.partition("=")
            if word.startswith("-"):
                if name not in allowed:
                    return f"has no flag {name}"
                if allowed[name] and not equals and next(rest, None) is None:
                    return f"{name} lacks its value"
            elif command[0] == "pgbakctl" and not verb:
                if word not in self.verbs and word != "VERB":
                    return f"there is no verb {word}"
                verb = word
                if word in self.verbs:
                    allowed.update(self.verbs[word].flags)
            else:
                words += 1
        most = self.verbs[verb].words if verb in self.verbs else 0
        return f"takes {most} words at most, not {words}" if words > most else ""

    def test_every_command_line_shown_has_verbs_and_flags_that_exist(self) -> None:
        found = 0
        for document in [TOP / "README.md", *TOP.glob("docs/*.md")]:
            for command in self.shown(document):
                found += command[0] in ("pgbakd", "pgbakctl") if command else 0
                self.assertEqual(self.wrong(command), "", f"{document.name}: {shlex.join(command)}")
        self.assertGreater(found, 20)

    def test_what_is_wrong_is_noticed(self) -> None:
        for line in ("pgbakctl rnu x", "pgbakctl status --connect", "pgbakctl run a b", "pgbakd --verbose", "pgbakctl --config"):
            with self.subTest(line):
                self.assertTrue(self.wrong(line.split()))
        for line in ("pgbakctl check --connect", "pgbakctl --json run x --wait", "pgbakd --config FILE", "pgbakctl next -n 3", "ls -l"):
            with self.subTest(line):
                self.assertEqual(self.wrong(line.split()), "")

    def test_every_program_and_preset_of_this_tree_that_is_shown_is_there(self) -> None:
        presets = {preset["name"] for kind in ("configurePresets", "buildPresets")
                   for preset in json.loads((TOP / "CMakePresets.json").read_text(encoding="utf-8"))[kind]}  # fmt: skip
        for document in DOCUMENTS:
            for command in self.shown(document):
                if command and re.match(r"(packaging|tests)/[a-z/]+$", command[0]):
                    self.assertTrue((TOP / command[0]).exists(), f"{document.name}: {command[0]}")
                if command and command[0] == "cmake" and "--preset" in command:
                    self.assertIn(command[command.index("--preset") + 1], presets, document.name)


class Messages(unittest.TestCase):
    """The messages that docs/operations.md explains are those that the programs have."""

    LITERALS = re.compile(r'(?:"(?:\\.|[^"\\\n])*"\s*)+')

    def literals(self) -> list[str]:
        found = []
        for path in [*TOP.glob("lib/*/*.cpp"), *TOP.glob("lib/*/*.hpp"), *TOP.glob("daemon/*.cpp")]:
            text = re.sub(r"^\s*(//|#include).*$", "", path.read_text(encoding="utf-8"), flags=re.M)
            for whole in self.LITERALS.findall(text):
                found.append("".join(re.findall(r'"((?:\\.|[^"\\\n])*)"', whole)).replace('\\"', '"'))
        return found

    @staticmethod
    def pieces(message: str) -> list[str]:
        """What a message always has: `…`, file names and sizes stand for what differs."""
        varying = r"…|\b[\w-]+\.\w+\b|\b[0-9.]+ [KMGT]?i?B\b|^pgbakctl: "
        return [piece for part in re.split(varying, message) if (piece := part.strip(" :"))]

    def test_every_message_explained_is_one(self) -> None:
        literals = self.literals()
        text = (TOP / "docs/operations.md").read_text(encoding="utf-8").partition("## When something is wrong")[2]
        rows = re.findall(r"^\| (`.*?`) \|", text.partition("\n## ")[0], re.M)
        self.assertGreater(len(rows), 5)
        for row in rows:
            for message in re.findall(r"`([^`]+)`", row):
                pieces = self.pieces(message)
                self.assertTrue(pieces, message)
                pattern = re.compile(".*".join(re.escape(piece) for piece in pieces), re.S)
                self.assertTrue([literal for literal in literals if pattern.search(literal)], f"no program says: {message}")

    def test_a_message_that_nobody_says_is_noticed(self) -> None:
        self.assertEqual(self.pieces("… has 3 GiB free; see state.db: now"), ["has", "free; see", "now"])
        pattern = re.compile(".*".join(re.escape(piece) for piece in self.pieces("the disk is … angry")))
        self.assertFalse([literal for literal in self.literals() if pattern.search(literal)])


if __name__ == "__main__":
    unittest.main()
