"""Which sources of a folder are compiled as one file where PGBAKD_UNITY is on: unity_groups.py SOURCE…

Prints a line for each source: its group, TAB, its path. What a source keeps to itself (in a namespace without a name, by
`static`, an alias or a macro) is never in a group with another source that has the name too, be it by a header: what is
compiled together shall mean what it means alone.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
MOST_BYTES = 90_000  # of a group: there must be enough of them for all cores, and memory has an end
MOST_FILES = 12

# What says nothing about names: comments, raw strings, strings and characters.
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', re.S)
TOKEN = re.compile(r"#[^\n]*(?:\\\n[^\n]*)*|\w+|::|[^\s\w]")
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
NAME = re.compile(r"[A-Za-z_]\w*")
# What stands before a bracket, or at the end of a declaration, and is no name.
WORDS = {"class", "struct", "const", "noexcept", "override", "final", "decltype", "requires", "sizeof", "alignas", "explicit", "operator"}

Names = dict[str, str]  # name → whose it is: two of one name go together if that is the same


def without_template(statement: list[str]) -> list[str]:
    while statement[:1] == ["template"]:
        depth = 0
        for index, token in enumerate(statement):
            depth += {"<": 1, ">": -1}.get(token, 0)
            if index > 0 and depth == 0:
                statement = statement[index + 1 :]
                break
        else:
            return []
    return statement


def declared(statement: list[str], own: str, is_hidden: bool) -> Names:
    """By one declaration outside of functions and classes, up to its body, its value or its end."""
    statement = without_template(statement)
    if statement[:1] == ["namespace"]:
        return {statement[1]: " ".join(statement[3:])} if "=" in statement else {}
    if statement[:1] == ["using"] and "=" not in statement:
        return {} if "namespace" in statement or "enum" in statement else {statement[-1]: " ".join(statement[1:])}
    whose = own if is_hidden or "static" in statement or statement[:1] == ["using"] else "all"
    found: Names = {}
    depth = 0
    for index, token in enumerate(statement):
        before = statement[index - 1] if index else ""
        after = statement[index + 1] if index + 1 < len(statement) else ""
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token, 0)
        if depth > 0 or not NAME.fullmatch(token) or token in WORDS:
            if token == ":" and depth == 0:
                break
            continue
        is_type = before in ("struct", "class", "enum", "union", "concept")
        # Qualified names are of something that was declared elsewhere; TEST_CASE is a macro.
        is_other = after in ("(", "=", "[", "") and before != "::" and not (token.isupper() and after == "(")
        if (is_type and after != "::") or is_other:
            found[token] = whose
        if after in ("=", "("):
            break
    return found


def names_of(text: str, own: str) -> Names:
    """Names declared outside of functions and classes. `own` is whose those are that others cannot see."""
    found: Names = {}
    scopes: list[str] = []  # of each open brace: a namespace, or something else
    statement: list[str] = []
    depth = 0
    quiet = NOISE.sub(lambda noise: " " if noise[0].startswith("/") else " text ", text)
    for token in TOKEN.findall(quiet):
        outside = "other" not in scopes
        is_hidden = "unnamed" in scopes or not scopes
        if token.startswith("#"):
            if macro := re.match(r"#\s*define\s+(\w+)", token):
                found[macro[1]] = own
        elif token == "{":
            kind = "other"
            if outside and depth == 0 and statement[:1] in (["namespace"], ["inline"]) and "namespace" in statement:
                kind = "unnamed" if statement[-1] == "namespace" else "named"
            elif outside and depth == 0:
                found |= declared(statement, own, is_hidden)
            scopes.append(kind)
            statement = statement if depth else []
        elif token == "}":
            if scopes:
                scopes.pop()
            statement = statement if depth else []
        elif outside:
            depth += {"(": 1, ")": -1}.get(token, 0)
            if token == ";" and depth == 0:
                found |= declared(statement, own, is_hidden)
                statement = []
            else:
                statement.append(token)
    return found


@cache
def names_of_header(path: Path) -> Names:
    # What a header has is the same for all who include it.
    return names_of(path.read_text(encoding="utf-8"), str(path)) if path.exists() else {}


def names_in(path: Path) -> Names:
    text = path.read_text(encoding="utf-8")
    found: Names = {}
    for header in INCLUDE.findall(text):
        for directory in (path.parent, TOP / "lib", TOP / "tests"):
            found |= names_of_header(directory / header)
    return found | names_of(text, str(path))


def groups(paths: list[Path]) -> list[list[Path]]:
    made: list[tuple[list[Path], Names, int]] = []
    for path in sorted(paths):
        names, size = names_in(path), path.stat().st_size
        for index, (members, taken, total) in enumerate(made):
            fits = len(members) < MOST_FILES and total + size <= MOST_BYTES
            if fits and all(taken.get(name, whose) == whose for name, whose in names.items()):
                made[index] = ([*members, path], taken | names, total + size)
                break
        else:
            made.append(([path], names, size))
    return [members for members, _, _ in made]


if __name__ == "__main__":
    for number, members in enumerate(groups([Path(word) for word in sys.argv[1:]]), 1):
        for member in members:
            print(f"{number}\t{member}")
