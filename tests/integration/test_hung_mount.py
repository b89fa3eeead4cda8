"""A source of files on a mount whose server never answers: its run waits, can be called off, and holds up nothing else."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, fire_far_away

CTEST = {"timeout": 300}
MNT_DETACH = 2


class DeadMount:
    """A mount of FUSE whose other side, which is us, reads no request: every look at it hangs until close()."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._libc = ctypes.CDLL(None, use_errno=True)
        try:
            self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise unittest.SkipTest(f"/dev/fuse cannot be used: {error.strerror}") from error
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0,allow_other"
        if self._libc.mount(b"pgbakd-test", os.fsencode(path), b"fuse", 0, options.encode()) != 0:
            os.close(self._device)
            raise unittest.SkipTest(f"nothing of FUSE can be mounted: {os.strerror(ctypes.get_errno())}")

    def close(self) -> None:
        # The end of the other side ends whoever hangs there.
        os.close(self._device)
        self._libc.umount2(os.fsencode(self.path), MNT_DETACH)


class HungMount(unittest.TestCase):
    def test_it_holds_up_nothing_else(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="pgb-hung-")
        self.addCleanup(scratch.cleanup)
        place = Path(scratch.name)
        place.chmod(0o755)
        (place / "dead").mkdir()
        (place / "good").mkdir(mode=0o755)
        (place / "good" / "file").write_text("x", encoding="utf-8")
        mount = DeadMount(place / "dead")
        self.addCleanup(mount.close)

        def job(path: Path, **more: str) -> dict[str, object]:
            return {"schedule": fire_far_away(), "retries": {"attempts": 1}, "source": {"type": "files", "paths": [str(path)]}, **more}

        daemon = Daemon({
            "timezone": "UTC",
            "jobs": {
                "dead": job(mount.path / "data"),
                "watched": job(mount.path, schedule="on change", settle="1s"),
                "good": job(place / "good"),
                "seen": job(place / "good", schedule="on change", settle="1s"),
            },
        })  # fmt: skip
        self.addCleanup(daemon.close)
        daemon.start()
        for _ in range(2):
            run = daemon.ctl("--json", "run", "dead").json["run"]
            daemon.wait_for(lambda: [entry["job"] for entry in daemon.status()["running"]] == ["dead"], what="the run that hangs")
            self.assertEqual(daemon.run("good")["status"], "SUCCESS")
            daemon.ctl("cancel", run)
            daemon.wait_for(lambda: not daemon.status()["running"], what="the end of the run that hung")
            self.assertEqual(daemon.ctl("--json", "runs", "dead").json["runs"][0]["status"], "CANCELLED")
        # Another job's watch, too.
        daemon.wait_for(lambda: daemon.sets("seen"), what="what was there when the watch began")
        run = daemon.ctl("--json", "run", "dead").json["run"]
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main()
