"""Reads the floors from lib/README.md and finds what breaks them, in any tree, so that it can be tested itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SOURCES = (".cpp", ".hpp", ".h", ".cc", ".ipp")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
# Strings are matched too, so that // inside of one does not begin a comment.
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
CPP_STANDARD = re.compile(r"^[a-z_0-9]+$")
LINUX = re.compile(
    r"^(?:(?:sys|linux|netinet|arpa|net)/[a-z0-9_/]+|aio|cxxabi|dirent|dlfcn|endian|errno|fcntl|fnmatch|grp|limits"
    r"|malloc|netdb|poll|pthread|pwd|sched|semaphore|signal|spawn|stdio|stdlib|string|strings|termios|time|unistd"
    r"|utime|wordexp)\.h$"
)
BANNED = {
    re.compile(r"\basio::detached\b"): "asio::detached: a lost task is a lost failure; spawn it in a TaskGroup",
    re.compile(r"(?<![\w.>])popen\s*\("): "popen(): runs a shell; use async::Child",
    re.compile(r"(?<![\w.>])system\s*\("): "system(): runs a shell; use async::Child",
}
MAIN_LINES = 100


@dataclass
class Home:
    folder: str
    also: set[str] = field(default_factory=set)
    above: bool = False
    everyone: bool = False


@dataclass
class House:
    floors: dict[str, int]
    homes: dict[str, Home]


def table_rows(text: str, first: str) -> Iterator[list[str]]:
    """The rows of the Markdown table whose first column is headed `first`."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[0] == first:
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            yield cells


def read_house(readme: Path) -> House:
    text = readme.read_text(encoding="utf-8")
    floors = {cells[1].strip("`"): int(cells[0]) for cells in table_rows(text, "floor")}
    homes = {}
    for cells in table_rows(text, "header"):
        also = cells[2].partition(":")[0] if len(cells) > 2 else ""
        homes[cells[0].strip("`")] = Home(
            cells[1].strip("`"), set(re.findall(r"`(\w+)`", also)), also.strip() == "above", also.strip() == "everyone"
        )
    if not floors or not homes:
        raise ValueError(f"{readme} has no table of floors, or none of headers")
    return House(floors, homes)


def sources(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.suffix in SOURCES and path.is_file())


def without_comments(text: str) -> str:
    """Comments become blanks (line numbers stay), strings too."""
    return COMMENT_OR_STRING.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


class Checker:
    def __init__(self, top: Path) -> None:
        self.top = top
        self.lib = top / "lib"
        self.house = read_house(self.lib / "README.md")
        self.includes: dict[Path, list[tuple[int, str, str]]] = {}
        self.text: dict[Path, str] = {}
        for path in sources(self.lib) + sources(top / "daemon"):
            text = path.read_text(encoding="utf-8")
            self.text[path] = text
            self.includes[path] = [
                (text.count("\n", 0, match.start(1)) + 1, match.group(1), match.group(2))
                for match in INCLUDE.finditer(text)
            ]

    def place(self, path: Path, line: int) -> str:
        return f"{path.relative_to(self.top)}:{line}"

    def folder_of(self, path: Path) -> str:
        """The folder of lib/ that a file is in; "daemon" for the mains."""
        parts = path.relative_to(self.top).parts
        return parts[1] if parts[0] == "lib" and len(parts) > 2 else parts[0]

    def floor_of(self, folder: str) -> int:
        return self.house.floors.get(folder, 1000 if folder == "daemon" else -1)

    # --- each check returns what is wrong, one line each ---

    def everything(self) -> list[str]:
        checks = (self.folders, self.own_includes, self.third_party, self.cmake, self.cycles, self.banned, self.mains)
        return [line for check in checks for line in check()]

    def folders(self) -> list[str]:
        """The table and the disk agree, and each folder says what it is."""
        found = []
        there = {path.name for path in self.lib.iterdir() if path.is_dir()}
        for folder in sorted(self.house.floors):
            if folder not in there:
                found.append(f"lib/README.md: there is no folder lib/{folder}")
                continue
            for name in ("README.md", "CMakeLists.txt"):
                if not (self.lib / folder / name).exists():
                    found.append(f"lib/{folder}: has no {name}")
        found += [f"lib/{folder}: has no floor in lib/README.md" for folder in sorted(there - set(self.house.floors))]
        for header, home in self.house.homes.items():
            for folder in {home.folder} | home.also:
                if folder not in self.house.floors:
                    found.append(f"lib/README.md: the home of {header}, {folder}, has no floor")
        return found

    def own_includes(self) -> list[str]:
        found = []
        for path, includes in self.includes.items():
            folder = self.folder_of(path)
            for line, kind, name in includes:
                if kind != '"':
                    continue
                other = name.partition("/")[0] if "/" in name else folder
                if folder == "daemon" and "/" not in name:
                    continue
                if other not in self.house.floors:
                    found.append(f'{self.place(path, line)}: "{name}" is in no folder of lib/')
                elif "/" not in name or ".." in name:
                    found.append(f'{self.place(path, line)}: "{name}" should be named by its folder')
                elif not (self.lib / name).exists():
                    found.append(f'{self.place(path, line)}: there is no "{name}"')
                elif other != folder and self.floor_of(other) >= self.floor_of(folder):
                    found.append(
                        f'{self.place(path, line)}: {folder} (floor {self.floor_of(folder)}) may not include "{name}"'
                        f" (floor {self.floor_of(other)})"
                    )
        return found

    def third_party(self) -> list[str]:
        found = []
        for path, includes in self.includes.items():
            folder = self.folder_of(path)
            for line, kind, name in includes:
                if kind != "<" or CPP_STANDARD.match(name) or LINUX.match(name):
                    continue
                home = max(
                    (prefix for prefix in self.house.homes if name.startswith(prefix)), key=len, default=None
                )
                if home is None:
                    found.append(f"{self.place(path, line)}: <{name}> has no home in lib/README.md")
                elif not self._may_include(folder, self.house.homes[home]):
                    owner = self.house.homes[home].folder
                    found.append(f"{self.place(path, line)}: <{name}> belongs to {owner}, not to {folder}")
        return found

    def _may_include(self, folder: str, home: Home) -> bool:
        return (
            home.everyone
            or folder == home.folder
            or folder in home.also
            or (home.above and self.floor_of(folder) >= self.floor_of(home.folder))
        )

    def cmake(self) -> list[str]:
        """DEPENDS names lower floors only, and whatever is included is linked as well."""
        depends: dict[str, set[str]] = {}
        found = []
        for folder in sorted(self.house.floors):
            path = self.lib / folder / "CMakeLists.txt"
            if not path.exists():
                continue
            text = re.sub(r"#[^\n]*", "", path.read_text(encoding="utf-8"))
            match = re.search(r"pgbakd_library\(\s*(\w+)([^)]*)\)", text)
            if not match or match.group(1) != folder:
                found.append(f"lib/{folder}/CMakeLists.txt: does not declare pgbakd_library({folder} …)")
                continue
            words = re.search(r"\bDEPENDS\b((?:\s+[a-z_0-9]+)*)", match.group(2))
            depends[folder] = set(words.group(1).split()) if words else set()
            for other in sorted(depends[folder]):
                if other not in self.house.floors:
                    found.append(f"lib/{folder}/CMakeLists.txt: DEPENDS {other}, which has no floor")
                elif self.floor_of(other) >= self.floor_of(folder):
                    found.append(f"lib/{folder}/CMakeLists.txt: DEPENDS {other}, which is not on a lower floor")
        for path, includes in self.includes.items():
            folder = self.folder_of(path)
            if folder not in depends:
                continue
            reached = self._closure(folder, depends)
            for line, kind, name in includes:
                other = name.partition("/")[0]
                if kind == '"' and "/" in name and other in self.house.floors and other not in reached:
                    found.append(f'{self.place(path, line)}: "{name}", but {folder} does not DEPEND on {other}')
        return found

    @staticmethod
    def _closure(folder: str, depends: dict[str, set[str]]) -> set[str]:
        reached: set[str] = set()
        waiting = [folder]
        while waiting:
            next_folder = waiting.pop()
            if next_folder not in reached:
                reached.add(next_folder)
                waiting += depends.get(next_folder, set())
        return reached

    def cycles(self) -> list[str]:
        """Files that include each other, directly or not."""
        graph = {
            str(path.relative_to(self.lib)): [name for _, kind, name in includes if kind == '"']
            for path, includes in self.includes.items()
            if self.lib in path.parents
        }
        found, done = [], set()

        def visit(name: str, trail: list[str]) -> None:
            if name in trail:
                found.append(" includes ".join([*trail[trail.index(name) :], name]))
                return
            if name in done:
                return
            for other in graph.get(name, []):
                if other in graph:
                    visit(other, [*trail, name])
            done.add(name)

        for name in sorted(graph):
            visit(name, [])
        return found

    def banned(self) -> list[str]:
        found = []
        for path, text in self.text.items():
            for number, line in enumerate(without_comments(text).splitlines(), 1):
                found += [
                    f"{self.place(path, number)}: {why}" for pattern, why in BANNED.items() if pattern.search(line)
                ]
        return found

    def mains(self) -> list[str]:
        """A main parses, calls and maps the result to an exit code; more belongs into lib/."""
        return [
            f"{path.relative_to(self.top)}: has {len(text.splitlines())} lines, a main should have under {MAIN_LINES}"
            for path, text in self.text.items()
            if self.folder_of(path) == "daemon" and len(text.splitlines()) >= MAIN_LINES
        ]
