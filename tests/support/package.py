"""The Debian package that tests install: built by packaging/build-deb, or one of PGBAKD_PACKAGES/<suite>."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def package_for(suite: str) -> Path:
    """The newest one; it is built if PGBAKD_PACKAGES names no directory of those that were built before."""
    place = Path(os.environ["PGBAKD_PACKAGES"]) if "PGBAKD_PACKAGES" in os.environ else TOP / "build/deb"
    if "PGBAKD_PACKAGES" not in os.environ:
        subprocess.run([TOP / "packaging/build-deb", "--suite", suite], check=True, stdin=subprocess.DEVNULL)
    found = sorted((place / suite).glob("pgbakd_*.deb"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise AssertionError(f"no package in {place / suite}")
    return found[-1]


def field(package: Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "--field", package, name], capture_output=True, text=True, check=True).stdout.strip()


def dependencies(package: Path) -> list[str]:
    """What it depends on, the first of each choice, without versions; and all that it speaks of besides."""
    wanted = ", ".join(field(package, name) for name in ("Depends", "Recommends", "Suggests"))
    return [re.sub(r" *\(.*", "", choice.split("|")[0]).strip() for choice in wanted.split(",") if choice.strip()]


def with_version(package: Path, version: str, directory: Path) -> Path:
    """The same package under another version."""
    subprocess.run(["dpkg-deb", "--raw-extract", package, directory / "tree"], check=True)
    control = directory / "tree/DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text(encoding="utf-8")), encoding="utf-8")
    made = directory / f"pgbakd_{version}.deb"
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", directory / "tree", made], check=True, stdout=subprocess.DEVNULL)
    return made
