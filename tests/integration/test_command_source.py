"""What a program writes to its standard output, by real programs: kept when all is well, and never when it is not."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, fire_far_away
from support.process import wait_for

CTEST = {"timeout": 300}
SECRET = "sesame-open-the-door"


class CommandSource(unittest.TestCase):
    def daemon(self, jobs: dict[str, dict[str, Any]], **more: Any) -> Daemon:
        """Each job is the source's keys; `retries` is once unless it is given."""
        filled = {
            name: {
                "schedule": fire_far_away(),
                "retries": {"attempts": 1},
                **source.pop("job", {}),
                "source": {"type": "command", **source},
            }
            for name, source in jobs.items()
        }
        daemon = Daemon({"timezone": "UTC", "jobs": filled, **more})
        self.addCleanup(daemon.close)
        return daemon.start()

    def script(self, daemon_directory: Path, text: str) -> str:
        path = daemon_directory / "script"
        path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    def artifact(self, daemon: Daemon, report: dict[str, Any]) -> Path:
        (artifact,) = report["artifacts"]
        return daemon.set_directory(report["set"]) / artifact["file"]

    def test_the_output_is_the_artifact_byte_by_byte(self) -> None:
        arguments = ["%s|%s|%s\\n", "two words", "$(id) `id` ; rm -rf *", "ünï \"'\\"]
        daemon = self.daemon({"words": {"argv": ["printf", *arguments], "extension": "txt"}})
        report = daemon.run("words")
        self.assertEqual(report["status"], "SUCCESS", report)
        path = self.artifact(daemon, report)
        self.assertTrue(path.name.endswith(".txt.gz"), path)
        expected = subprocess.run(["/usr/bin/printf", *arguments], capture_output=True, check=True).stdout
        self.assertEqual(gzip.decompress(path.read_bytes()), expected)
        manifest = daemon.manifest(report["set"])
        self.assertEqual(manifest["source"]["type"], "command")
        self.assertEqual([part["kind"] for part in manifest["artifacts"]], ["command"])
        self.assertEqual(daemon.ctl("verify", report["set"]).code, 0)
        # The manifest's own words bring it back.
        for command in manifest["stock_restore"]:
            subprocess.run(command, shell=True, cwd=path.parent, check=True)
        self.assertEqual(path.with_suffix("").read_bytes(), expected)

    def test_a_large_output_passes_through_whole(self) -> None:
        daemon = self.daemon({"zeros": {"argv": ["head", "-c", "300000001", "/dev/zero"], "job": {"compression": "zstd:1"}}})
        report = daemon.run("zeros")
        self.assertEqual([part["raw_bytes"] for part in report["artifacts"]], [300000001])

    def test_what_ends_badly_leaves_no_set(self) -> None:
        daemon = self.daemon(
            {
                "code": {"argv": ["sh", "-c", "echo half; echo no luck today >&2; exit 3"]},
                "killed": {"argv": ["sh", "-c", "echo half; kill -9 $$"]},
                "silent": {"argv": ["true"]},
                "missing": {"argv": ["no-such-program-anywhere"]},
                "directory": {"argv": ["pwd"], "working_directory": "/no/such/directory"},
            }
        )
        words = {
            "code": "sh failed: exit code 3: no luck today",
            "killed": "sh failed: killed by signal 9",
            "silent": "true ended well and wrote nothing",
            "missing": "there is no program no-such-program-anywhere",
            "directory": "the working directory /no/such/directory is not there",
        }
        for job, said in words.items():
            with self.subTest(job):
                report = daemon.run(job, check=False)
                self.assertEqual(report["status"], "FAILED")
                self.assertIn(said, report["error"]["message"])
        self.assertEqual(daemon.sets(), [])
        self.assertEqual(daemon.partial_directories(), [])
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertEqual(checked.code, 1)
        self.assertIn(words["missing"], checked.out)
        self.assertIn(words["directory"], checked.out)

    def test_other_codes_may_mean_well_and_what_it_says_is_told(self) -> None:
        lines = "for i in $(seq 1 50); do echo warning $i >&2; done"
        daemon = self.daemon({"loud": {"argv": ["sh", "-c", f"echo data; {lines}; exit 2"], "exit_codes": [0, 2]}})
        report = daemon.run("loud")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertIn("sh: warning 1", report["notes"])
        self.assertIn("sh: and 30 more lines", report["notes"])
        self.assertEqual(len(report["notes"]), 21)
        self.assertIn("loud: sh: warning 20", daemon.log())

    def test_it_has_its_variables_and_its_directory_and_no_secret_is_told(self) -> None:
        daemon = self.daemon(
            {
                "env": {
                    "argv": ["sh", "-c", "pwd; echo $MODE; echo $TOKEN | md5sum; echo \"${CREDENTIALS_DIRECTORY-none}\""],
                    "environment": {"MODE": "a b", "TOKEN": SECRET},
                    "working_directory": "/usr/lib",
                    "extension": "txt",
                    "job": {"compression": "none"},
                }
            }
        )
        report = daemon.run("env")
        said = self.artifact(daemon, report).read_text(encoding="utf-8").splitlines()
        digest = subprocess.run(["md5sum"], input=f"{SECRET}\n".encode(), capture_output=True, check=True).stdout
        self.assertEqual(said, ["/usr/lib", "a b", digest.decode().rstrip("\n"), "none"])
        told = [daemon.log(), json.dumps(report), json.dumps(daemon.manifest(report["set"])), daemon.ctl("check", "--effective").out]
        for text in told:
            self.assertNotIn(SECRET, text)

    def stuck(self, **more: Any) -> tuple[Daemon, str, list[int]]:
        """A run whose program and what that has started wait for ever; their process ids, which the run's mark tells."""
        daemon = self.daemon({"stuck": {"argv": ["sh", "-c", "echo $$; sleep 1000 & echo $!; wait"], "job": {"compression": "none"}, **more}})
        run = daemon.ctl("--json", "run", "stuck").json["run"]

        def marked() -> list[int]:
            found = []
            for directory in Path("/proc").glob("[0-9]*"):
                try:
                    environment = (directory / "environ").read_bytes()
                except OSError:
                    continue
                if f"PGAPPNAME=pgbakd/{run}".encode() in environment:
                    found.append(int(directory.name))
            return found

        return daemon, run, daemon.wait_for(lambda: found if len(found := marked()) == 2 else [], what="the program and its child")

    def wait_gone(self, pids: list[int]) -> None:
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="the end of the program and its child")

    def test_a_cancelled_run_ends_the_program_and_what_it_started(self) -> None:
        daemon, run, pids = self.stuck()
        daemon.ctl("cancel", run)
        self.wait_gone(pids)
        self.assertEqual(daemon.ctl("--json", "runs").json["runs"][0]["status"], "CANCELLED")
        self.assertEqual(daemon.partial_directories(), [])

    def test_nothing_outlives_the_daemon(self) -> None:
        daemon, _, pids = self.stuck()
        daemon.kill9()
        daemon.start()
        self.wait_gone(pids)
        self.assertEqual(daemon.ctl("--json", "runs").json["runs"][0]["status"], "INTERRUPTED")
        self.assertEqual(daemon.partial_directories(), [])

    def test_a_program_that_takes_too_long_is_ended(self) -> None:
        daemon = self.daemon({"slow": {"argv": ["sh", "-c", "echo data; exec sleep 1000"], "job": {"timeout": "1s"}}})
        report = daemon.run("slow", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertIn("the run took longer than 1.0 s", report["error"]["message"])

    def test_a_copy_goes_to_a_target_and_comes_back(self) -> None:
        daemon = Daemon({"timezone": "UTC", "jobs": {"x": {"schedule": "hourly", "source": {"type": "command", "argv": ["true"]}}}})
        self.addCleanup(daemon.close)
        place = daemon.directory / "nas"
        place.mkdir()
        os.chown(place, daemon.account.uid, daemon.account.gid)
        job = {"schedule": fire_far_away(), "targets": ["nas"], "source": {"type": "command", "argv": ["seq", "100000"]}}
        daemon.write_config({"timezone": "UTC", "targets": {"nas": {"type": "directory", "path": str(place)}}, "jobs": {"seq": job}})
        daemon.start()
        report = daemon.run("seq")
        self.assertEqual([target["status"] for target in report["targets"]], ["copied"])
        self.assertEqual(daemon.ctl("verify", "--from", "nas", report["set"]).code, 0)


if __name__ == "__main__":
    unittest.main()
