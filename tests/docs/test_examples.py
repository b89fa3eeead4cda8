"""etc/: the reference names every key, the examples are valid and run, and docs/migration.md speaks of them.

    python3 -B tests/docs/test_examples.py --write     brings etc/reference.yaml up to date with docs/configuration.md
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import yaml

TOP = Path(os.environ.get("PGBAKD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
BIN = Path(os.environ.get("PGBAKD_BIN_DIR", TOP / "build/dev/daemon"))
REFERENCE = TOP / "etc/reference.yaml"
EXAMPLES = sorted((TOP / "etc/examples").glob("*.yaml"))
HEAD = """\
# Every key of pgbakd.yaml: what it means, what it may be, and what holds without it. Not a configuration to start from:
# that is pgbakd.yaml, and examples/ has larger ones. Where a section is of several types, each stands here by itself.
"""


def wrapped(text: str, indent: str) -> list[str]:
    """Comment lines of 120 columns at most."""
    lines, line = [], ""
    for word in text.split():
        if line and len(indent) + 2 + len(line) + 1 + len(word) > 118:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [f"{indent}{'# ' if indent.strip('#') else ' '}{each}" for each in [*lines, line]]


def plain(cell: str) -> str:
    return cell.replace("\\|", "|").strip()


def sentence(text: str) -> str:
    return text if not text or text.endswith((".", ":")) else text + "."


def section_lines(heading: str, rows: list[tuple[str, str, str, str]], what_for: dict[str, str]) -> list[str]:
    path, _, kind = heading.partition(" of type ")
    inner = ""
    if "." in kind:  # "servers.NAME of type postgresql.client"
        kind, _, inner = kind.partition(".")
    segments = [] if heading == "The whole file" else [*path.split("."), *([inner] if inner else [])]
    lines = [""] if segments else []
    if segments and segments[0] in what_for:  # once, where the section begins
        lines += wrapped(what_for.pop(segments[0]), "#")
    for depth, segment in enumerate(segments):
        of_type = f"  # of type {kind}" if kind and depth == len(segments) - 1 - bool(inner) else ""
        lines.append(f"#{'  ' * depth}{segment}:{of_type}")
    indent = "#" + "  " * len(segments)
    for name, value, otherwise, meaning in rows:
        if "see below" in value:
            continue
        told = f"{sentence(value[:1].upper() + value[1:])} {sentence(meaning)}"
        if otherwise == "required":
            told += " Required."
        elif otherwise and not otherwise.startswith("`"):
            told += f" Without it: {sentence(otherwise)}"
        default = otherwise.strip("`") if otherwise.startswith("`") else ""
        if name == "type":
            told, default = sentence(meaning), value
        lines += [*wrapped(told, indent), f"{indent}{name}: {default}".rstrip()]
    return lines


def reference_from_documentation() -> str:
    page = (TOP / "docs/configuration.md").read_text(encoding="utf-8")
    text = page.partition("<!-- reference: begin -->\n")[2].partition("<!-- reference: end -->")[0]
    lines: list[str] = []
    what_for: dict[str, str] = {}
    for part in re.split(r"(?m)^### ", text)[1:]:
        heading, _, table = part.partition("\n")
        rows = []
        for line in re.findall(r"^\| `.*$", table, re.M):
            cells = [plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
            rows.append((cells[0].strip("`"), cells[1], cells[2], cells[3]))
        if not lines:
            what_for = {name: meaning for name, value, _, meaning in rows if "see below" in value}
        lines += section_lines(heading.strip("` "), rows, what_for)
    return HEAD + "\n" + "\n".join(lines) + "\n"


def credentials_of(text: str) -> set[str]:
    return set(re.findall(r"\{credential: ([a-z0-9-]+)\}", text))


class Reference(unittest.TestCase):
    def test_it_says_what_the_documentation_says(self) -> None:
        self.assertEqual(
            REFERENCE.read_text(encoding="utf-8"), reference_from_documentation(),
            "bring it up to date with: python3 -B tests/docs/test_examples.py --write",
        )  # fmt: skip

    def test_it_names_every_key_and_all_of_it_is_a_comment(self) -> None:
        text = REFERENCE.read_text(encoding="utf-8")
        self.assertIsNone(yaml.safe_load(text))
        page = (TOP / "docs/configuration.md").read_text(encoding="utf-8").partition("<!-- reference: begin -->")[2]
        for key in set(re.findall(r"^\| `(\w+)`", page, re.M)):
            self.assertRegex(text, rf"(?m)^#\s*{key}:")


class Examples(unittest.TestCase):
    def test_each_is_valid_with_secrets_in_their_place(self) -> None:
        self.assertEqual(len(EXAMPLES), 5)
        for example in EXAMPLES:
            with self.subTest(example.name), tempfile.TemporaryDirectory() as directory:
                text = example.read_text(encoding="utf-8")
                for name in credentials_of(text):
                    Path(directory, name).write_text("https://example.com/stand-in\n", encoding="utf-8")
                done = subprocess.run(
                    [BIN / "pgbakctl", "--config", example, "check"], capture_output=True, text=True, check=False,
                    env={**os.environ, "CREDENTIALS_DIRECTORY": directory},
                )  # fmt: skip
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertNotIn("warning", done.stdout + done.stderr)

    def test_each_names_the_credentials_that_it_wants(self) -> None:
        for example in EXAMPLES:
            text = example.read_text(encoding="utf-8")
            told = " ".join(re.findall(r"^# (.*)$", text, re.M)).partition("Credentials, ")[2].partition(": ")[2].partition(".")[0]
            self.assertEqual(set(told.replace(",", "").split()), credentials_of(text), example.name)

    def test_the_page_on_migration_has_a_part_for_each(self) -> None:
        page = (TOP / "docs/migration.md").read_text(encoding="utf-8")
        for example in EXAMPLES:
            part = re.search(r'docs/migration\.md, "([^"]+)"', example.read_text(encoding="utf-8").replace("\n# ", " "))
            assert part, example.name
            self.assertIn(f"\n## {part.group(1)}\n", page)
            self.assertIn(f"(../etc/examples/{example.name})", page)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        REFERENCE.write_text(reference_from_documentation(), encoding="utf-8")
    else:
        unittest.main()
