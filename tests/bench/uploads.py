"""What a copy into a bucket costs, beside the stock tools that could make it: on loopback, to a RADOS Gateway in memory.

Each round runs every tool once, each round begins with another one, and each begins when the gateway has come to rest
and the bucket is empty. Files are in the page cache. All are given the same files, and the same gateway verifies them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import proc
from support.process import current_account, remove_directory, run, scratch_directory
from support.s3 import S3Client
from support.servers import shared_server

ROUNDS = 5
MIB = 1 << 20
PREFIX = "bench"
UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True)
class Cost:
    wall: float  # seconds
    cpu: float  # of the tool and its children
    peak: float  # bytes resident, of the largest process
    server: float  # seconds of CPU


@dataclass(frozen=True)
class Load:
    title: str
    kind: str  # of bench_upload: "files" or "set"
    count: int
    size: int
    most_wall: float


def loads(scale: float) -> list[Load]:
    many, large = max(int(1000 * scale), 2), int(1024 * scale) * MIB
    return [
        Load(f"one file of {large // MIB:,} MiB", "files", 1, large, 1.0),
        Load(f"{many:,} files of 64 KiB", "files", many, 64 << 10, 0.8),
        Load(f"a set of {many:,} such files, with checksum files and manifest", "set", many, 64 << 10, 0.8),
    ]


class Uploads:
    def __init__(self, say: Callable[..., None]) -> None:
        self.say = say
        self.programs = Path(os.environ["PGBAKD_BENCH_DIR"])
        self.facts = shared_server("rgw")
        self.endpoint, self.bucket, self.region = (self.facts[name] for name in ("endpoint", "bucket", "region"))
        self.key, self.secret = self.facts["owner_key"], self.facts["owner_secret"]
        self.client = S3Client(self.endpoint, self.region, self.key, self.secret)
        self.directory = scratch_directory(current_account(), "pgb-bench-")
        self.environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.directory), "LC_ALL": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true", "RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_S_TYPE": "s3",
            "RCLONE_CONFIG_S_PROVIDER": "Ceph", "RCLONE_CONFIG_S_ENV_AUTH": "true",
            "RCLONE_CONFIG_S_ENDPOINT": self.endpoint, "RCLONE_CONFIG_S_REGION": self.region,
        }  # fmt: skip

    def close(self) -> None:
        remove_directory(self.directory)

    # --- the tools ---

    def tools(self, load: Load, source: Path, prepared: Path) -> dict[str, list[str]]:
        files = sorted(source.iterdir())
        where = f"{self.bucket}/{PREFIX}"
        aws = ["/usr/bin/aws", "--endpoint-url", self.endpoint, "s3", "cp", "--only-show-errors"]
        if load.count == 1 and load.kind == "files":
            aws += [str(files[0]), f"s3://{where}/{files[0].name}"]
            rclone = ["/usr/bin/rclone", "copyto", str(files[0]), f"s:{where}/{files[0].name}"]
        else:
            aws += ["--recursive", str(source), f"s3://{where}/"]
            rclone = ["/usr/bin/rclone", "copy", str(source), f"s:{where}"]
        plain = str(self.curl_plain(files))
        return {
            "pgbakd": [str(self.programs / "bench_upload"), load.kind, str(prepared), f"{self.endpoint}/{where}"],
            "aws s3 cp": aws,
            "rclone": rclone,
            "curl -T": ["/usr/bin/curl", "--no-progress-meter", "--config", plain],
            "curl -T, 50 at once": ["/usr/bin/curl", "--parallel", "--no-progress-meter", "--config", plain],
            "sha256sum and curl, 50 at once": ["/bin/sh", "-ec", self.curl_hashed(source)],
        }

    def curl_options(self, digest: str) -> str:
        return (
            f'user = "{self.key}:{self.secret}"\naws-sigv4 = "aws:amz:{self.region}:s3"\nfail\n'
            f'header = "x-amz-content-sha256: {digest}"\n'
        )

    def curl_plain(self, files: list[Path]) -> Path:
        """All in one invocation; nothing is hashed, and the gateway compares nothing."""
        lines = [f'upload-file = "{file}"\nurl = "{self.endpoint}/{self.bucket}/{PREFIX}/{file.name}"\n' for file in files]
        path = self.directory / "plain"
        path.write_text(self.curl_options(UNSIGNED) + "".join(lines), encoding="utf-8")
        return path

    def curl_hashed(self, source: Path) -> str:
        """The same with a hash for each, which is what the other tools send."""
        path = self.directory / "hashed"
        options = self.curl_options("%s").replace('"', '\\"').replace("\n", "\\n")
        url = f"{self.endpoint}/{self.bucket}/{PREFIX}/%s"
        line = f'next\\n{options}upload-file = \\"{source}/%s\\"\\nurl = \\"{url}\\"\\n'
        program = f"'{{ printf \"{line}\", $1, $2, $2 }}'"
        return (
            f"cd '{source}'; find . -type f -printf '%P\\0' | xargs -0 sha256sum | awk {program} | sed 1d >'{path}'; "
            f"exec curl --parallel --no-progress-meter --config '{path}'"
        )

    # --- measuring ---

    def server_seconds(self) -> float:
        total = 0
        for pid in proc.descendants(int(self.facts["pid"])):
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def rest(self) -> None:
        """Empties the bucket, and waits until the gateway has done with what that left it to do."""
        self.client.remove_all(self.bucket, f"{PREFIX}/")
        quiet, before, until = 0, self.server_seconds(), time.monotonic() + 60
        while quiet < 4 and time.monotonic() < until:
            time.sleep(0.25)
            now = self.server_seconds()
            quiet = quiet + 1 if now - before <= 0.02 else 0
            before = now

    def measure(self, command: list[str], expected: list[int]) -> Cost:
        self.rest()
        before = self.server_seconds()
        done = subprocess.run(
            [self.programs / "bench_measure", *command], env=self.environment, capture_output=True, text=True,
            check=False, timeout=600,
        )  # fmt: skip
        server = self.server_seconds() - before
        if done.returncode != 0:
            raise AssertionError(f"{command[0]} failed: {done.stderr[-2000:]}")
        there = sorted(self.client.sizes(self.bucket, f"{PREFIX}/").values())
        if there != expected:
            raise AssertionError(f"{command[0]}: {len(there)} objects are there, and {len(expected)} expected")
        figures = {name: int(value) for name, value in (line.split() for line in done.stdout.splitlines())}
        return Cost(figures["wall"] / 1e9, (figures["user"] + figures["system"]) / 1e9, figures["peak"], server)

    def compare(self, load: Load) -> None:
        account = current_account()
        prepared = self.directory / f"set-{load.count}"
        run([self.programs / "bench_upload", "prepare", prepared, str(load.count), str(load.size)], account, timeout=600).check()
        source = prepared
        if load.kind == "files":
            source = self.directory / f"files-{load.count}"
            source.mkdir()
            for artifact in prepared.glob("*.dump"):
                os.link(artifact, source / artifact.name)
        expected = sorted(file.stat().st_size for file in source.iterdir())
        tools = self.tools(load, source, prepared)
        costs: dict[str, list[Cost]] = {name: [] for name in tools}
        for number in range(ROUNDS):
            order = list(tools)[number % len(tools) :] + list(tools)[: number % len(tools)]
            for name in order:
                costs[name].append(self.measure(tools[name], expected))
        remove_directory(prepared)
        if source.exists():
            remove_directory(source)
        self.tell(load, costs)

    def tell(self, load: Load, costs: dict[str, list[Cost]]) -> None:
        def median(name: str, what: str) -> float:
            return statistics.median(getattr(cost, what) for cost in costs[name])

        print(f"{load.title}: seconds, CPU seconds, MiB, CPU seconds of the server", flush=True)
        for name in costs:
            wall, cpu, peak, server = (median(name, what) for what in ("wall", "cpu", "peak", "server"))
            print(f"  {name:<30} {wall:6.2f} {cpu:6.2f} {peak / MIB:6.0f} {server:6.2f}", flush=True)
        for name in costs:
            if name == "pgbakd":
                continue
            ratios: dict[str, Any] = {what: median("pgbakd", what) / median(name, what) for what in ("wall", "cpu", "peak")}
            self.say(f"  against {name}: wall ({load.most_wall}), CPU and memory (0.5)",
                     "   ".join(f"{ratio:.2f}" for ratio in ratios.values()), load=load.title, tool=name, **ratios)


def compare_uploads(scale: float, say: Callable[..., None]) -> None:
    uploads = Uploads(say)
    try:
        for load in loads(scale):
            uploads.compare(load)
    finally:
        uploads.close()
