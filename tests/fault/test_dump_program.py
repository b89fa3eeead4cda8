"""pg_dump that fails in every way a program can: nothing of it may end as a backup."""

from __future__ import annotations

import os
import signal
import sys
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import proc
from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.process import wait_for

CTEST = {"timeout": 900, "cost": 45}


def end_sleep(pid: int) -> None:
    """What a failed test would leave; the number may be somebody else's by now."""
    try:
        if proc.command_line(pid)[0].endswith("sleep"):
            os.kill(pid, signal.SIGKILL)
    except OSError:
        return


class DumpProgram(ServerCase):
    shop_rows = 100_000

    def daemon(self, script: str, *, jobs: dict[str, Any] | None = None, limits: dict[str, int] | None = None,
               top: dict[str, Any] | None = None, **job: Any) -> Daemon:  # fmt: skip
        """A daemon whose pg_dump is this shell script; {real} is the real one. More `jobs` and `top` keys come with it."""
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"], **job.pop("source", {})}
        timeout = job.pop("timeout", "1h")
        config = config_for(
            self.server,
            jobs={"job": {"source": source, "retries": {"attempts": 1},
                          "retention": {"local": {"last": 1, "at_least": 1}}, **job}},
        )  # fmt: skip
        found = self.new_daemon(config)
        bin_directory = found.directory / "bin"
        bin_directory.mkdir()
        real = self.server.bin / "pg_dump"
        guard = f'case "$1" in --version) exec {real} --version;; esac\n'
        program = bin_directory / "pg_dump"
        program.write_text("#!/bin/bash\n" + guard + script.replace("{real}", str(real)) + "\n", encoding="utf-8")
        program.chmod(0o755)
        os.symlink(self.server.bin / "pg_dumpall", bin_directory / "pg_dumpall")
        # One good set first: it must outlive whatever follows.
        found.start()
        self.good = found.run("job")["set"]
        config["servers"]["local"]["client"] = {"bin": str(bin_directory)}
        config["jobs"]["job"]["timeout"] = timeout
        config["jobs"].update(jobs or {})
        config["limits"] = limits or {}
        config.update(top or {})
        found.write_config(config)
        found.ctl("reload")
        return found

    def check_failed(self, daemon: Daemon, *words: str) -> dict[str, Any]:
        answer = daemon.ctl("--json", "run", "job", "--wait", check=False)
        self.assertEqual(answer.code, 1, answer)
        report: dict[str, Any] = answer.json
        self.assertEqual(report["status"], "FAILED")
        for word in words:
            self.assertIn(word, report["error"]["message"])
        self.assertEqual([entry["set"] for entry in daemon.sets()], [self.good], "the last good set stays, no other is listed")
        self.assertEqual(daemon.partial_directories(), [])
        self.assertEqual(self.server.backends("pgbakd/%"), [])
        self.assertEqual(proc.children(daemon.pid), [])
        self.assertEqual(daemon.ctl("verify", self.good).code, 0)
        self.assertIn("job: failed", daemon.log())
        return report

    def test_what_may_pass_is_tried_again(self) -> None:
        """By the words of the client programs and of libpq, as they are in PostgreSQL's message catalogs."""
        words = [
            'query failed: ERROR:  deadlock detected',
            'query failed: ERROR:  invalid snapshot identifier: "00000003-0000001B-1"',
            'query failed: ERROR:  out of shared memory',
            'query failed: ERROR:  cache lookup failed for type 12345',
            'query failed: ERROR:  tuple concurrently updated',
            'query failed: ERROR:  relation "public.stage" does not exist',
            'query failed: ERROR:  column "c" does not exist',
            'query failed: ERROR:  canceling statement due to conflict with recovery',
            'query failed: SSL connection has been closed unexpectedly',
            'query failed: SSL SYSCALL error: EOF detected',
            'query failed: could not send data to server: Broken pipe',
            'query failed: server closed the connection unexpectedly',
            'query failed: FATAL:  terminating connection because of crash of another server process',
            'connection to server on socket "/x" failed: FATAL:  sorry, too many clients already',
        ]
        script = 'said="$(dirname "$0")/../said"\nnext="$(dirname "$0")/../next"\nif [ -e "$next" ]; then mv "$next" "$said"; cat "$said" >&2; exit 1; fi\nexec {real} "$@"'
        daemon = self.daemon(script, retries={"attempts": 2, "backoff": "100ms"})
        for line in words:
            with self.subTest(line):
                (daemon.directory / "next").write_text(f"pg_dump: error: {line}\n", encoding="utf-8")
                self.assertEqual(daemon.run("job")["status"], "SUCCESS")
                self.assertIn("trying again in", daemon.log())
                self.assertIn(line, daemon.log())

    def test_what_will_not_pass_is_not(self) -> None:
        script = 'echo "pg_dump: error: connection to server at \\"h\\" failed: FATAL:  database \\"shop\\" does not exist" >&2; exit 1'
        daemon = self.daemon(script, retries={"attempts": 2, "backoff": "100ms"})
        report = self.check_failed(daemon, "does not exist")
        self.assertEqual(report["error"]["code"], "not_found")
        self.assertNotIn("trying again", daemon.log())

    def test_exit_1_after_half_its_output(self) -> None:
        daemon = self.daemon('{real} "$@" | head -c 300000\necho "pg_dump: error: it broke" >&2\nexit 1')
        self.check_failed(daemon, "exit code 1", "it broke")

    def test_half_its_output_and_exit_0(self) -> None:
        daemon = self.daemon('{real} "$@" | head -c 300000\nexit 0')
        report = self.check_failed(daemon)
        self.assertEqual(report["error"]["code"], "corrupt")

    def test_no_output_and_exit_0(self) -> None:
        report = self.check_failed(self.daemon("exit 0"))
        self.assertEqual(report["error"]["code"], "corrupt")

    def test_plain_sql_without_its_last_line(self) -> None:
        script = '{real} "$@" | head -n -6\nexit 0'
        for compression in ("gzip:1", "zstd:1", "none"):
            with self.subTest(compression):
                daemon = self.daemon(script, source={"format": "plain"}, compression=compression)
                self.assertEqual(self.check_failed(daemon)["error"]["code"], "corrupt")

    def test_plain_sql_that_is_empty(self) -> None:
        daemon = self.daemon("exit 0", source={"format": "plain"})
        self.assertEqual(self.check_failed(daemon)["error"]["code"], "corrupt")

    def test_a_flipped_bit_in_a_data_block(self) -> None:
        # In what holds the rows together. They themselves come without a checksum of any kind, and get theirs from us.
        flip = ("import sys; d = bytearray(sys.stdin.buffer.read()); d[d.index(b'\\n\\0', len(d) // 2) + 1] ^= 4; sys.stdout.buffer.write(d)")
        daemon = self.daemon('{real} "$@" | /usr/bin/python3 -c "' + flip + '"')
        self.assertEqual(self.check_failed(daemon)["error"]["code"], "corrupt")

    def test_one_that_ignores_its_end_goes_with_the_daemon_when_the_grace_is_over_and_so_does_what_it_started(self) -> None:
        script = "trap '' TERM\n{real} \"$@\" | head -c 300000\nsleep 1000 &\necho $! >\"$(dirname \"$0\")/../started\"\nwait"
        daemon = self.daemon(script, top={"shutdown_grace": "1s"})
        run = daemon.ctl("--json", "run", "job").json["run"]
        started = daemon.directory / "started"
        grandchild = int(wait_for(lambda: started.exists() and started.read_text(encoding="ascii"), what="the program's start"))
        self.addCleanup(end_sleep, grandchild)
        programs = [*proc.children(daemon.pid), grandchild]
        self.assertEqual(daemon.stop(), 1)
        self.assertIn("shutdown_grace (1s) is over", daemon.log())
        # Before any next start, which would end what is left.
        for pid in programs:
            wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists(), what=f"the end of process {pid}")
        daemon.start()
        history = {entry["run"]: entry["status"] for entry in daemon.ctl("--json", "runs").json["runs"]}
        self.assertEqual(history[run], "INTERRUPTED")
        self.assertEqual(daemon.partial_directories(), [])
        self.assertEqual([entry["set"] for entry in daemon.sets()], [self.good])

    def test_more_bytes_behind_the_end(self) -> None:
        daemon = self.daemon('{real} "$@"\necho more')
        self.assertEqual(self.check_failed(daemon)["error"]["code"], "corrupt")

    def test_killed_in_the_middle(self) -> None:
        daemon = self.daemon('{real} "$@" | head -c 300000\nkill -9 $$')
        self.check_failed(daemon, "SIGKILL")

    def test_stopped_until_the_deadline(self) -> None:
        daemon = self.daemon('{real} "$@" | head -c 300000\nkill -STOP $$', timeout="2s")
        report = self.check_failed(daemon, "took longer than")
        self.assertEqual(report["error"]["code"], "timed_out")

    def test_a_child_that_is_stuck_delays_only_its_own_job(self) -> None:
        self.server.createdb("other")
        self.addCleanup(self.server.dropdb, "other")
        source = {"type": "pg_dump", "server": "local", "databases": ["other"]}
        daemon = self.daemon(
            'if [ "$PGDATABASE" = shop ]; then {real} "$@" | head -c 300000; kill -STOP $$; fi\nexec {real} "$@"',
            limits={"concurrent_runs": 2, "concurrent_runs_per_server": 2},
            jobs={"other": {"schedule": "calendar *-*-* *:*:00/2", "source": source}},
        )
        stuck = daemon.ctl("--json", "run", "job").json["run"]
        daemon.wait_for(lambda: any(proc.is_stopped(pid) for pid in proc.descendants(daemon.pid)), what="a child that stands still")
        began = daemon.log().count("other: succeeded")
        daemon.wait_for(lambda: daemon.log().count("other: succeeded") >= began + 2, what="runs of the other job by its schedule")
        self.assertEqual([entry["run"] for entry in daemon.status()["running"] if entry["job"] == "job"], [stuck])
        daemon.ctl("cancel", stuck)
        self.assertEqual([entry["set"] for entry in daemon.sets("job")], [self.good])

    def test_one_that_ignores_sigterm_is_killed(self) -> None:
        daemon = self.daemon("trap '' TERM\nwhile :; do read -t 60 <> <(:); done", timeout="1s")
        self.check_failed(daemon, "took longer than")

    def test_a_grandchild_that_lives_on_with_the_pipe_is_ended_with_it(self) -> None:
        daemon = self.daemon('{real} "$@"\n/usr/bin/sleep 3600 &\nexit 1')
        self.check_failed(daemon, "exit code 1")

    def test_a_grandchild_that_left_the_group_and_never_stops_complaining_holds_nobody_up(self) -> None:
        # The read returns once it has left the group.
        daemon = self.daemon('read -r _ < <(setsid sh -c "echo left; exec >&-; exec timeout 600 yes noise >&2")\nexit 1')
        began = time.monotonic()
        self.check_failed(daemon, "exit code 1")
        self.assertLess(time.monotonic() - began, 300)

    def test_directory_format_that_lacks_a_file(self) -> None:
        script = (
            '{real} "$@"\nfor a in "$@"; do case "$a" in --file=*) d="${a#--file=}";; esac; done\n'
            'rm -f "$d"/[0-9]*.dat* ; exit 0'
        )
        daemon = self.daemon(script, source={"format": "directory", "jobs": 2})
        self.assertEqual(self.check_failed(daemon)["error"]["code"], "corrupt")

    def test_a_real_pg_dump_killed_from_outside(self) -> None:
        # Nobody takes what it writes: it stands still as soon as the pipe is full.
        daemon = self.daemon('exec {real} "$@" > >(exec sleep 3600)')
        run = daemon.ctl("--json", "run", "job").json["run"]

        def dumps() -> list[int]:
            found = []
            for pid in proc.descendants(daemon.pid):
                try:
                    argv = proc.command_line(pid)
                    if argv[0].endswith("/pg_dump") and "--format=custom" in argv:
                        found.append(pid)
                except OSError:  # it has ended
                    continue
            return found

        pids = daemon.wait_for(dumps)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        daemon.wait_for(lambda: daemon.ctl("--json", "runs").json["runs"][0]["status"] != "RUNNING")
        history = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual((history[0]["run"], history[0]["status"]), (run, "FAILED"))
        self.assertEqual([entry["set"] for entry in daemon.sets()], [self.good])


if __name__ == "__main__":
    unittest.main()
