"""Copies on every kind of place at once, each a real server, as an administrator sees them; what lies there is looked at by
other clients than pgbakd's own. tests/integration/test_targets.py has what is the same for all of them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import LifeCase
from support.daemon import Daemon
from support.owed import forget_pauses
from support.process import current_account, run, scratch_directory
from support.s3 import S3Client
from support.servers import shared_server

CTEST = {"timeout": 600, "servers": ["rgw", "swift", "sftp"], "cost": 30}
NAMES = ["ceph", "drive", "nas", "swift", "vault"]
# How each can assure what it has: rclone by checksums, the others are read, as is an S3 of whose checks nothing is known.
VERIFIED = {"ceph": "read back", "drive": "checksum", "nas": "read back", "swift": "read back", "vault": "read back"}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Offsite(LifeCase):
    """One daemon with five targets: buckets of Ceph and Swift, an SFTP account, an rclone remote and a directory."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.rgw, cls.swift, cls.sftp = (shared_server(name) for name in ("rgw", "swift", "sftp"))
        if not shutil.which("rclone"):
            raise unittest.SkipTest("rclone is not installed: packaging/dependencies test")
        super().setUpClass()

    def setUp(self) -> None:
        self.prefix = f"{self._testMethodName}-{os.getpid()}"
        self.far = scratch_directory(current_account(), "pgb-far-")  # of the account that SFTP logs in to

    def hand_over(self, daemon: Daemon, source: str | Path, name: str, mode: int = 0o600) -> str:
        """A file of the tests' account, for the daemon's."""
        path = daemon.directory / name
        shutil.copy(source, path)
        path.chmod(mode)
        os.chown(path, daemon.account.uid, daemon.account.gid)
        return str(path)

    def offsite(self, **job: Any) -> Daemon:
        """The daemon, not started, with its five targets."""
        config = self.config(targets=NAMES, retries={"attempts": 1}, **job)
        daemon = self.daemon(config)
        rclone = daemon.directory / "rclone.conf"
        rclone.write_text("[far]\ntype = local\n", encoding="utf-8")
        os.chown(rclone, daemon.account.uid, daemon.account.gid)
        rclone.chmod(0o600)
        config["targets"] = {
            "ceph": {
                "type": "s3", "provider": "other", "endpoint": self.rgw["tls"], "bucket": self.rgw["bucket"],
                "prefix": self.prefix, "access_key_id": self.rgw["tester_key"],
                "secret_access_key": self.rgw["tester_secret"],
                "ca_file": self.hand_over(daemon, self.rgw["authority"], "authority.pem"),
            },
            "swift": {
                "type": "s3", "provider": "other", "endpoint": self.swift["endpoint"], "bucket": self.swift["bucket"],
                "prefix": self.prefix, "access_key_id": self.swift["tester_key"],
                "secret_access_key": self.swift["tester_secret"],
            },
            "vault": {
                "type": "sftp", "host": "127.0.0.1", "port": int(self.sftp["port"]), "user": self.sftp["user"],
                "key_file": self.hand_over(daemon, Path(self.sftp["directory"], "key"), "key"),
                "known_hosts": self.hand_over(daemon, Path(self.sftp["directory"], "known_hosts"), "known_hosts"),
                "path": str(self.far / "vault"),
            },
            "drive": {"type": "rclone", "remote": f"far:{daemon.directory}/drive", "config_file": str(rclone)},
            "nas": {"type": "directory", "path": str(daemon.directory / "nas")},
        }  # fmt: skip
        self.configuration = config
        daemon.write_config(config)
        return daemon

    # --- what lies there, by other clients ---

    def in_bucket(self, facts: dict[str, str]) -> dict[str, str]:
        client = S3Client(facts["endpoint"], facts["region"], facts["tester_key"], facts["tester_secret"])
        keys = client.sizes(facts["bucket"], self.prefix + "/")
        return {key: digest(client.get(facts["bucket"], f"{self.prefix}/{key}")) for key in keys}

    def in_directory(self, directory: Path) -> dict[str, str]:
        paths = [path for path in directory.rglob("*") if path.is_file()]
        return {str(path.relative_to(directory)): digest(path.read_bytes()) for path in paths}

    def by_sftp(self) -> dict[str, str]:
        there = Path(self.sftp["directory"])
        into = scratch_directory(current_account(), "pgb-fetched-")
        argv = ["sftp", "-q", "-b", "-", "-P", self.sftp["port"], "-i", there / "key",
                "-o", f"UserKnownHostsFile={there / 'known_hosts'}", f"{self.sftp['user']}@127.0.0.1"]  # fmt: skip
        run(argv, current_account(), text=f"get -r {self.far}/vault {into}\n").check()
        return self.in_directory(into / "vault")

    def by_rclone(self, daemon: Daemon) -> dict[str, str]:
        into = daemon.directory / "fetched-by-rclone"
        shutil.rmtree(into, ignore_errors=True)
        remote = f"far:{daemon.directory}/drive"
        argv = ["rclone", "--config", daemon.directory / "rclone.conf", "copy", remote, into]
        run(argv, daemon.account, environment=daemon.environment()).check()
        return self.in_directory(into)

    def there(self, daemon: Daemon) -> dict[str, dict[str, str]]:
        """The files on each target, by their keys."""
        return {
            "ceph": self.in_bucket(self.rgw),
            "swift": self.in_bucket(self.swift),
            "vault": self.by_sftp(),
            "drive": self.by_rclone(daemon),
            "nas": self.in_directory(daemon.directory / "nas"),
        }

    def local(self, daemon: Daemon, *sets: str) -> dict[str, str]:
        return {f"{name}/{path.name}": digest(path.read_bytes())
                for name in sets for path in daemon.set_directory(name).iterdir()}  # fmt: skip

    # --- the tests ---

    def test_a_set_on_every_kind_of_place(self) -> None:
        daemon = self.offsite().start()
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        name = report["set"]
        self.assertEqual([(target["name"], target["status"], target["bytes"]) for target in report["targets"]],
                         [(each, "copied", report["size_bytes"]) for each in NAMES])  # fmt: skip
        self.assertEqual({target["name"]: target["verified"] for target in report["targets"]}, VERIFIED)
        for each, files in self.there(daemon).items():
            self.assertEqual(files, self.local(daemon, name), each)
        self.assertIn("local, " + ", ".join(NAMES), daemon.ctl("list").out)
        self.assertNotIn("owed", daemon.ctl("status").out)
        checked = daemon.ctl("check", "--connect").out
        for each in NAMES:
            with self.subTest(each):
                parts = ", uploading in parts, sweeping unfinished uploads" if each in ("ceph", "swift") else ""
                self.assertIn(f"target {each}: writing, reading, listing, deleting{parts} in ", checked)
                listed = daemon.ctl("--json", "list", "--from", each).json["sets"]
                self.assertEqual([entry["set"] for entry in listed], [name])
                verified = daemon.ctl("--json", "verify", "job/latest", "--from", each).json
                self.assertEqual((verified["ok"], verified["level"]), (True, "decoded"))
                into = daemon.directory / "into" / each
                daemon.ctl("download", name, "--from", each, "--into", into)
                self.assertEqual(self.in_directory(into), self.local(daemon, name))
        # What check and the probes made is gone again.
        for each, files in self.there(daemon).items():
            self.assertEqual(set(files), set(self.local(daemon, name)), each)

    def test_every_kind_of_place_is_pruned(self) -> None:
        one = {"last": 1, "at_least": 1}
        retention = {"local": {"last": 2, "at_least": 1}, "targets": {each: one for each in NAMES}}
        daemon = self.offsite(retention=retention).start()
        first, second = (daemon.run("job") for _ in range(2))
        self.assertEqual((first["status"], second["status"]), ("SUCCESS", "SUCCESS"))
        self.assertEqual(second["notes"], [])
        for each, files in self.there(daemon).items():
            self.assertEqual(set(files), set(self.local(daemon, second["set"])), each)
        plan = {(entry["set"], entry["place"], entry["action"]) for entry in daemon.ctl("--json", "prune").json["decisions"]}
        self.assertEqual(plan, {(first["set"], "local", "keep"), *((second["set"], place, "keep") for place in ["local", *NAMES])})
        # By hand: with a shorter retention, and only when it is said twice.
        self.configuration["jobs"]["job"]["retention"] = {**retention, "local": one}
        daemon.write_config(self.configuration)
        daemon.ctl("reload")
        daemon.ctl("prune", "--apply")
        self.assertEqual([entry["set"] for entry in daemon.sets()], [second["set"]])

    def test_a_set_goes_out_and_comes_back_by_ipv6(self) -> None:
        if "ipv6" not in self.rgw or self.sftp["ipv6_port"] == "0":
            self.skipTest("this machine has no IPv6 on its loopback")
        daemon = self.offsite()
        right = self.configuration["targets"]
        known = self.hand_over(daemon, Path(self.sftp["directory"], "known_hosts_ipv6"), "known_hosts_ipv6")
        self.configuration["targets"] = {
            "ceph": {**right["ceph"], "endpoint": self.rgw["ipv6"]},
            "vault": {**right["vault"], "host": "::1", "port": int(self.sftp["ipv6_port"]), "known_hosts": known},
        }
        self.configuration["jobs"]["job"]["targets"] = ["ceph", "vault"]
        daemon.write_config(self.configuration)
        daemon.start()
        self.assertIn("[::1]", daemon.ctl("check", "--connect").out)
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        name = report["set"]
        self.assertEqual(self.in_bucket(self.rgw), self.local(daemon, name))
        self.assertEqual(self.by_sftp(), self.local(daemon, name))
        for each in ("ceph", "vault"):
            into = daemon.directory / "into" / each
            daemon.ctl("download", name, "--from", each, "--into", into)
            self.assertEqual(self.in_directory(into), self.local(daemon, name), each)

    def test_what_is_refused_is_named_and_owed_until_it_is_allowed(self) -> None:
        daemon = self.offsite()
        right = self.configuration["targets"]
        wrong: dict[str, tuple[dict[str, Any], str, str]] = {
            # what is changed, what the message has to say, and the hint
            "ceph": ({"secret_access_key": "x" * 40}, "SignatureDoesNotMatch", "secret_access_key"),
            "swift": ({"bucket": "no-such-bucket"}, "NoSuchBucket", "bucket"),
            "vault": ({"known_hosts": self.hand_over(daemon, Path(self.sftp["directory"], "known_hosts_empty"), "empty")},
                      "host key is not known", "ssh-keyscan"),
            "drive": ({"remote": "nowhere:x"}, "didn't find section in config file", "rclone"),
            "nas": ({"require_mount": True}, "is not on a mount of its own", "mount"),
        }  # fmt: skip
        self.configuration["targets"] = {each: {**right[each], **wrong[each][0]} for each in NAMES}
        reader = {"access_key_id": self.rgw["reader_key"], "secret_access_key": self.rgw["reader_secret"]}
        guest = {**right["ceph"], "prefix": right["ceph"]["prefix"] + "-guest"}
        self.configuration["targets"]["guest"] = {**guest, **reader}
        wrong["guest"] = ({}, "AccessDenied", "s3:PutObject")
        self.configuration["jobs"]["job"]["targets"] = [*NAMES, "guest"]
        daemon.write_config(self.configuration)
        daemon.start()
        report = daemon.run("job")
        self.assertEqual(report["status"], "WARNING", report)
        told = {target["name"]: target for target in report["targets"]}
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertEqual(checked.code, 1)
        for each, (_, message, hint) in wrong.items():
            with self.subTest(each):
                self.assertEqual(told[each]["status"], "owed")
                self.assertIn(message, told[each]["message"])
                [*_, line] = [line for line in daemon.log().splitlines() if f"the copy on {each} is owed" in line]
                self.assertIn(message, line)
                self.assertIn(message, checked.out)
                self.assertIn(hint, checked.out)
        self.assertIn(", 6 of 6 copies owed: " + report["set"], daemon.log())
        self.assertNotIn("x" * 40, daemon.log() + checked.out + checked.err)
        self.assertEqual({copy["target"] for copy in daemon.status()["owed"]}, set(wrong))
        # Nothing but what is right is where it should not be.
        self.assertFalse((daemon.directory / "nas").exists())
        self.configuration["targets"] = {**right, "guest": guest}
        daemon.stop()
        daemon.write_config(self.configuration)
        forget_pauses(daemon)
        daemon.start()
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        for each, files in self.there(daemon).items():
            self.assertEqual(files, self.local(daemon, report["set"]), each)

    def test_what_a_key_may_not_do_is_named(self) -> None:
        """Who may only read can still bring a set back."""
        daemon = self.offsite().start()
        name = daemon.run("job")["set"]
        reader: Callable[[dict[str, str]], dict[str, str]] = lambda facts: {
            "access_key_id": facts["reader_key"], "secret_access_key": facts["reader_secret"]}  # fmt: skip
        for each, facts in (("ceph", self.rgw), ("swift", self.swift)):
            self.configuration["targets"][each].update(reader(facts))
        daemon.write_config(self.configuration)
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertEqual(checked.code, 1)
        for each in ("ceph", "swift"):
            with self.subTest(each):
                self.assertIn(f"target {each}: writing is not possible", checked.out)
                self.assertIn("s3:PutObject", checked.out)
                self.assertIn(f"target {each}: listing in ", checked.out)
                daemon.ctl("download", name, "--from", each, "--into", daemon.directory / "into" / each)


if __name__ == "__main__":
    unittest.main()
