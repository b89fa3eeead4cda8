"""What `status` costs with many jobs and sets, asked by wrk while runs go on."""

from __future__ import annotations

import copy
import json
import os
import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from support.api import Api
from support.daemon import Daemon, config_for
from support.postgres import PostgresServer

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SETS_PER_JOB = 10
CONNECTIONS = 4


def run_id(number: int, at: datetime) -> str:
    value = (int(at.timestamp() * 1000) << 80) | number
    return "".join(ALPHABET[(value >> (5 * place)) & 31] for place in reversed(range(26)))


def fill(daemon: Daemon, jobs: list[str], report: dict[str, Any], manifest: dict[str, Any]) -> None:
    """Ten days of history for every job, as if each night had been like the one run that was."""
    content = b"x"
    artifact = manifest["artifacts"][0]
    artifact.update(file="globals.sql.gz", bytes=len(content))
    manifest["artifacts"] = [artifact]
    state = sqlite3.connect(daemon.directory / "state" / "state.db")
    today = datetime.now(timezone.utc).replace(hour=2, minute=0, second=0, microsecond=0) - timedelta(days=1)
    number = 0
    for job in jobs:
        for day in range(SETS_PER_JOB):
            number += 1
            at = today - timedelta(days=day)
            name = f"{at:%Y%m%d_%H%M%S}"
            run = run_id(number, at)
            start, end = at.isoformat().replace("+00:00", "Z"), (at + timedelta(seconds=4)).isoformat().replace("+00:00", "Z")
            directory = daemon.repository / job / name
            directory.mkdir(parents=True)
            (directory / artifact["file"]).write_bytes(content)
            manifest.update(set=f"{job}/{name}", job=job, run=run, started_at=start, finished_at=end)
            (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
            told = copy.copy(report)
            told.update(run=run, job=job, set=f"{job}/{name}", started_at=start, finished_at=end)
            state.execute(
                "INSERT INTO runs (id, job, outcome, started_at, finished_at, report) VALUES (?, ?, 'SUCCESS', ?, ?, ?)",
                (run, job, int(at.timestamp() * 1000), int(at.timestamp() * 1000) + 4000, json.dumps(told)),
            )
    state.commit()
    state.close()
    if not daemon.account.is_current:
        subprocess.run(["chown", "-R", f"{daemon.account.uid}:{daemon.account.gid}", daemon.directory / "state"], check=True)


def ask_by_wrk(api: Api, target: str, seconds: int, nice: int = 0) -> dict[str, Any]:
    assert isinstance(api.place, tuple)
    url = f"http://{api.place[0]}:{api.place[1]}{target}"
    done = subprocess.run(
        ["nice", f"-n{nice}", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-H", f"Authorization: Bearer {api.token}", url],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = {}
    for part in ("50", "90", "99"):
        value, unit = re.search(rf"^ +{part}% +([0-9.]+)(us|ms|s)$", done.stdout, re.M).groups()  # type: ignore[union-attr]
        found[f"p{part}_ms"] = float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    found["requests_per_second"] = float(re.search(r"^Requests/sec: +([0-9.]+)$", done.stdout, re.M).group(1))  # type: ignore[union-attr]
    found["wrong"] = "Non-2xx" in done.stdout or "Socket errors" in done.stdout
    return found


def median_run(api: Api, jobs: list[str], count: int = 30) -> float:
    """Of so many runs, one after another, in seconds."""
    took = [api.post(f"/v1/jobs/{jobs[number % len(jobs)]}/runs?wait=true").json["duration_seconds"] for number in range(count)]
    return sorted(took)[count // 2]


def measure_load(server: PostgresServer, jobs: int, port: int, say: Callable[..., None], seconds: int = 20) -> None:
    names = [f"job-{number:05}" for number in range(jobs)]
    server.createdb("tiny")
    source = {"type": "pg_dump", "server": "local", "databases": ["tiny"], "fingerprint": "none"}
    schedule = f"daily at {(datetime.now(timezone.utc) + timedelta(hours=12)):%H:%M}"
    token = os.urandom(16).hex()
    config = config_for(
        server,
        jobs={name: {"source": source, "schedule": schedule} for name in names},
        api={"listen": f"127.0.0.1:{port}", "token": token},
    )
    daemon = Daemon(config, watchdog_seconds=10)
    try:
        daemon.start()
        report = daemon.run(names[0])
        manifest = daemon.manifest(report["set"])
        daemon.stop()
        subprocess.run(["rm", "-r", daemon.repository / names[0]], check=True)
        began = time.monotonic()
        fill(daemon, names, {**report, "trigger": "schedule", "slot": None, "timezone": "UTC"}, manifest)
        say("load: making the history", f"{time.monotonic() - began:.1f} s", jobs=jobs)
        began = time.monotonic()
        daemon.start()
        say("load: start", f"{time.monotonic() - began:.2f} s", seconds=time.monotonic() - began)
        api = Api(("127.0.0.1", port), token)
        began = time.monotonic()
        size = len(api.ask("GET", "/v1/status").body)
        say("load: the first status", f"{time.monotonic() - began:.2f} s, {size / 1e6:.2f} MB", bytes=size)
        while api.ask("GET", "/v1/status").json["places"][0]["count"] is None:
            time.sleep(0.5)
        say("load: until all sets were counted", f"{time.monotonic() - began:.1f} s")
        scrapes = []
        for _ in range(5):
            began = time.monotonic()
            size = len(api.ask("GET", "/metrics").body)
            scrapes.append(time.monotonic() - began)
        say("load: /metrics", f"{sorted(scrapes)[2]:.2f} s, {size / 1e6:.2f} MB", seconds=sorted(scrapes)[2])
        pings = daemon.notify.count("WATCHDOG")
        quiet = median_run(api, names)
        for busy in (False, True):
            over, runs = threading.Event(), []

            def keep_running() -> None:
                number = 2
                while not over.is_set():
                    number += 1
                    runs.append(api.post(f"/v1/jobs/{names[number % jobs]}/runs?wait=true").json["duration_seconds"])

            thread = threading.Thread(target=keep_running)
            if busy:
                thread.start()
            for target in ("/v1/status", "/v1/backups", "/healthz"):
                found = ask_by_wrk(api, target, seconds if target == "/v1/status" else 5)
                say(f"load: {target}{' while runs go on' if busy else ''}",
                    f"p50 {found['p50_ms']:.2f} p90 {found['p90_ms']:.2f} p99 {found['p99_ms']:.2f} ms, "
                    f"{found['requests_per_second']:.0f}/s{' ERRORS' if found['wrong'] else ''}", **found)  # fmt: skip
            over.set()
            if busy:
                thread.join()
                runs.sort()
                say("load: a run beside it", f"{runs[len(runs) // 2]:.2f} s of {len(runs)}, alone {quiet:.2f} s")
        # The client takes the processors that nobody else wants: what is left is what the daemon's answers cost a run.
        with ThreadPoolExecutor(1) as beside:
            asked = beside.submit(ask_by_wrk, api, "/v1/status", seconds, 19)
            found = median_run(api, names)
            beside_it = asked.result()["requests_per_second"]
        say("load: a run beside a client at nice 19 (1.0)", f"{found / quiet:.2f}   {found:.3f} s against {quiet:.3f} s, "
            f"{beside_it:.0f} answers a second", ratio=found / quiet)  # fmt: skip
        say("load: watchdog", f"{daemon.notify.count('WATCHDOG') - pings} pings")
        memory = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{daemon.pid}/status").read_text(encoding="ascii"))
        say("load: peak memory", f"{int(memory.group(1)) / 1024:.0f} MiB" if memory else "unknown")
    finally:
        daemon.close()
