"""Lists the Python tests in the given files for CMake, without importing them.

One line per ctest entry: file TAB case TAB label TAB timeout TAB processors TAB lock TAB servers TAB cost. A case is `Class.method`, or
`Class` where the class (or one it derives from, in the same file or in support/) has a setUpClass: that is then paid for
only once.

A file or a class may say what ctest should know about it:

    CTEST = {"timeout": 900, "processors": 2, "lock": "name", "servers": ["rgw"], "cost": 60}

Entries with the same lock never run at the same time. The servers are those of lasting.py, which servers.py hands out. The
cost is the seconds that an entry takes, roughly and where they are many: the longest begin first, so that none is alone at
the end.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

DEFAULTS: dict[str, Any] = {"timeout": 300, "processors": 1, "lock": "", "servers": [], "cost": 0}


def wishes(body: list[ast.stmt], path: Path) -> dict[str, Any]:
    for statement in body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "CTEST" for target in statement.targets
        ):
            found = ast.literal_eval(statement.value)
            unknown = set(found) - set(DEFAULTS)
            if unknown:
                raise SystemExit(f"{path}: CTEST does not know {', '.join(sorted(unknown))}")
            return dict(found)
    return {}


def methods(body: list[ast.stmt]) -> list[str]:
    return [node.name for node in body if isinstance(node, ast.FunctionDef)]


def class_nodes(module: ast.Module) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}


def imported_nodes(module: ast.Module) -> dict[str, ast.ClassDef]:
    """The classes of the files in support/ that a file imports from, and of those that these import from."""
    found: dict[str, ast.ClassDef] = {}
    for node in module.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("support."):
            path = Path(__file__).parent / f"{str(node.module).removeprefix('support.')}.py"
            imported = ast.parse(path.read_text(encoding="utf-8"), str(path))
            # All of them: a class that is imported may have a base that is not.
            found.update({**imported_nodes(imported), **class_nodes(imported)})
    return found


class Classes:
    """The classes of one file and what they take over from each other and from support/."""

    def __init__(self, module: ast.Module) -> None:
        self.own = list(class_nodes(module))
        self.nodes = {**imported_nodes(module), **class_nodes(module)}

    def lineage(self, name: str) -> list[ast.ClassDef]:
        """The class and its bases that are known here, nearest first."""
        if name not in self.nodes:
            return []
        found = [self.nodes[name]]
        for base in self.nodes[name].bases:
            if isinstance(base, ast.Name):
                found += self.lineage(base.id)
        return found

    def is_test(self, name: str) -> bool:
        """A test case names one as its base; what it is mixed with does not."""
        return any(
            (base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")).endswith("TestCase")
            for node in self.lineage(name)
            for base in node.bases
        )


def rows(path: Path) -> list[str]:
    module = ast.parse(path.read_text(encoding="utf-8"), str(path))
    classes = Classes(module)
    found: list[str] = []
    for name in classes.own:
        lineage = classes.lineage(name)
        names = list(dict.fromkeys(method for node in reversed(lineage) for method in methods(node.body)))
        tests = [method for method in names if method.startswith("test")]
        if name.startswith("_") or not tests or not classes.is_test(name):
            continue
        wanted = {**DEFAULTS, **wishes(module.body, path)}
        for node in reversed(lineage):
            wanted.update(wishes(node.body, path))
        cases = [name] if "setUpClass" in names else [f"{name}.{test}" for test in tests]
        for case in cases:
            columns = [path, case, path.parent.name, wanted["timeout"], wanted["processors"], wanted["lock"]]
            columns += [",".join(wanted["servers"]), wanted["cost"]]
            found.append("\t".join(str(column) for column in columns))
    if not found:
        raise SystemExit(f"{path}: has no test")
    return found


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print("\n".join(rows(Path(argument))))
