"""The figures of docs/performance.md: medians, and ratios against a baseline measured in the same run."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import proc
from support.api import free_port
from support.daemon import Daemon, config_for
from support.postgres import PostgresServer
from support.process import current_account, remove_directory, run, scratch_directory
from files import compare_files
from load import measure_load
from uploads import compare_uploads

CASES = ["memory", "custom", "basebackup", "files", "idle", "schedules", "planner", "next", "upload", "load"]
MIB = 1 << 20
# About 1 GB of COPY data per unit: text, JSON, numbers, and some that does not compress.
MEDIUM = """
create table line(id bigint, customer int, note text, attributes jsonb, price numeric, noise text);
insert into line select i, i % 100000, 'order ' || i || ' of ' || md5((i % 5000)::text) || ' shipped with care',
  jsonb_build_object('sku', 'SKU-' || i % 20000, 'tags', array['a', 'b', (i % 7)::text], 'weight', (i::bigint * 37 % 1000) / 10.0),
  (i::bigint * 7919 % 100000) / 100.0, encode(sha256(i::text::bytea), 'base64') from generate_series(1, {rows}) i;
"""
ROWS_PER_GB = 4_700_000


def load(server: PostgresServer, database: str, gigabytes: float) -> None:
    server.createdb(database)
    server.sql(MEDIUM.format(rows=int(ROWS_PER_GB * gigabytes)), database, timeout=3600)
    server.sql("vacuum analyze", database, timeout=3600)


def timed(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


class Bench:
    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.results: list[dict[str, Any]] = []
        self._server: PostgresServer | None = None

    @property
    def server(self) -> PostgresServer:
        """Started by the first case that needs one."""
        if self._server is None:
            self._server = PostgresServer(
                settings={"max_wal_size": "8GB", "shared_buffers": "256MB", "autovacuum": "off"}
            )
            self._server.start()
        return self._server

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def say(self, case: str, figure: str, **more: Any) -> None:
        self.results.append({"case": case, **more})
        print(f"{case:<58} {figure}", flush=True)

    def daemon(self, databases: list[str], compression: str = "gzip:6", **source: Any) -> Daemon:
        job = {"source": {"type": "pg_dump", "server": "local", "databases": databases, **source}, "compression": compression,
               "retention": {"local": {"last": 1, "at_least": 1}}}
        return Daemon(config_for(self.server, jobs={"job": job}), watchdog_seconds=30)

    # --- cases ---

    def memory(self) -> None:
        """Peak memory of the daemon while dumping 0.2 and 2 GB: constant."""
        peaks = {}
        for size in (0.2, 2.0):
            name = f"memory_{int(size * 10)}"
            load(self.server, name, size * self.scale)
            for form in ("custom", "plain"):
                with self.daemon([name], format=form) as daemon:
                    report = daemon.run("job", timeout=3600)
                    assert report["status"] == "SUCCESS", report
                    peaks[form, size] = proc.peak_resident_bytes(daemon.pid)
        for form in ("custom", "plain"):
            small, large = peaks[form, 0.2], peaks[form, 2.0]
            self.say(f"peak memory, {form}, 2 GB against 0.2 GB (at most 1.10)",
                     f"{large / small:.2f}   {small / MIB:.1f} and {large / MIB:.1f} MiB (at most 96)",
                     ratio=large / small, bytes=large)

    def custom(self) -> None:
        """A custom-format job against pg_dump -Fc at the same level to a file and its checksum, without and with a read to
        its end; and against the least that pg_dump can do, which is to compress nothing and write nowhere."""
        load(self.server, "custom", self.scale)
        account = self.server.account
        target = self.server.directory / "baseline"
        environment = self.server.environment("custom")

        def program(name: str, *arguments: str) -> None:
            run([self.server.bin / name, *arguments], account, environment=environment, timeout=3600).check()

        def stock(level: int) -> None:
            target.unlink(missing_ok=True)
            program("pg_dump", "-Fc", f"-Z{level}", "-f", str(target))
            run(["/usr/bin/sha256sum", str(target)], account, timeout=3600).check()

        def read() -> None:
            program("pg_restore", "-f", "/dev/null", str(target))

        for level, rounds, bar in ((6, 5, 0.30), (9, 3, 0.18)):
            with self.daemon(["custom"], f"gzip:{level}", fingerprint="none") as bare, \
                    self.daemon(["custom"], f"gzip:{level}") as counting:  # fmt: skip
                reports: list[dict[str, Any]] = []
                ours: list[float] = []
                counted: list[float] = []
                unread: list[float] = []
                theirs: list[float] = []
                least: list[float] = []
                for _ in range(rounds):
                    unread.append(timed(lambda: stock(level)))
                    theirs.append(unread[-1] + timed(read))
                    least.append(timed(lambda: program("pg_dump", "-Fc", "-Z0", "--no-sync", "-f", "/dev/null")))
                    ours.append(timed(lambda: reports.append(bare.run("job", timeout=3600))))
                    counted.append(timed(lambda: counting.run("job", timeout=3600)))
                peak = proc.peak_resident_bytes(bare.pid)
            floor = statistics.median(least)
            for name, times in (("", ours), (", with row counts", counted)):
                figure = statistics.median(times)
                for stock_name, stock_times, most in (("sha256sum", unread, "1.00"), ("sha256sum, pg_restore", theirs, bar)):
                    base = statistics.median(stock_times)
                    self.say(f"custom gzip:{level}, decoded and read back{name}, against pg_dump, {stock_name} ({most})",
                             f"{figure / base:.2f}   {figure:.1f} s against {base:.1f} s", ratio=figure / base)
            figure = statistics.median(ours)
            self.say(f"custom gzip:{level} against pg_dump -Fc -Z0 to nowhere (1.8)",
                     f"{figure / floor:.2f}   {figure:.1f} s against {floor:.1f} s, {peak / MIB:.1f} MiB at most (128)",
                     ratio=figure / floor, bytes=peak)
            size, stock_size = reports[-1]["artifacts"][0]["bytes"], target.stat().st_size
            self.say(f"custom gzip:{level}, size against pg_dump's (1.00)", f"{size / stock_size:.3f}   {size / 1e6:.0f} MB",
                     ratio=size / stock_size)
        self.parallel_restore()

    def parallel_restore(self) -> None:
        """Our archive, which has no offsets, by pg_restore -j2, against pg_dump's own file, which has them."""
        self.server.createdb("restored")
        load(self.server, "tables", self.scale / 4)
        for number, share in enumerate((2, 3, 5, 8, 13, 21)):
            self.server.sql(f"create table part_{number} as select * from line where id % {share} = 0;"
                            f"alter table part_{number} add primary key (id)", "tables", timeout=3600)  # fmt: skip
        target = self.server.directory / "baseline"
        target.unlink(missing_ok=True)
        self.server.program("pg_dump", "-Fc", "-Z6", "-f", str(target), "tables", timeout=3600).check()
        times: dict[str, list[float]] = {"ours": [], "stock": []}
        with self.daemon(["tables"], "gzip:6", fingerprint="none") as daemon:
            report = daemon.run("job", timeout=3600)
            files = {"ours": daemon.set_directory(report["set"]) / report["artifacts"][0]["file"], "stock": target}
            for _ in range(5):
                for name, file in files.items():
                    def restore(file: Path = file) -> None:
                        self.server.program("pg_restore", "-j2", "--clean", "--if-exists", "-d", "restored", str(file), timeout=3600).check()

                    times[name].append(timed(restore))
        ours, theirs = statistics.median(times["ours"]), statistics.median(times["stock"])
        self.say("pg_restore -j2 of it against pg_dump's own file with offsets (1.05)",
                 f"{ours / theirs:.2f}   {ours:.1f} s against {theirs:.1f} s", ratio=ours / theirs)

    def basebackup(self) -> None:
        """A whole cluster, verified against its manifest and read back, against pg_basebackup, which does neither."""
        load(self.server, "basebackup", self.scale)
        account = self.server.account
        target = self.server.directory / "baseline-base"
        stock = {"gzip:6": "client-gzip:6", "zstd:3": "client-zstd:level=3,workers=2"}
        for compression, method in stock.items():
            def backup(method: str = method) -> None:
                remove_directory(target)
                self.server.program("pg_basebackup", "--pgdata", str(target), "--format=tar", "--wal-method=fetch",
                                    "--checkpoint=fast", f"--compress={method}", timeout=3600).check()

            job = {"source": {"type": "pg_basebackup", "server": "local"}, "compression": compression,
                   "retention": {"local": {"last": 1, "at_least": 1}}}
            with Daemon(config_for(self.server, jobs={"job": job}), watchdog_seconds=30) as daemon:
                ours: list[float] = []
                theirs: list[float] = []
                for _ in range(3):
                    theirs.append(timed(backup))
                    ours.append(timed(lambda: daemon.run("job", timeout=3600)))
                peak = proc.peak_resident_bytes(daemon.pid)
            base, figure = statistics.median(theirs), statistics.median(ours)
            self.say(f"base backup, {compression}, verified and read back, against pg_basebackup {method}",
                     f"{figure / base:.2f}   {figure:.1f} s against {base:.1f} s, {peak / MIB:.1f} MiB at most",
                     ratio=figure / base, bytes=peak)
        remove_directory(target)

    def files(self) -> None:
        """Trees of files against tar and the stock compressors."""
        compare_files(self.scale, self.say)

    def idle(self) -> None:
        """Sixty idle seconds: CPU, and voluntary wake-ups of all threads."""
        def switches(pid: int) -> dict[str, int]:
            found = {}
            for task in Path(f"/proc/{pid}/task").iterdir():
                for line in (task / "status").read_text(encoding="utf-8").splitlines():
                    if line.startswith("voluntary_ctxt_switches"):
                        found[task.name] = int(line.split()[1])
            return found

        def cpu(pid: int) -> float:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        with self.daemon(["postgres"]) as daemon:
            time.sleep(3)
            before, pings = switches(daemon.pid), daemon.notify.count("WATCHDOG")
            began = cpu(daemon.pid)
            time.sleep(60)
            after, pinged = switches(daemon.pid), daemon.notify.count("WATCHDOG") - pings
            wakes = sum(after.values()) - sum(before.values())
            self.say("60 idle seconds: wake-ups of all threads, watchdog pings, CPU",
                     f"{wakes} wake-ups for {pinged} pings, {(cpu(daemon.pid) - began) * 1000:.0f} ms of CPU",
                     wakes=wakes, pings=pinged)


    # --- schedules ---

    @staticmethod
    def measured(what: str) -> dict[str, float]:
        program = Path(os.environ["PGBAKD_BENCH_DIR"]) / "bench_schedules"
        done = run([program, what], current_account(), timeout=600).check()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in done.out.splitlines())}

    def schedules(self) -> None:
        """The next fire of twelve typical expressions, against taking a date apart and putting it together again."""
        found = self.measured("next")
        base = found["baseline"]
        for zone, bound in (("UTC", 0.15), ("Europe/Berlin", 0.5)):
            for figure, most in (("median", bound), ("worst", 5.0), ("minutely beside a change", 5.0)):
                value = found[f"{zone} {figure}"]
                self.say(f"next fire, {zone}, {figure} (at most {most} µs)",
                         f"{value / 1000:.3f} µs   {value / base:.1f} times the arithmetic of a date",
                         nanoseconds=value, ratio=value / base)

    def planner(self) -> None:
        """A planner with 100,000 jobs, against putting as many names into a map and instants into a set."""
        found = self.measured("planner")
        for name, what in (("load", "100,000 jobs loaded"), ("fires", "100,000 fires of one second, in order")):
            self.say(f"{what} (at most 1 s)", f"{found[name] / 1e9:.2f} s   {found[name] / found['baseline']:.1f} times the containers alone",
                     nanoseconds=found[name], ratio=found[name] / found["baseline"])
        self.say("resident memory per job, its schedule included (below 1,024)", f"{found['bytes per job']:.0f} bytes",
                 bytes=found["bytes per job"])
        self.say("wake-ups in 3 seconds with nothing due (0)", f"{found['idle wakes']:.0f}", wakes=found["idle wakes"])

    def next(self) -> None:
        """pgbakctl next on 10,000 jobs."""
        account = current_account()
        directory = scratch_directory(account, "pgb-bench-")
        forms = ["daily at 02:{minute:02}", "'{minute} 3 * * *'", "weekly on sunday at 04:{minute:02}", "every 15 minutes",
                 "calendar Mon..Fri *-*-* 05:{minute:02}:00"]
        lines = ["timezone: Europe/Berlin", "servers: {local: {}}", f"repository: {{directory: {directory}/sets}}", "jobs:"]
        for number in range(10_000):
            schedule = forms[number % len(forms)].format(minute=number % 60)
            lines += [f"  job-{number:05}:", f"    schedule: {schedule}", "    source: {type: pg_dump, server: local, databases: all}"]
        file = directory / "pgbakd.yaml"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        program = Path(os.environ["PGBAKD_BIN_DIR"]) / "pgbakctl"
        for name, options in (("one fire each", ["-n", "1"]), ("ten each, as JSON", ["--json"])):
            command = [program, "--config", file, "next", *options]
            times = [timed(lambda: run(command, account, timeout=60).check()) for _ in range(5)]
            self.say(f"pgbakctl next, 10,000 jobs, {name} (at most 1 s)", f"{statistics.median(times):.2f} s",
                     seconds=statistics.median(times))
        remove_directory(directory)

    # --- copies ---

    def upload(self) -> None:
        """A large file and many small ones into a bucket, against the stock tools."""
        compare_uploads(self.scale, self.say)

    # --- the API ---

    def load(self) -> None:
        """`status` with 10,000 jobs and 100,000 sets, p99 below 20 ms."""
        measure_load(self.server, int(10_000 * min(self.scale, 1.0)), free_port(), self.say)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="size of the data, 1 is about 1 GB")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("case", nargs="*", help=f"{', '.join(CASES)}; default: all")
    arguments = parser.parse_args()
    bench = Bench(arguments.scale)
    try:
        for case in arguments.case or CASES:
            getattr(bench, case)()
    finally:
        bench.close()
    if arguments.json:
        arguments.json.write_text(json.dumps(bench.results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
