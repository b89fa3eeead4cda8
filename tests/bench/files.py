"""Files as a source against `tar` piped into the stock compressors, each to a file and then read once for its sum; and peak
memory over a small tree and a large one."""

from __future__ import annotations

import random
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import proc
from support.daemon import Daemon, fire_far_away
from support.process import remove_directory, scratch_directory, unprivileged_account

MIB = 1 << 20
# As an application's data directory is: many short texts, some large files, some that do not compress.
SMALL_FILES, LARGE_FILES, LARGE = 6000, 24, 32 * MIB
STOCK = {"gzip:6": ["gzip", "-6"], "zstd:3": ["zstd", "-q", "-3", "-T2"]}


def make_tree(top: Path, scale: float, seed: int = 1) -> int:
    """Returns how many bytes are in it."""
    noise = random.Random(seed)
    words = [f"word{i}" for i in range(2000)]
    total = 0
    for number in range(int(SMALL_FILES * scale)):
        text = (" ".join(noise.choices(words, k=800)) + "\n").encode()
        directory = top / f"d{number % 100:02}" / f"e{number % 7}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file-{number}.txt").write_bytes(text)
        total += len(text)
    for number in range(max(1, int(LARGE_FILES * scale))):
        block = (" ".join(noise.choices(words, k=9000))).encode() if number % 4 else noise.randbytes(64 << 10)
        (top / f"large-{number}").write_bytes((block * (LARGE // len(block) + 1))[:LARGE])
        total += LARGE
    return total


def pack(tree: Path, compressor: list[str], target: Path) -> None:
    with target.open("wb") as out:
        tar = subprocess.Popen(["tar", "--create", "--file=-", "--directory", tree, "."], stdout=subprocess.PIPE)
        subprocess.run(compressor, stdin=tar.stdout, stdout=out, check=True)
        if tar.wait() != 0:
            raise RuntimeError("tar failed")
    subprocess.run(["sha256sum", target], stdout=subprocess.DEVNULL, check=True)


def compare_files(scale: float, say: Callable[..., None]) -> None:
    place = scratch_directory(unprivileged_account(), "pgb-bench-")
    small, large = place / "small", place / "large"
    small.mkdir()
    large.mkdir()
    bytes_small, bytes_large = make_tree(small, 0.1 * scale), make_tree(large, scale)

    def job(tree: Path, compression: str) -> dict[str, Any]:
        return {"schedule": fire_far_away(), "source": {"type": "files", "paths": [str(tree)]}, "compression": compression,
                "retention": {"local": {"last": 1, "at_least": 1}}}  # fmt: skip

    def runs(tree: Path, compression: str, baseline: Callable[[], object] | None, rounds: int) -> tuple[list[float], list[float], int]:
        """How long each of ours and of theirs took, in turn, and the daemon's peak memory."""
        ours, theirs = [], []
        with Daemon({"timezone": "UTC", "jobs": {"job": job(tree, compression)}}, watchdog_seconds=30) as daemon:
            for _ in range(rounds):
                if baseline:
                    theirs.append(clocked(baseline))
                ours.append(clocked(lambda: daemon.run("job", timeout=3600)))
            return ours, theirs, proc.peak_resident_bytes(daemon.pid)

    def clocked(action: Callable[[], object]) -> float:
        began = time.monotonic()
        action()
        return time.monotonic() - began

    for compression, stock in STOCK.items():
        def baseline(compressor: list[str] = stock) -> None:
            pack(large, compressor, place / "baseline")

        ours, theirs, peak = runs(large, compression, baseline, 5)
        base, figure = statistics.median(theirs), statistics.median(ours)
        say(f"files, {compression}, decoded and read back, against tar | {' '.join(stock)} + sha256sum (1.00)",
            f"{figure / base:.2f}   {figure:.1f} s against {base:.1f} s for {bytes_large / MIB:.0f} MiB", ratio=figure / base)
        _, _, small_peak = runs(small, compression, None, 1)
        say(f"peak memory, files, {compression}, ten times the data (at most 1.10)",
            f"{peak / small_peak:.2f}   {small_peak / MIB:.1f} and {peak / MIB:.1f} MiB for {bytes_small / MIB:.0f} and {bytes_large / MIB:.0f} MiB",
            ratio=peak / small_peak, bytes=peak)  # fmt: skip
    remove_directory(place)
