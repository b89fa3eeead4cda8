"""`keep_local: never`: a dump that is on targets alone, for a host without room."""

from __future__ import annotations

import hashlib
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.dump_program import Halt, replace_pg_dump
from support.stock import restore_directory

CTEST = {"timeout": 600}

# It waits in the middle of its dump.
HALFWAY = '{real} "$@" | { head -c 3000000\n{halt}cat; }\nexit "${PIPESTATUS[0]}"'
PLAIN: dict[str, Any] = {"source": {"format": "plain"}, "compression": "none"}


class WithoutDisk(ServerCase):
    shop_rows = 100_000

    def daemon(self, names: list[str], script: str = "", **job: Any) -> Daemon:
        """A daemon whose job's sets are in directories of these names, and whose repository has no room at all."""
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"], **job.pop("source", {})}
        job = {"source": source, "targets": names, "keep_local": "never", "retries": {"attempts": 1}, **job}
        config = config_for(self.server, jobs={"job": job})
        config["repository"] = {"min_free": "1000TiB"}
        found = self.new_daemon(config)
        config["targets"] = {name: {"type": "directory", "path": str(found.directory / name)} for name in names}
        self.halt = Halt(found.directory)
        if script:
            programs = replace_pg_dump(found.directory / "bin", self.server, script.replace("{halt}", self.halt.command))
            config["servers"]["local"]["client"] = {"bin": str(programs)}
        found.write_config(config)
        return found

    def away(self, daemon: Daemon, name: str) -> None:
        """Nothing can be made there any more."""
        if (daemon.directory / name).exists():
            (daemon.directory / name).rename(daemon.directory / f"{name}-away")
        (daemon.directory / name).write_text("no directory", encoding="utf-8")

    def files(self, directory: Path) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}

    def kept_here(self, daemon: Daemon) -> list[Path]:
        """What lies in the repository and is more than a word."""
        return [path for path in daemon.repository.rglob("*") if path.is_file() and path.stat().st_size > 4096]

    def left_on(self, daemon: Daemon, name: str) -> list[Path]:
        return [path for path in (daemon.directory / name).rglob("*") if path.is_file()]

    def check_failed(self, daemon: Daemon, report: Any, *targets: str) -> None:
        self.assertEqual((report["status"], report["set"]), ("FAILED", None), report)
        self.assertEqual(daemon.partial_directories(), [])
        self.assertEqual(self.server.backends("pgbakd/%"), [])
        for target in targets:
            self.assertEqual(self.left_on(daemon, target), [])

    def test_a_set_is_complete_on_every_target_and_nowhere_else(self) -> None:
        for source, compression in (({"format": "custom"}, "gzip:6"), ({"format": "plain"}, "zstd:3"), ({"format": "plain"}, "none")):
            with self.subTest(source=source, compression=compression):
                daemon = self.daemon(["nas", "vault"], source=source, compression=compression).start()
                report = daemon.run("job")
                self.assertEqual((report["status"], report["set_directory"]), ("SUCCESS", None), report)
                self.assertEqual([(target["name"], target["status"], target["bytes"]) for target in report["targets"]],
                                 [("nas", "copied", report["size_bytes"]), ("vault", "copied", report["size_bytes"])])  # fmt: skip
                self.assertEqual(self.files(daemon.directory / "nas" / report["set"]), self.files(daemon.directory / "vault" / report["set"]))
                self.assertEqual((self.kept_here(daemon), daemon.partial_directories()), ([], []))
                [job] = daemon.status()["jobs"]
                self.assertEqual(job["newest_set"]["set"], report["set"])
                verified = daemon.ctl("--json", "verify", "job/latest", "--from", "vault").json
                self.assertEqual((verified["ok"], verified["level"]), (True, "decoded"))
                other = restore_directory(self, daemon, daemon.directory / "nas" / report["set"])
                self.assertEqual(other.sql("select count(*) from t", "shop"), str(self.shop_rows))

    def test_the_dump_is_on_its_way_before_it_ends_and_never_on_the_disk(self) -> None:
        daemon = self.daemon(["nas"], HALFWAY, **PLAIN)
        daemon.start()
        with ThreadPoolExecutor() as threads:
            run = threads.submit(daemon.run, "job")
            daemon.wait_for(lambda: sum(path.stat().st_size for path in self.left_on(daemon, "nas")) > 2_000_000,
                            what="the first half on the target")  # fmt: skip
            self.assertEqual(self.kept_here(daemon), [])
            self.halt.release()
            self.assertEqual(run.result()["status"], "SUCCESS")

    def test_one_target_that_is_away_is_told_and_the_other_has_the_set(self) -> None:
        daemon = self.daemon(["nas", "vault"])
        self.away(daemon, "nas")
        report = daemon.start().run("job")
        self.assertEqual(report["status"], "WARNING", report)
        self.assertEqual({target["name"]: target["status"] for target in report["targets"]}, {"nas": "failed", "vault": "copied"})
        self.assertEqual(daemon.status()["owed"], [], "there is nothing to send it from")
        self.assertIn("nas does not have the set", daemon.log())
        self.assertEqual(daemon.ctl("--json", "verify", "job/latest", "--from", "vault").json["ok"], True)

    def test_without_any_target_nothing_is_dumped(self) -> None:
        daemon = self.daemon(["nas", "vault"])
        self.away(daemon, "nas")
        self.away(daemon, "vault")
        report = daemon.start().run("job", check=False)
        self.check_failed(daemon, report)
        self.assertIn("is not a directory", report["error"]["message"])
        self.assertEqual([stage["name"] for stage in report["stages"]], ["preflight"])

    def test_targets_that_break_off_in_the_middle(self) -> None:
        for broken, status in ((["nas"], "WARNING"), (["nas", "vault"], "FAILED")):
            with self.subTest(broken=broken):
                daemon = self.daemon(["nas", "vault"], HALFWAY, **PLAIN)
                daemon.start()
                with ThreadPoolExecutor() as threads:
                    run = threads.submit(daemon.run, "job", check=False)
                    daemon.wait_for(self.halt.reached)
                    for name in broken:
                        self.away(daemon, name)
                    self.halt.release()
                    report = run.result()
                self.assertEqual(report["status"], status, report)
                if status == "FAILED":
                    self.check_failed(daemon, report)
                else:
                    self.assertEqual(self.files(daemon.directory / "vault" / report["set"]).keys(),
                                     {"manifest.json"} | {artifact["file"] for artifact in report["artifacts"]}
                                     | {artifact["file"] + ".sha256" for artifact in report["artifacts"]})  # fmt: skip

    def test_a_dump_that_fails_leaves_nothing_on_the_targets(self) -> None:
        daemon = self.daemon(["nas", "vault"], '{real} "$@" | head -c 300000\nexit 1').start()
        report = daemon.run("job", check=False)
        self.check_failed(daemon, report, "nas", "vault")
        self.assertIn("exit code 1", report["error"]["message"])

    def test_a_dump_that_fails_once_is_sent_anew(self) -> None:
        script = (
            'once="$(dirname "$0")/../once"\n'
            'if [ ! -e "$once" ]; then touch "$once"; {real} "$@" | head -c 300000; kill -9 $$; fi\nexec {real} "$@"'
        )
        daemon = self.daemon(["nas"], script, retries={"attempts": 2, "backoff": "1s"}).start()
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertEqual(daemon.ctl("--json", "verify", report["set"], "--from", "nas").json["ok"], True)

    def test_a_daemon_that_is_killed_leaves_no_set_and_no_files_here(self) -> None:
        daemon = self.daemon(["nas"], HALFWAY, **PLAIN)
        daemon.start()
        run = daemon.ctl("--json", "run", "job").json["run"]
        daemon.wait_for(self.halt.reached)
        daemon.kill9()
        self.halt.release()
        daemon.start()
        history = {entry["run"]: entry["status"] for entry in daemon.ctl("--json", "runs").json["runs"]}
        self.assertEqual(history[run], "INTERRUPTED")
        self.assertEqual(daemon.partial_directories(), [])
        self.assertEqual(daemon.ctl("--json", "list", "--from", "nas").json["sets"], [])
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")


if __name__ == "__main__":
    unittest.main()
