"""New time zone rules while the daemon runs: what an update of the package tzdata does to a resident scheduler."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, fire_far_away

CTEST = {"timeout": 300}

HOST_ZONES = Path("/usr/share/zoneinfo")


class NewRules(unittest.TestCase):
    def setUp(self) -> None:
        self.zones = Path(tempfile.mkdtemp(prefix="zoneinfo-"))
        self.addCleanup(shutil.rmtree, self.zones)
        os.chmod(self.zones, 0o755)
        for name in ("Europe/Berlin", "Asia/Tokyo", "UTC"):
            (self.zones / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(HOST_ZONES / name, self.zones / name)
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"]}
        self.daemon = Daemon(
            {
                "timezone": "UTC",
                "servers": {"local": {}},
                "jobs": {
                    "berlin": {"schedule": fire_far_away(), "timezone": "Europe/Berlin", "source": source},
                    "tokyo": {"schedule": fire_far_away(), "timezone": "Asia/Tokyo", "source": source},
                },
            },
            environment={"TZDIR": str(self.zones)},
        )
        self.addCleanup(self.daemon.close)
        self.daemon.start()

    def replace(self, name: str, content: bytes) -> None:
        """As a package manager does it: written beside the old file, then renamed over it."""
        newer = self.zones / f"{name}.dpkg-new"
        newer.write_bytes(content)
        newer.rename(self.zones / name)

    def next_fire(self, job: str) -> str:
        fires = {entry["job"]: entry["at"] for entry in self.daemon.ctl("--json", "status").json["next"]}
        return str(fires[job])

    def test_fires_move_with_the_rules_and_only_those(self) -> None:
        tokyo = self.next_fire("tokyo")
        self.assertNotIn("+09:00", self.next_fire("berlin"))
        self.replace("Europe/Berlin", (HOST_ZONES / "Asia/Tokyo").read_bytes())
        self.daemon.wait_for_log("berlin: new time zone rules moved the next fire to")
        self.assertRegex(self.next_fire("berlin"), r"T12:00:00\+09:00$")
        self.assertEqual(self.next_fire("tokyo"), tokyo)
        self.assertNotIn("tokyo: new time zone rules", self.daemon.log())

    def test_a_file_that_is_no_zone_leaves_the_old_rules_in_force(self) -> None:
        before = self.next_fire("berlin")
        self.replace("Europe/Berlin", b"TZif2 and then nothing that makes sense")
        self.daemon.wait_for_log("the rules read before stay in force")
        self.assertEqual(self.next_fire("berlin"), before)
        self.assertTrue(self.daemon.running)
        # And the watch goes on: the next update counts.
        self.replace("Europe/Berlin", (HOST_ZONES / "Asia/Tokyo").read_bytes())
        self.daemon.wait_for_log("berlin: new time zone rules moved the next fire to")

    def test_a_directory_that_is_replaced_as_a_whole_is_noticed_too(self) -> None:
        newer = self.zones / "Europe.new"
        newer.mkdir()
        shutil.copyfile(HOST_ZONES / "Asia/Tokyo", newer / "Berlin")
        (self.zones / "Europe").rename(self.zones / "Europe.old")
        newer.rename(self.zones / "Europe")
        self.daemon.wait_for_log("berlin: new time zone rules moved the next fire to")


if __name__ == "__main__":
    unittest.main()
