"""Full disks on either side of a copy: a full repository leaves nothing on a target that has room, and a full target costs
the run a copy that is owed, not the backup."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon, config_for
from support.owed import forget_pauses
from support.process import unprivileged_account
from support.tmpfs import Tmpfs

CTEST = {"timeout": 600}
MIB = 1 << 20


class FullDisks(ServerCase):
    shop_rows = 100_000  # 4 MiB

    def setUp(self) -> None:
        self.disk = Tmpfs(24 * MIB, unprivileged_account())
        self.addCleanup(self.disk.close)

    def make_daemon(self, nas: Path | None = None, **more: Any) -> Daemon:
        job = {
            "source": {"type": "pg_dump", "server": "local", "databases": ["shop"]},
            "compression": "none",
            "retries": {"attempts": 1},
            "targets": ["nas"],
        }
        daemon = self.new_daemon(config_for(self.server, jobs={"job": job}))
        self.nas = nas or daemon.directory / "nas"
        targets = {"nas": {"type": "directory", "path": str(self.nas)}}
        self.config = config_for(self.server, jobs={"job": job}, targets=targets, **more)
        daemon.write_config(self.config)
        return daemon.start()

    def files(self, directory: Path) -> list[Path]:
        return sorted(path for path in directory.rglob("*") if path.is_file())

    def test_a_full_repository_leaves_nothing_on_a_target(self) -> None:
        # The state file and the reports have their own disk: it is the set that finds no room.
        daemon = self.make_daemon(repository={"directory": str(self.disk.path / "repository")})
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")
        sent = self.files(self.nas)
        lock = self.hold_lock()
        daemon.ctl("run", "job")
        lock.wait_for_dump()  # the preflight has seen the room that there was
        ballast = self.disk.fill(leave=2 * MIB)
        lock.release()
        daemon.wait_for(lambda: not daemon.status()["running"], what="the end of the run")
        [last, *_] = daemon.ctl("--json", "runs").json["runs"]
        self.assertEqual((last["status"], last["error"]["code"]), ("FAILED", "no_space"), last)
        self.assertEqual(self.files(self.nas), sent)
        self.assertEqual(daemon.status()["owed"], [])
        refused = daemon.run("job", check=False)
        self.assertEqual(refused["status"], "FAILED")
        self.assertRegex(refused["error"]["message"], r"[0-9.]+ [KM]iB free")
        ballast.unlink()
        report = daemon.run("job")
        self.assertEqual((report["status"], report["targets"][0]["status"]), ("SUCCESS", "copied"))

    def test_a_full_target_is_owed_its_copy_and_told_with_the_space_left(self) -> None:
        daemon = self.make_daemon(self.disk.path / "nas")
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")
        ballast = self.disk.fill(leave=2 * MIB)
        report = daemon.run("job")
        [target] = report["targets"]
        self.assertEqual((report["status"], target["status"]), ("WARNING", "owed"), report)
        self.assertIn("No space left on device", target["message"])
        self.assertRegex(daemon.log(), r"the copy on nas is owed, .*: No space left on device\n +hint: [0-9.]+ [KM]?i?B of 24.0 MiB available")
        self.assertEqual([path for path in self.files(self.nas) if report["set"] in str(path)], [])
        self.assertEqual([copy["set"] for copy in daemon.status()["owed"]], [report["set"]])
        daemon.stop()
        ballast.unlink()
        forget_pauses(daemon)
        daemon.start()
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        # And nothing says any more that it is.
        daemon.wait_for(lambda: daemon.status()["findings"] == [], what="the end of the finding")
        self.assertEqual([path.name for path in self.files(self.nas / report["set"])],
                         [path.name for path in self.files(daemon.set_directory(report["set"]))])  # fmt: skip

    def test_health_tells_of_a_target_that_fills_up_before_a_copy_fails(self) -> None:
        daemon = self.make_daemon(self.disk.path / "nas", health={"disk_usage": "70%"})
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")

        def told() -> dict[str, str]:
            return {each["kind"]: each["message"] for each in daemon.status()["findings"] if each["place"] == "nas"}

        def look_again(limit: int) -> None:
            """A reload looks at everything, and asks the targets."""
            daemon.write_config({**self.config, "health": {"disk_usage": f"{limit}%"}})
            daemon.ctl("reload")

        ballast = self.disk.fill(leave=2 * MIB)
        look_again(71)
        daemon.wait_for(lambda: len(told()) == 2, what="what there is to tell of the target")
        self.assertRegex(told()["disk_usage"], r"target nas \(.*\) is 9\d % full: [0-9.]+ MiB of 24.0 MiB available")
        self.assertRegex(told()["free_space"], r"has [0-9.]+ MiB available, and the last set of job takes [0-9.]+ MiB")
        ballast.unlink()
        look_again(72)
        daemon.wait_for(lambda: not told(), what="the target's recovery")
        self.assertIn("recovered: the file system of target nas", daemon.log())


if __name__ == "__main__":
    unittest.main()
