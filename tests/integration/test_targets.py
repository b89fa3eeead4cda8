"""Copies off site as an administrator sees them: sent, owed, sent later, expired, fetched. By a directory target; what
each kind of place does with bytes is tested in contract/target."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import LifeCase
from support.daemon import Daemon
from support.process import current_account, wait_for
from support.stock import restore_directory

CTEST = {"timeout": 600, "cost": 70}


class Targets(LifeCase):
    def targets(self, names: list[str], **job: Any) -> Daemon:
        """A daemon whose job copies its sets to directories of these names."""
        config = self.config(targets=names, retries={"attempts": 1}, **job)
        daemon = self.daemon(config)
        config["targets"] = {name: {"type": "directory", "path": str(daemon.directory / name)} for name in names}
        self.configuration = config
        daemon.write_config(config)
        return daemon

    def close(self, daemon: Daemon, name: str) -> None:
        """The target is away: nothing can be made where it should be."""
        (daemon.directory / name).rename(daemon.directory / f"{name}-away")
        (daemon.directory / name).write_text("no directory", encoding="utf-8")

    def open(self, daemon: Daemon, name: str) -> None:
        (daemon.directory / name).unlink()
        (daemon.directory / f"{name}-away").rename(daemon.directory / name)

    def files(self, directory: Path) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}

    def places(self, daemon: Daemon, name: str) -> dict[str, bool]:
        [found] = [entry for entry in daemon.sets() if entry["set"] == name]
        return {copy["place"]: copy["complete"] for copy in found["copies"]}

    def test_a_run_leaves_the_same_files_on_every_target(self) -> None:
        daemon = self.targets(["nas", "vault"]).start()
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        for name in ("nas", "vault"):
            copied = daemon.directory / name / report["set"]
            self.assertEqual(self.files(copied), self.files(daemon.set_directory(report["set"])))
        self.assertEqual([(target["name"], target["status"], target["bytes"]) for target in report["targets"]],
                         [("nas", "copied", report["size_bytes"]), ("vault", "copied", report["size_bytes"])])  # fmt: skip
        self.assertTrue(all(target["verified"] for target in report["targets"]))
        self.assertEqual(self.places(daemon, report["set"]), {"local": True, "nas": True, "vault": True})
        self.assertEqual(daemon.status()["owed"], [])
        self.assertIn("job: uploaded to nas: 3 files", daemon.log())
        self.assertIn("local, nas, vault", daemon.ctl("list").out)

    def test_a_target_that_is_away_is_owed_its_copies_and_gets_them_in_order(self) -> None:
        daemon = self.targets(["nas", "vault"]).start()
        daemon.run("job")
        self.close(daemon, "nas")
        owed = [daemon.run("job") for _ in range(3)]
        for report in owed:
            self.assertEqual(report["status"], "WARNING", report)
            self.assertEqual({target["name"]: target["status"] for target in report["targets"]},
                             {"nas": "owed", "vault": "copied"})  # fmt: skip
            self.assertEqual(self.places(daemon, report["set"]), {"local": True, "nas": False, "vault": True})
        self.assertEqual([copy["set"] for copy in daemon.status()["owed"]], [report["set"] for report in owed])
        self.assertIn("nas owed", daemon.ctl("list").out)
        self.assertIn("owed", daemon.ctl("status").out)
        daemon.stop()
        self.open(daemon, "nas")
        self.forget_pauses(daemon)
        daemon.start()
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        log = daemon.log()
        sent = [log.index(f"the copy of {report['set'].split('/')[1]} owed to nas is sent") for report in owed]
        self.assertEqual(sent, sorted(sent))
        for report in owed:
            self.assertEqual(self.files(daemon.directory / "nas" / report["set"]), self.files(daemon.set_directory(report["set"])))
            self.assertEqual(self.places(daemon, report["set"])["nas"], True)

    def test_a_target_that_is_back_gets_with_the_next_run_what_it_was_owed_before(self) -> None:
        daemon = self.targets(["nas"]).start()
        daemon.run("job")
        self.close(daemon, "nas")
        owed = [daemon.run("job")["set"] for _ in range(2)]
        self.open(daemon, "nas")
        self.assertEqual(daemon.run("job")["status"], "SUCCESS")
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        for name in owed:
            self.assertEqual(self.files(daemon.directory / "nas" / name), self.files(daemon.set_directory(name)))

    def forget_pauses(self, daemon: Daemon) -> None:
        """As if the pauses before the next attempts had passed."""
        with sqlite3.connect(daemon.repository.parent / "state.db") as connection:
            connection.execute("update copies set next_attempt = 0 where owed")
        connection.close()

    def test_an_owed_copy_keeps_its_local_set(self) -> None:
        daemon = self.targets(["nas"], retention={"local": {"last": 1, "at_least": 1}}).start()
        first = daemon.run("job")["set"]
        self.close(daemon, "nas")
        second = daemon.run("job")["set"]
        third = daemon.run("job")["set"]
        self.assertEqual({entry["set"] for entry in daemon.sets() if self.places(daemon, entry["set"]).get("local")},
                         {second, third})  # fmt: skip
        self.assertNotEqual(first, second)
        [kept] = [entry for entry in daemon.sets() if entry["set"] == second]
        self.assertIn("a copy owed to nas", kept["keep_reason"])

    def test_without_keep_local_the_set_stays_until_every_target_has_it(self) -> None:
        daemon = self.targets(["nas", "vault"], keep_local=False).start()
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS")
        self.assertFalse(daemon.set_directory(report["set"]).exists())
        self.assertEqual(self.places(daemon, report["set"]), {"nas": True, "vault": True})
        self.close(daemon, "nas")
        second = daemon.run("job")
        self.assertEqual(second["status"], "WARNING")
        self.assertTrue(daemon.set_directory(second["set"]).exists())
        daemon.stop()
        self.open(daemon, "nas")
        self.forget_pauses(daemon)
        daemon.start()
        daemon.wait_for(lambda: not daemon.set_directory(second["set"]).exists(), what="the end of the local set")
        self.assertEqual(self.places(daemon, second["set"]), {"nas": True, "vault": True})

    def test_each_target_is_pruned_by_its_own_rules(self) -> None:
        retention = {"local": {"last": 3, "at_least": 1},
                     "targets": {"nas": {"last": 1, "at_least": 1}, "vault": {"last": 2, "at_least": 1}}}  # fmt: skip
        daemon = self.targets(["nas", "vault"], retention=retention).start()
        runs = [daemon.run("job")["set"] for _ in range(4)]
        on = {name: sorted(f"job/{path.name}" for path in (daemon.directory / name / "job").iterdir()) for name in ("nas", "vault")}
        self.assertEqual(on, {"nas": runs[3:], "vault": runs[2:]})
        self.assertEqual([entry["set"] for entry in daemon.sets() if "local" in self.places(daemon, entry["set"])],
                         runs[:0:-1])  # fmt: skip
        plan = daemon.ctl("--json", "prune").json["decisions"]
        self.assertEqual({(each["set"], each["place"], each["action"]) for each in plan},
                         {(runs[1], "local", "keep"), (runs[2], "local", "keep"), (runs[3], "local", "keep"),
                          (runs[3], "nas", "keep"), (runs[2], "vault", "keep"), (runs[3], "vault", "keep")})  # fmt: skip

    def test_a_set_comes_back_from_a_target_alone(self) -> None:
        daemon = self.targets(["nas"]).start()
        name = daemon.run("job")["set"]
        daemon.stop()
        shutil.rmtree(daemon.repository.parent)
        shown = daemon.ctl("--json", "list", "--from", "nas").json["sets"]
        self.assertEqual([entry["set"] for entry in shown], [name])
        self.assertIn(name, daemon.ctl("list", "--from", "nas").out)
        verified = daemon.ctl("--json", "verify", "job/latest", "--from", "nas").json
        self.assertEqual((verified["ok"], verified["level"]), (True, "decoded"))
        daemon.ctl("download", "job/latest", "--from", "nas", "--into", daemon.directory / "fetched")
        fetched = daemon.directory / "fetched" / name
        self.assertEqual(self.files(fetched), self.files(daemon.directory / "nas" / name))
        self.assertEqual(daemon.ctl("verify", fetched).code, 0)
        again = daemon.ctl("download", name, "--from", "nas", "--into", daemon.directory / "fetched", check=False)
        self.assertEqual(again.code, 1)
        self.assertIn("exists already", again.err)

    def test_damage_on_a_target_is_found(self) -> None:
        daemon = self.targets(["nas"]).start()
        name = daemon.run("job")["set"]
        [dump] = (daemon.directory / "nas" / name).glob("*.dump")
        damaged = bytearray(dump.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        dump.write_bytes(damaged)
        self.assertEqual(daemon.ctl("verify", name, "--from", "nas", check=False).code, 4)
        failed = daemon.ctl("download", name, "--from", "nas", "--into", daemon.directory / "fetched", check=False)
        self.assertEqual(failed.code, 1)
        self.assertEqual(list((daemon.directory / "fetched").rglob("*.dump")), [])

    def test_a_checksum_file_that_is_wrong_on_a_target_is_told_and_makes_no_bad_set(self) -> None:
        daemon = self.targets(["nas"]).start()
        name = daemon.run("job")["set"]
        [sidecar] = (daemon.directory / "nas" / name).glob("*.dump.sha256")
        right = sidecar.read_bytes()
        for wrong in (b"0" * 64 + right[64:], None):
            with self.subTest(wrong=wrong):
                sidecar.unlink()
                if wrong:
                    sidecar.write_bytes(wrong)
                    os.chown(sidecar, daemon.account.uid, daemon.account.gid)
                found = daemon.ctl("verify", name, "--from", "nas", check=False)
                self.assertEqual(found.code, 4, found)
                self.assertIn(f"the artifacts of {name} on nas are good, but not what stands beside them: {sidecar.name} ", found.err)
                self.assertIn(f"pgbakctl download {name} --from nas writes right ones", found.err)
        sidecar.touch()
        [there] = daemon.ctl("--json", "list", "--from", "nas").json["sets"]
        self.assertEqual((there["corrupt"], there["problem"]), (False, None))
        # As the hint says.
        daemon.ctl("download", name, "--from", "nas", "--into", daemon.directory / "fetched")
        sidecar.unlink()
        (daemon.directory / "fetched" / name / sidecar.name).rename(sidecar)
        self.assertEqual(sidecar.read_bytes(), right)
        self.assertEqual(daemon.ctl("verify", name, "--from", "nas").code, 0)

    def test_where_the_newest_manifest_is_broken_the_set_before_it_is_the_latest(self) -> None:
        daemon = self.targets(["nas"]).start()
        good, broken = [daemon.run("job")["set"] for _ in range(2)]
        (daemon.directory / "nas" / broken / "manifest.json").write_text("{", encoding="utf-8")
        fetched = daemon.ctl("download", "job/latest", "--from", "nas", "--into", daemon.directory / "fetched")
        self.assertTrue((daemon.directory / "fetched" / good / "manifest.json").exists())
        self.assertIn(f"{broken} is left out: ", fetched.err)
        verified = daemon.ctl("verify", "job/latest", "--from", "nas")
        self.assertIn(f"{good} on nas: good", verified.out)
        named = daemon.ctl("download", broken, "--from", "nas", "--into", daemon.directory / "fetched", check=False)
        self.assertEqual(named.code, 1)
        self.assertIn(f"target nas: {broken}: ", named.err)

    def test_a_message_names_its_target_once(self) -> None:
        daemon = self.targets(["nas"])
        self.configuration["targets"]["bucket"] = {
            "type": "s3", "provider": "minio", "endpoint": "http://127.0.0.1:9", "bucket": "backups", "region": "here",
            "access_key_id": "key", "secret_access_key": {"credential": "bucket-secret"},
        }  # fmt: skip
        self.configuration["jobs"]["job"]["targets"] = ["nas", "bucket"]
        daemon.write_config(self.configuration)
        listed = daemon.ctl("list", "--from", "bucket", check=False)
        checked = daemon.ctl("check", "--connect", check=False)
        for text in (listed.err, checked.out):
            lines = [line for line in text.splitlines() if "bucket-secret" in line and "hint: " not in line]
            self.assertTrue(lines, text)
            for line in lines:
                self.assertEqual(line.count("target bucket"), 1, line)

    def test_a_target_that_never_answers_holds_up_no_dump(self) -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        daemon = self.targets(["nas"])
        self.configuration["targets"]["silent"] = {
            "type": "s3", "provider": "minio", "endpoint": f"http://127.0.0.1:{silent.getsockname()[1]}", "bucket": "backups",
            "region": "here", "access_key_id": "key", "secret_access_key": "secret",
        }  # fmt: skip
        self.configuration["jobs"]["job"]["targets"] = ["silent", "nas"]
        daemon.write_config(self.configuration)
        daemon.start()
        daemon.ctl("run", "job")
        daemon.wait_for(lambda: list((daemon.directory / "nas").glob("job/*/manifest.json")), what="the set on the other target")
        self.assertNotIn("cannot be used now", daemon.log(), "nobody knows yet whether it answers")
        daemon.stop()
        daemon.start()
        [owed] = daemon.status()["owed"]
        self.assertEqual(owed["target"], "silent")

    def test_a_copy_that_was_found_corrupt_is_never_the_reason_to_delete_a_good_one(self) -> None:
        keep_one = {"local": {"last": 1, "at_least": 1}, "targets": {"nas": {"last": 1, "at_least": 1}}}
        daemon = self.targets(["nas"], retention={**keep_one, "targets": {"nas": {"last": 2, "at_least": 1}}}).start()
        good, bad = [daemon.run("job")["set"] for _ in range(2)]
        [dump] = (daemon.directory / "nas" / bad).glob("*.dump")
        content = dump.read_bytes()
        dump.write_bytes(content[:-1])
        self.assertEqual(daemon.ctl("verify", bad, "--from", "nas", check=False).code, 4)
        self.configuration["jobs"]["job"]["retention"] = keep_one
        daemon.write_config(self.configuration)
        daemon.ctl("reload")
        there = {entry["set"]: entry["corrupt"] for entry in daemon.ctl("--json", "list", "--from", "nas").json["sets"]}
        self.assertEqual(there, {good: False, bad: True})
        plan = {each["set"]: each["action"] for each in daemon.ctl("--json", "prune").json["decisions"] if each["place"] == "nas"}
        self.assertEqual(plan[good], "keep")
        # Whoever has lost the state of this host finds it all the same.
        daemon.stop()
        shutil.rmtree(daemon.repository.parent)
        self.assertEqual(daemon.ctl("--json", "show", "job/latest", "--from", "nas").json["set"], good)
        self.assertEqual(daemon.ctl("--json", "show", bad, "--from", "nas").json["corrupt"], True)
        # Found good again, it counts again.
        dump.write_bytes(content)
        self.assertEqual(daemon.ctl("verify", bad, "--from", "nas").code, 0)
        self.assertEqual(daemon.ctl("--json", "show", "job/latest", "--from", "nas").json["set"], bad)

    def test_a_pinned_set_stays_in_every_place(self) -> None:
        keep_one = {"local": {"last": 1, "at_least": 1}, "targets": {"nas": {"last": 1, "at_least": 1}}}
        for keep_local in (True, False):
            with self.subTest(keep_local=keep_local):
                daemon = self.targets(["nas", "vault"], keep_local=keep_local, retention=keep_one).start()
                name = daemon.run("job")["set"]
                pinned = daemon.ctl("--json", "pin", name).json
                places = ["local", "nas", "vault"] if keep_local else ["nas", "vault"]
                self.assertEqual((pinned["pinned"], pinned["places"]), (True, places))
                daemon.run("job")
                daemon.run("job")
                self.assertTrue((daemon.directory / "nas" / name / "manifest.json").exists())
                self.assertEqual(daemon.set_directory(name).exists(), keep_local)
                shown = {entry["set"]: entry["pinned"] for entry in daemon.ctl("--json", "list", "--from", "nas").json["sets"]}
                self.assertEqual(shown.pop(name), True)
                self.assertEqual(set(shown.values()), {False})
                self.assertIn(f"{name} is no longer pinned (", daemon.ctl("unpin", name).out)
                daemon.run("job")
                self.assertFalse((daemon.directory / "nas" / name).exists())

    def test_a_pin_that_a_target_does_not_get_is_told(self) -> None:
        daemon = self.targets(["nas", "vault"]).start()
        name = daemon.run("job")["set"]
        self.close(daemon, "nas")
        pinned = daemon.ctl("pin", name, check=False)
        self.assertEqual(pinned.code, 1)
        self.assertIn(f"{name} is pinned (local, vault)", pinned.out)
        self.assertIn("target nas: ", pinned.err)

    def test_a_set_on_targets_alone_is_shown(self) -> None:
        daemon = self.targets(["nas"], keep_local=False).start()
        report = daemon.run("job")
        for name in (report["set"], "job/latest"):
            shown = daemon.ctl("--json", "show", name).json
            self.assertEqual((shown["set"], shown["directory"]), (report["set"], None))
            self.assertEqual([copy["place"] for copy in shown["copies"]], ["nas"])
            self.assertEqual([artifact["file"] for artifact in shown["artifacts"]], [artifact["file"] for artifact in report["artifacts"]])
            self.assertEqual(daemon.ctl("--json", "show", name, "--from", "nas").json, shown)
        self.assertRegex(daemon.ctl("show", "job/latest").out, r"target +nas\n")
        self.assertEqual(daemon.ctl("show", "job/20200101_000000", check=False).code, 6)

    def test_a_run_that_fails_leaves_nothing_on_its_targets(self) -> None:
        daemon = self.targets(["nas"]).start()
        run = self.start_stuck_run(daemon, self.hold_lock())
        daemon.ctl("cancel", run)
        left = [path for path in (daemon.directory / "nas").rglob("*") if path.is_file()]
        self.assertEqual(left, [])
        self.assertEqual(daemon.status()["owed"], [])

    def test_check_names_what_a_target_does_not_allow(self) -> None:
        daemon = self.targets(["nas"])
        daemon.start()
        self.assertIn("target nas: writing, reading, listing, deleting", daemon.ctl("check", "--connect").out)
        (daemon.directory / "nas").chmod(0o500)
        if daemon.account.uid != 0:
            refused = daemon.ctl("check", "--connect", check=False)
            self.assertEqual(refused.code, 1)
            self.assertIn("target nas: writing is not possible", refused.out)
        (daemon.directory / "nas").chmod(0o700)

    def test_a_check_by_root_leaves_nothing_that_the_daemon_could_not_use(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("only root leaves what others cannot use")
        daemon = self.targets(["nas", "new"])
        nas = daemon.directory / "nas"
        nas.mkdir(mode=0o700)
        os.chown(nas, daemon.account.uid, daemon.account.gid)
        root = current_account()
        self.assertIn("target nas: writing, reading, listing, deleting", daemon.ctl("check", "--connect", account=root).out)
        self.assertEqual(list(nas.iterdir()), [])
        self.assertFalse((daemon.directory / "new").exists())
        daemon.start()
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)

    def test_a_link_on_a_target_is_told_and_leads_no_copy_elsewhere(self) -> None:
        daemon = self.targets(["nas"], retention={"local": {"last": 5}, "targets": {"nas": {"last": 1, "at_least": 1}}}).start()
        nas = daemon.directory / "nas"
        elsewhere = daemon.set_directory(daemon.run("job")["set"])
        before = self.files(elsewhere)
        for path in elsewhere.iterdir():
            os.utime(path, (1e9, 1e9))
        for link in (nas / ".pgbakd-uploads", nas / "job"):
            shutil.rmtree(link, ignore_errors=True)
            link.symlink_to(elsewhere)
            report = daemon.run("job")
            self.assertEqual(report["status"], "WARNING", report)
            self.assertIn(f"{link} is a symbolic link", report["targets"][0]["message"])
            self.assertEqual(self.files(elsewhere), before)
            link.unlink()

    def test_targets_that_are_one_place_and_links_into_the_repository_are_refused(self) -> None:
        daemon = self.targets(["nas", "vault"]).start()
        daemon.run("job")
        (daemon.directory / "other").symlink_to("nas")
        (daemon.directory / "inside").symlink_to(daemon.repository.parent)
        targets = self.configuration["targets"]
        for path, message in {
            daemon.directory / "other": "jobs.job.targets[1]: vault is the same place as nas",
            daemon.directory / "inside" / "repository": f"targets.vault.path: leads to {daemon.repository.resolve()}, which must not",
        }.items():
            targets["vault"]["path"] = str(path)
            daemon.write_config(self.configuration)
            refused = daemon.ctl("check", check=False)
            self.assertEqual(refused.code, 3, refused)
            self.assertIn(message, refused.err)

    def test_a_mount_that_is_missing_at_the_start_is_waited_for_and_then_used(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("only root can mount")
        daemon = self.targets(["nas"])
        point = daemon.directory / "nas"
        point.mkdir()
        (point / "pgbakd").mkdir()
        os.chown(point / "pgbakd", daemon.account.uid, daemon.account.gid)
        self.configuration["targets"]["nas"].update(path=str(point / "pgbakd"), require_mount=str(point))
        daemon.write_config(self.configuration)
        # As systemd does it for ReadWritePaths=.
        subprocess.run(["mount", "--bind", point / "pgbakd", point / "pgbakd"], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", point / "pgbakd"], check=False, stderr=subprocess.DEVNULL)
        daemon.start()
        report = daemon.run("job")
        self.assertEqual(report["status"], "WARNING", report)
        self.assertIn(f"is not on a mount of its own: nothing is mounted on {point}", report["targets"][0]["message"])
        self.assertEqual(list((point / "pgbakd").iterdir()), [])
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=64m,mode=0700,uid={daemon.account.uid},gid={daemon.account.gid}",
                        "tmpfs", point], check=True)  # fmt: skip
        self.addCleanup(subprocess.run, ["umount", "-l", point], check=False, stderr=subprocess.DEVNULL)
        daemon.run("job")
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        for entry in daemon.sets():
            self.assertEqual(self.files(point / "pgbakd" / entry["set"]), self.files(daemon.set_directory(entry["set"])))

    def test_another_host_with_a_set_of_the_same_name_is_not_overwritten(self) -> None:
        daemon = self.targets(["nas"]).start()
        name = daemon.run("job")["set"]
        foreign = daemon.directory / "nas" / name / "manifest.json"
        text = json.loads(foreign.read_text(encoding="utf-8"))
        text["run"] = "01J00000000000000000000000"
        foreign.write_text(json.dumps(text), encoding="utf-8")
        before = foreign.read_bytes()
        daemon.stop()
        with sqlite3.connect(daemon.repository.parent / "state.db") as connection:
            connection.execute("update copies set owed = 1, next_attempt = 0")
        connection.close()
        daemon.start()
        daemon.wait_for_log("another set named")
        self.assertEqual(foreign.read_bytes(), before)
        self.assertEqual([copy["set"] for copy in daemon.status()["owed"]], [name])

    def by_another_host(self, directory: Path, host: str) -> None:
        """The set there was made by another host's run."""
        manifest = directory / "manifest.json"
        text = json.loads(manifest.read_text(encoding="utf-8"))
        text["host"], text["run"] = host, "01J00000000000000000000000"
        manifest.write_text(json.dumps(text), encoding="utf-8")

    def give_to(self, daemon: Daemon, directory: Path) -> None:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, daemon.account.uid, daemon.account.gid)

    def test_a_rescan_of_a_target_strikes_no_owed_copy(self) -> None:
        daemon = self.targets(["nas", "vault"]).start()
        daemon.run("job")
        self.close(daemon, "nas")
        owed, arrived = [daemon.run("job")["set"] for _ in range(2)]
        self.open(daemon, "nas")
        for name in (owed, arrived):
            shutil.copytree(daemon.directory / "vault" / name, daemon.directory / "nas" / name)
        self.by_another_host(daemon.directory / "nas" / owed, "elsewhere")
        self.give_to(daemon, daemon.directory / "nas")
        daemon.stop()
        daemon.ctl("rescan", "--from", "nas")
        self.assertEqual(self.places(daemon, owed), {"local": True, "nas": False, "vault": True})
        self.assertEqual(self.places(daemon, arrived), {"local": True, "nas": True, "vault": True})
        daemon.start()
        self.assertEqual([copy["set"] for copy in daemon.status()["owed"]], [owed])

    def test_a_rescan_of_a_target_forgets_what_is_gone_from_there(self) -> None:
        daemon = self.targets(["nas", "vault"]).start()
        gone, kept = [daemon.run("job")["set"] for _ in range(2)]
        shutil.rmtree(daemon.directory / "nas" / gone)
        self.assertIn("1 set found on nas, 1 forgotten that are gone, 0 runs added", daemon.ctl("rescan", "--from", "nas").out)
        self.assertEqual(self.places(daemon, gone), {"local": True, "vault": True})
        [copy] = [copy for entry in daemon.sets() if entry["set"] == kept for copy in entry["copies"] if copy["place"] == "nas"]
        self.assertEqual((copy["complete"], copy["verified"]), (True, "read back"), "how it was compared stays known")
        # A place that is not mounted must not empty the catalog.
        (daemon.directory / "nas").rename(daemon.directory / "nas-away")
        (daemon.directory / "nas").mkdir()
        refused = daemon.ctl("rescan", "--from", "nas", check=False)
        self.assertEqual(refused.code, 1)
        self.assertIn("there is no set on nas, but the catalog knows of 1 set there: nothing was changed", refused.err)
        self.assertEqual(self.places(daemon, kept), {"local": True, "nas": True, "vault": True})

    def test_two_hosts_with_a_job_of_one_name_prune_their_own_sets(self) -> None:
        keep_one = {"local": {"last": 1, "at_least": 1}, "targets": {"nas": {"last": 1, "at_least": 1}}}
        daemon = self.targets(["nas"], retention=keep_one).start()
        own = daemon.run("job")["set"]
        others = ["job/20200101_000000", "job/20200102_000000"]
        for name in others:
            there = daemon.directory / "nas" / name
            shutil.copytree(daemon.directory / "nas" / own, there)
            manifest = there / "manifest.json"
            manifest.write_text(manifest.read_text(encoding="utf-8").replace(own, name), encoding="utf-8")
            self.by_another_host(there, "elsewhere")
        self.give_to(daemon, daemon.directory / "nas")
        reports = [daemon.run("job") for _ in range(2)]
        self.assertEqual([report["status"] for report in reports], ["SUCCESS", "SUCCESS"])
        on_nas = sorted(f"job/{path.name}" for path in (daemon.directory / "nas" / "job").iterdir())
        self.assertEqual(on_nas, [*others, reports[1]["set"]])
        told = [[note for note in report["notes"] if "elsewhere too has 2 sets of job on nas" in note] for report in reports]
        self.assertEqual([len(notes) for notes in told], [1, 0], "once")
        self.assertIn("made by elsewhere, which prunes its own", daemon.ctl("list").out)
        # The history and the newest set are this host's.
        daemon.stop()
        runs = len(daemon.ctl("--json", "runs").json["runs"])
        rescanned = daemon.ctl("rescan", "--from", "nas")
        self.assertIn("pgbakctl rescan --from nas --adopt elsewhere", rescanned.err)
        self.assertEqual(len(daemon.ctl("--json", "runs").json["runs"]), runs)
        self.assertEqual(daemon.ctl("rescan", "--adopt", "elsewhere", check=False).code, 2)
        # Whoever takes the place of that host says so, once.
        daemon.ctl("rescan", "--from", "nas", "--adopt", "elsewhere")
        daemon.ctl("rescan", "--from", "nas")
        daemon.start()
        report = daemon.run("job")
        self.assertEqual([path.name for path in (daemon.directory / "nas" / "job").iterdir()], [report["set"].removeprefix("job/")])

    def test_half_a_set_is_swept_at_the_start_but_no_copy_that_is_owed_and_nobody_elses(self) -> None:
        daemon = self.targets(["nas"]).start()
        daemon.run("job")
        self.close(daemon, "nas")
        owed, corrupt, never_begun = (daemon.run("job")["set"] for _ in range(3))
        self.open(daemon, "nas")
        daemon.stop()
        (daemon.repository / corrupt / "corrupt").touch()
        nas = daemon.directory / "nas"
        names = ("job/20200101_000000", owed, corrupt, never_begun, "photos/20200101_000000")
        halves = {name: nas / name / "shop.dump" for name in names}
        for half in [*halves.values(), nas / "job" / "20200102_000000" / "shop.dump"]:
            half.parent.mkdir(parents=True)
            half.write_text("half", encoding="utf-8")
            os.utime(half, (1e9, 1e9))
        os.utime(nas / "job" / "20200102_000000" / "shop.dump")  # it has just come
        self.give_to(daemon, nas)
        # What is owed is not sent before its pause is over.
        self.put_off(daemon)
        self.change_state(daemon, "update copies set begun = 1 where name in (?, ?)", owed[4:], corrupt[4:])
        daemon.start()
        daemon.wait_for_log("removed 3 half sets from nas")
        self.assertFalse(halves["job/20200101_000000"].exists())
        self.assertTrue(halves[owed].exists())
        self.assertFalse(halves[corrupt].exists(), "nothing will go on with it")
        self.assertFalse(halves[never_begun].exists(), "it stands in the way of the copy")
        self.assertTrue(halves["photos/20200101_000000"].exists(), "no job of this host's")
        self.assertTrue((nas / "job" / "20200102_000000" / "shop.dump").exists())

    def change_state(self, daemon: Daemon, statement: str, *values: object) -> None:
        with sqlite3.connect(daemon.repository.parent / "state.db") as connection:
            connection.execute(statement, values)
        connection.close()

    def put_off(self, daemon: Daemon) -> None:
        """As if the copies that are owed were to be tried again much later."""
        self.change_state(daemon, "update copies set next_attempt = ? where owed", int(time.time() + 3000) * 1000)

    def test_a_local_set_that_is_only_to_last_until_it_is_copied_goes_whenever_that_is(self) -> None:
        daemon = self.targets(["nas", "vault"]).start()
        before = daemon.run("job")["set"]
        self.configuration["jobs"]["job"]["keep_local"] = False
        daemon.write_config(self.configuration)
        self.close(daemon, "vault")
        daemon.restart()
        daemon.wait_for_log(f"job: the local set {before.removeprefix('job/')} stays until every target can be asked for it: ")
        self.assertEqual(self.places(daemon, before), {"local": True, "nas": True, "vault": True})
        self.open(daemon, "vault")
        # As after a kill between the last copy and the removal: at the start.
        daemon.restart()
        daemon.wait_for_log(f"job: removed the local set {before.removeprefix('job/')}: every target has it")
        self.assertEqual(self.places(daemon, before), {"nas": True, "vault": True})
        self.close(daemon, "vault")
        owed = daemon.run("job")["set"]
        self.assertEqual(self.places(daemon, owed), {"local": True, "nas": True, "vault": False})
        # The target that it waits for is taken out of the job.
        daemon.stop()
        self.configuration["jobs"]["job"]["targets"] = ["nas"]
        daemon.write_config(self.configuration)
        self.forget_pauses(daemon)
        daemon.start()
        daemon.wait_for(lambda: not daemon.set_directory(owed).exists(), what="the end of the local set")
        self.assertEqual(self.places(daemon, owed), {"nas": True})

    def test_a_run_removes_the_local_sets_that_the_job_does_not_keep_any_more(self) -> None:
        daemon = self.targets(["nas"]).start()
        before = daemon.run("job")["set"]
        self.configuration["jobs"]["job"]["keep_local"] = False
        daemon.write_config(self.configuration)
        daemon.ctl("reload")
        after = daemon.run("job")["set"]
        self.assertEqual([self.places(daemon, name) for name in (before, after)], [{"nas": True}, {"nas": True}])

    def owed_set(self, daemon: Daemon) -> str:
        """A set whose copy on nas is owed, the daemon stopped and the target back."""
        self.close(daemon, "nas")
        name = daemon.run("job")["set"]
        daemon.stop()
        self.open(daemon, "nas")
        self.forget_pauses(daemon)
        return name

    def spoil(self, directory: Path) -> None:
        [dump] = directory.glob("*.dump")
        content = bytearray(dump.read_bytes())
        content[len(content) // 2] ^= 1
        dump.write_bytes(content)

    def test_a_local_set_that_is_corrupt_is_never_sent_nor_removed(self) -> None:
        retention = {"targets": {"last": 1, "at_least": 1}}
        daemon = self.targets(["nas"], keep_local=False, retention=retention).start()
        good = daemon.run("job")["set"]
        for verified in (False, True):
            with self.subTest(verified=verified):
                bad = self.owed_set(daemon)
                self.spoil(daemon.set_directory(bad))
                if verified:
                    self.assertEqual(daemon.ctl("verify", bad, check=False).code, 4)
                daemon.start()
                stays = f"job: the copy of {bad.removeprefix('job/')} stays owed to nas, and cannot be sent: "
                daemon.wait_for_log(stays)
                daemon.restart()
                tried = self.attempts(daemon, bad)
                daemon.ctl("reload")
                daemon.wait_for(lambda bad=bad, tried=tried: self.attempts(daemon, bad) > tried, what="another attempt")
                self.assertEqual(daemon.log().count(stays), 1)
                self.assertIn(f"pgbakctl verify {bad}", daemon.log())
                [owed] = [copy for copy in daemon.status()["owed"] if copy["set"] == bad]
                self.assertIn("the local set was found corrupt, and is not sent: ", owed["message"])
                self.assertTrue(daemon.set_directory(bad).exists())
                self.assertFalse((daemon.directory / "nas" / bad / "manifest.json").exists())
                [entry] = [entry for entry in daemon.sets() if entry["set"] == bad]
                self.assertIn("corrupt", json.dumps(entry))
                daemon.ctl("prune", "--apply")
                self.assertTrue((daemon.directory / "nas" / good / "manifest.json").exists())

    def attempts(self, daemon: Daemon, name: str) -> int:
        return next(copy["attempts"] for copy in daemon.status()["owed"] if copy["set"] == name)

    def test_a_local_set_goes_only_when_its_targets_still_have_it(self) -> None:
        daemon = self.targets(["nas"]).start()
        gone, there = [daemon.run("job")["set"] for _ in range(2)]
        daemon.stop()
        shutil.rmtree(daemon.directory / "nas" / gone)
        self.configuration["jobs"]["job"]["keep_local"] = False
        daemon.write_config(self.configuration)
        daemon.start()
        daemon.wait_for_log(f"job: removed the local set {there.removeprefix('job/')}: every target has it")
        daemon.wait_for_log(f"job: the local set {gone.removeprefix('job/')} stays, for nas does not have it as it should")
        self.assertTrue(daemon.set_directory(gone).exists())
        self.assertFalse(daemon.set_directory(there).exists())

    def test_a_set_that_a_target_has_lost_a_part_of_is_mended_before_the_local_one_goes(self) -> None:
        daemon = self.targets(["nas"]).start()
        damaged = daemon.run("job")["set"]
        files = self.files(daemon.directory / "nas" / damaged)
        [dump] = (daemon.directory / "nas" / damaged).glob("*.dump")
        dump.unlink()
        self.configuration["jobs"]["job"]["keep_local"] = False
        daemon.write_config(self.configuration)
        daemon.ctl("reload")
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS")
        self.assertIn(f"{damaged} on nas is not whole, and counts for nothing there: {dump.name} is not there", report["notes"])
        self.assertFalse(daemon.set_directory(report["set"]).exists())
        daemon.wait_for_log(f"job: removed the local set {damaged.removeprefix('job/')}: every target has it")
        self.assertEqual(self.files(daemon.directory / "nas" / damaged), files)
        self.assertEqual(daemon.run("job")["notes"], [])

    def test_an_owed_copy_whose_manifest_came_counts_as_sent_only_with_what_that_names(self) -> None:
        daemon = self.targets(["nas"], keep_local=False).start()
        daemon.run("job")
        name = self.owed_set(daemon)
        # As if all had been sent, the last answer lost, and the server had fallen before it wrote the bytes out.
        files = self.files(daemon.set_directory(name))
        there = daemon.directory / "nas" / name
        shutil.copytree(daemon.set_directory(name), there)
        for dump in there.glob("*.dump"):
            os.truncate(dump, 0)
        self.give_to(daemon, daemon.directory / "nas")
        daemon.start()
        daemon.wait_for_log(f"job: removed the local set {name.removeprefix('job/')}: every target has it")
        self.assertEqual(self.files(there), files)

    def test_a_set_that_is_damaged_while_it_is_sent_is_no_backup_and_no_reason_to_delete_one(self) -> None:
        self.server.createdb("big")
        rows = "select i, gen_random_uuid()::text || gen_random_uuid()::text x from generate_series(1, 80000) i"
        self.server.sql(f"create table t as {rows}", "big")
        source = {"type": "pg_dump", "server": "local", "databases": ["big"]}
        retention = {"local": {"last": 1, "at_least": 1}}
        daemon = self.targets(["nas"], source=source, compression="none", retention=retention).start()
        good = daemon.run("job")["set"]
        self.configuration["limits"] = {"upload_rate": "1 MiB/s"}
        daemon.write_config(self.configuration)
        daemon.ctl("reload")
        run = daemon.ctl("--json", "run", "job").json["run"]
        daemon.wait_for(lambda: daemon.log().count(", decoded") == 2, what="a dump that was found right")
        [dump] = [path for path in daemon.repository.rglob("*.dump") if good.removeprefix("job/") not in path.parts]
        with dump.open("r+b") as file:
            file.seek(dump.stat().st_size - 50_000)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        history = lambda: {each["run"]: each for each in daemon.ctl("--json", "runs").json["runs"]}
        daemon.wait_for(lambda: history()[run]["status"] != "RUNNING", what="the end of the run")
        report = history()[run]
        self.assertEqual(report["status"], "FAILED")
        self.assertIn("is damaged now", report["error"]["message"])
        self.assertTrue(daemon.set_directory(good).exists())
        [entry] = [entry for entry in daemon.sets() if entry["set"] == report["set"]]
        self.assertIn("corrupt", json.dumps(entry))
        self.assertFalse((daemon.directory / "nas" / report["set"] / "manifest.json").exists())

    def put_in_its_place(self, daemon: Daemon) -> Path:
        """An empty directory for the repository: its file system is not mounted. Returns where the repository is."""
        away = daemon.directory / "away"
        daemon.repository.rename(away)
        daemon.repository.mkdir(mode=0o700)
        os.chown(daemon.repository, daemon.account.uid, daemon.account.gid)
        return away

    def test_a_repository_that_is_not_mounted_strikes_no_owed_copy_and_loses_no_set(self) -> None:
        daemon = self.targets(["nas"], retention={"local": {"last": 1, "at_least": 1}}).start()
        daemon.run("job")
        name = self.owed_set(daemon)
        away = self.put_in_its_place(daemon)
        said = f"{daemon.repository} has no id, and is not what the state file is about"
        daemon.start()
        daemon.wait_for_log(f"{said}: nothing is pruned there, and copies that are owed of sets that are not there stay owed")
        daemon.wait_for_log(f"cannot be sent: the set is not there, and {said}")
        [owed] = daemon.status()["owed"]
        self.assertEqual(owed["set"], name)
        self.assertIn(said, owed["message"])
        # Runs go on, into whatever that is; nothing of it is theirs to remove, and no older set proves anything.
        reports = [daemon.run("job") for _ in range(2)]
        for report in reports:
            self.assertTrue(any(f"nothing is pruned here: {said}" in note for note in report["notes"]), report["notes"])
        self.assertEqual([daemon.set_directory(report["set"]).exists() for report in reports], [True, True])
        self.assertIn("held by caution", daemon.ctl("prune", "--apply").out)
        self.assertEqual([copy["set"] for copy in daemon.status()["owed"]], [name])
        daemon.stop()
        shutil.rmtree(daemon.repository)
        away.rename(daemon.repository)
        self.forget_pauses(daemon)
        daemon.start()
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        self.assertEqual(self.files(daemon.directory / "nas" / name), self.files(daemon.set_directory(name)))

    def test_a_repository_that_takes_the_place_of_another_is_the_daemons_once_an_administrator_says_so(self) -> None:
        daemon = self.targets(["nas"], retention={"local": {"last": 1, "at_least": 1}}).start()
        daemon.run("job")
        name = self.owed_set(daemon)
        self.put_in_its_place(daemon)
        daemon.start()
        first = daemon.run("job")["set"]
        self.assertEqual([copy["set"] for copy in daemon.status()["owed"]], [name])
        daemon.stop()
        self.assertIn(f"{daemon.repository} has no id, and is not what the state file is about: it is from now on",
                      daemon.ctl("rescan").out)  # fmt: skip
        self.forget_pauses(daemon)
        daemon.start()
        daemon.wait_for_log(f"the copy of {name.removeprefix('job/')} is not owed to nas any more: the local set is not there")
        self.assertEqual(daemon.status()["owed"], [])
        second = daemon.run("job")
        self.assertEqual(second["notes"], [])
        self.assertEqual([entry["set"] for entry in daemon.sets() if "local" in self.places(daemon, entry["set"])], [second["set"]])
        self.assertNotEqual(first, second["set"])

    def test_an_owed_copy_whose_set_was_deleted_is_struck(self) -> None:
        daemon = self.targets(["nas"]).start()
        first = daemon.run("job")["set"]
        name = self.owed_set(daemon)
        # No set is left that says by its age that the repository is in use.
        for deleted in (first, name):
            shutil.rmtree(daemon.set_directory(deleted))
        daemon.start()
        daemon.wait_for_log(f"the copy of {name.removeprefix('job/')} is not owed to nas any more: the local set is not there")
        self.assertEqual(daemon.status()["owed"], [])

    # --- the state file was lost ---

    def lose_state(self) -> tuple[Daemon, list[str]]:
        """A daemon that is stopped, whose target has one set and was to get two more, which nobody knows any more."""
        daemon = self.targets(["nas"], retention={"local": {"last": 1, "at_least": 1}}).start()
        daemon.run("job")
        self.close(daemon, "nas")
        owed = [daemon.run("job")["set"] for _ in range(2)]
        daemon.stop()
        self.open(daemon, "nas")
        for path in daemon.repository.parent.glob("state.db*"):
            path.unlink()
        return daemon, owed

    def check_sent(self, daemon: Daemon, owed: list[str]) -> None:
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        for name in owed:
            self.assertEqual(self.files(daemon.directory / "nas" / name), self.files(daemon.set_directory(name)))

    def test_what_was_owed_is_owed_again_after_a_rescan_of_the_target(self) -> None:
        daemon, owed = self.lose_state()
        daemon.start()
        daemon.wait_for_log("the state file is new: `pgbakctl rescan` tells it of the sets that are here")
        self.assertEqual(daemon.status()["owed"], [])
        daemon.ctl("rescan")
        said = daemon.ctl("rescan", "--from", "nas").out
        self.assertIn("nas lacks 2 sets that its retention would keep: owed to it again; pgbakctl reload", said)
        self.assertEqual([self.places(daemon, name) for name in owed], [{"local": True, "nas": False}] * 2)
        daemon.ctl("reload")
        self.check_sent(daemon, owed)
        self.assertNotIn("owed to it again", daemon.ctl("rescan", "--from", "nas").out)

    def test_what_was_owed_is_owed_again_by_the_first_run_that_finds_the_target_knowing_more(self) -> None:
        daemon, owed = self.lose_state()
        daemon.start()
        report = daemon.run("job")
        self.assertIn("nas lacks 2 sets that its retention would keep: owed to it again, since the state file was lost", report["notes"])
        self.check_sent(daemon, [*owed, report["set"]])
        self.assertEqual([note for note in daemon.run("job")["notes"] if "again" in note], [])

    def test_what_was_owed_stays_through_runs_that_do_not_reach_the_target_and_is_owed_again_by_the_first_that_does(self) -> None:
        daemon, owed = self.lose_state()
        self.close(daemon, "nas")
        daemon.start()
        later = [daemon.run("job")["set"] for _ in range(2)]
        for name in [*owed, *later]:
            self.assertTrue(daemon.set_directory(name).exists(), name)
        daemon.stop()
        self.open(daemon, "nas")
        daemon.start()
        last = daemon.run("job")["set"]
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        daemon.run("job")
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        for name in [*owed, *later, last]:
            self.assertIn(f"{name.split('/')[1]}/manifest.json", [f"{path.parent.name}/{path.name}" for path in (daemon.directory / "nas").rglob("*")])

    def check_nowhere_lost(self, daemon: Daemon, owed: list[str]) -> None:
        """Runs with the target away, then there: in the end it has all that it was owed."""
        for _ in range(2):
            daemon.run("job")
        self.assertEqual([daemon.set_directory(name).exists() for name in owed], [True] * len(owed))
        daemon.stop()
        self.open(daemon, "nas")
        daemon.start()
        for _ in range(2):
            daemon.run("job")
            daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        there = [(daemon.directory / "nas" / name / "manifest.json").exists() for name in owed]
        self.assertEqual(there, [True] * len(owed))

    def test_what_was_owed_stays_through_a_rescan_and_runs_that_do_not_reach_the_target(self) -> None:
        daemon, owed = self.lose_state()
        self.close(daemon, "nas")
        daemon.start()
        daemon.run("job")
        daemon.ctl("rescan")
        self.check_nowhere_lost(daemon, owed)

    def test_what_was_owed_is_owed_again_by_a_prune_behind_a_rescan(self) -> None:
        daemon, owed = self.lose_state()
        self.close(daemon, "nas")
        daemon.start()
        owed.append(daemon.run("job")["set"])
        daemon.ctl("rescan")
        daemon.stop()
        self.open(daemon, "nas")
        self.forget_pauses(daemon)
        self.check_kept(daemon, owed, "held by a copy owed to nas")
        daemon.start()
        self.check_sent(daemon, owed)

    def test_what_was_owed_stays_where_the_state_file_was_damaged_and_the_target_is_away(self) -> None:
        daemon = self.targets(["nas"], retention={"local": {"last": 1, "at_least": 1}}).start()
        daemon.run("job")
        self.close(daemon, "nas")
        owed = [daemon.run("job")["set"] for _ in range(2)]
        daemon.stop()
        state = daemon.repository.parent / "state.db"
        for companion in state.parent.glob("state.db-*"):
            companion.unlink()
        state.write_bytes(b"damaged" * 600 + state.read_bytes()[4200:])
        daemon.start()
        self.check_nowhere_lost(daemon, owed)

    def test_what_was_owed_stays_where_an_older_state_file_was_put_back(self) -> None:
        daemon = self.targets(["nas"], retention={"local": {"last": 1, "at_least": 1}}).start()
        daemon.run("job")
        daemon.stop()
        state = daemon.repository.parent / "state.db"
        kept = {path: path.read_bytes() for path in state.parent.glob("state.db*") if path.suffix != ".lock"}
        self.close(daemon, "nas")
        daemon.start()
        owed = [daemon.run("job")["set"] for _ in range(2)]
        daemon.stop()
        for path, content in kept.items():
            path.write_bytes(content)
        daemon.start()
        daemon.ctl("rescan")
        self.check_nowhere_lost(daemon, owed)

    def test_an_older_state_file_that_was_put_back_costs_a_prune_without_a_daemon_no_set(self) -> None:
        for running in (False, True):
            with self.subTest(running=running):
                daemon = self.targets(["nas"], retention={"local": {"last": 1, "at_least": 1}}).start()
                first = daemon.run("job")["set"]
                daemon.stop()
                state = daemon.repository.parent / "state.db"
                kept = state.parent / "kept.db"
                with sqlite3.connect(state) as connection:
                    connection.execute("vacuum into ?", (str(kept),))
                connection.close()
                self.give_to(daemon, kept)
                self.close(daemon, "nas")
                daemon.start()
                owed = [daemon.run("job")["set"] for _ in range(2)]
                if running:
                    kept.replace(state)
                    owed.append(daemon.run("job")["set"])
                    self.assertEqual([daemon.set_directory(name).exists() for name in owed], [True] * 3)
                daemon.stop()
                self.open(daemon, "nas")
                if not running:
                    for companion in state.parent.glob("state.db-*"):
                        companion.unlink()
                    kept.replace(state)
                self.forget_pauses(daemon)
                self.check_kept(daemon, owed, "held by a copy owed to nas")
                daemon.start()
                self.check_sent(daemon, owed)
                self.assertTrue((daemon.directory / "nas" / first / "manifest.json").exists())

    def test_a_rescan_of_one_target_says_nothing_of_another_that_is_away(self) -> None:
        daemon = self.targets(["nas", "vault"], retention={"local": {"last": 1, "at_least": 1}}).start()
        daemon.run("job")
        self.close(daemon, "nas")
        owed = [daemon.run("job")["set"] for _ in range(2)]
        daemon.stop()
        for path in daemon.repository.parent.glob("state.db*"):
            path.unlink()
        daemon.start()
        daemon.ctl("rescan", "--from", "vault")
        self.check_nowhere_lost(daemon, owed)

    def test_what_was_owed_to_a_target_that_never_had_a_set_is_owed_again(self) -> None:
        retention = {"local": {"last": 1, "at_least": 1}}
        daemon = self.targets(["nas"], retention=retention)
        (daemon.directory / "nas").mkdir()
        self.give_to(daemon, daemon.directory / "nas")
        daemon.start()
        self.close(daemon, "nas")
        owed = [daemon.run("job")["set"] for _ in range(3)]
        daemon.stop()
        for path in daemon.repository.parent.glob("state.db*"):
            path.unlink()
        daemon.start()
        self.check_nowhere_lost(daemon, owed)

    def test_a_target_that_a_job_gets_later_gets_its_new_sets_alone(self) -> None:
        daemon = self.targets(["nas"], retention={"local": {"last": 9, "at_least": 1}}).start()
        daemon.run("job")
        daemon.stop()
        for path in daemon.repository.parent.glob("state.db*"):
            path.unlink()
        daemon.start()
        self.configuration["targets"]["new"] = {"type": "directory", "path": str(daemon.directory / "new")}
        self.configuration["jobs"]["job"]["targets"] = ["nas", "new"]
        daemon.write_config(self.configuration)
        daemon.ctl("reload")
        later = [daemon.run("job")["set"] for _ in range(2)]
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        there = [f"job/{path.parent.name}" for path in (daemon.directory / "new").rglob("manifest.json")]
        self.assertEqual(sorted(there), sorted(later))

    def test_an_artifact_that_the_target_spoiled_before_it_had_all_is_sent_again(self) -> None:
        daemon = self.targets(["nas"]).start()
        daemon.run("job")
        name = self.owed_set(daemon)
        there = daemon.directory / "nas" / name
        there.mkdir()
        [dump] = daemon.set_directory(name).glob("*.dump")
        (there / dump.name).write_bytes(bytes(dump.stat().st_size))
        self.give_to(daemon, there)
        self.change_state(daemon, "UPDATE copies SET begun = 1, tried = ? WHERE owed", dump.name + "\n")
        daemon.start()
        self.check_sent(daemon, [name])

    def prune_decisions(self, daemon: Daemon, *words: str, code: int = 0) -> list[dict[str, Any]]:
        pruned = daemon.ctl("--json", "prune", *words, check=False)
        self.assertEqual(pruned.code, code, pruned.err)
        return pruned.json["decisions"]

    def check_kept(self, daemon: Daemon, owed: list[str], why: str, code: int = 0) -> None:
        """What prune shows is what it does, and no set goes that is nowhere else."""
        plan = self.prune_decisions(daemon, code=code)
        self.assertEqual(self.prune_decisions(daemon, "--apply", code=code), plan)
        held = {each["set"]: each["reason"] for each in plan if each["place"] == "local"}
        self.assertEqual(sorted(held), owed)
        for name in owed:
            self.assertIn(why, held[name])
            self.assertTrue(daemon.set_directory(name).exists())

    def test_a_prune_owes_again_what_was_owed_before_it_deletes_anything(self) -> None:
        daemon, owed = self.lose_state()
        daemon.start()
        daemon.stop()
        said = daemon.ctl("prune").err
        self.assertIn("nas lacks 2 sets that its retention would keep: owed to it again, since the state file was lost", said)
        self.check_kept(daemon, owed, "held by a copy owed to nas")
        daemon.start()
        self.check_sent(daemon, owed)
        # Now that they are there too, retention applies to them.
        daemon.ctl("prune", "--apply")
        self.assertEqual([daemon.set_directory(name).exists() for name in owed], [False, True])

    def test_a_prune_without_a_state_file_deletes_nothing_that_a_target_lacks(self) -> None:
        daemon, owed = self.lose_state()
        self.check_kept(daemon, owed, "held by caution, since nas lacks it")
        self.assertIn("kept here, since there is no state file that could say what is owed to it", daemon.ctl("prune").err)
        shutil.rmtree(daemon.directory / "nas" / "job")
        self.check_kept(daemon, owed, "held by caution, since nas lacks it")
        for name in owed:
            shutil.copytree(daemon.set_directory(name), daemon.directory / "nas" / name)
        for path in (daemon.directory / "nas").rglob("*"):
            os.chown(path, daemon.account.uid, daemon.account.gid)
        daemon.ctl("prune", "--apply")
        self.assertEqual([daemon.set_directory(name).exists() for name in owed], [False, True])

    def test_a_prune_deletes_nothing_of_which_nothing_says_that_a_target_has_it_which_is_away(self) -> None:
        daemon, owed = self.lose_state()
        self.close(daemon, "nas")
        self.check_kept(daemon, owed, "held by caution, since nas cannot be asked whether it has it", code=1)
        daemon.start()
        daemon.stop()
        self.check_kept(daemon, owed, "held by caution, since nas cannot be asked whether it has it", code=1)

    def test_a_prune_goes_by_what_the_catalog_knows_of_a_target_that_is_away(self) -> None:
        retention = {"local": {"last": 9, "at_least": 1}, "targets": {"last": 2, "at_least": 1}}
        daemon = self.targets(["nas"], retention=retention).start()
        runs = [daemon.run("job")["set"] for _ in range(3)]
        daemon.stop()
        self.close(daemon, "nas")
        self.configuration["jobs"]["job"]["retention"]["local"]["last"] = 1
        daemon.write_config(self.configuration)
        pruned = daemon.ctl("prune", "--apply", check=False)
        self.assertEqual(pruned.code, 1)
        self.assertEqual([daemon.set_directory(name).exists() for name in runs], [False, False, True])

    def test_a_pin_set_while_a_copy_is_owed_comes_to_its_target_with_it(self) -> None:
        daemon = self.targets(["nas"], keep_local=False).start()
        daemon.run("job")
        name = self.owed_set(daemon)
        daemon.ctl("pin", name)
        daemon.start()
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        self.assertTrue((daemon.directory / "nas" / name / "pinned").is_file())
        daemon.ctl("unpin", name)
        self.assertFalse((daemon.directory / "nas" / name / "pinned").exists())

    def test_a_reload_that_puts_a_target_right_sends_what_is_owed_at_once(self) -> None:
        daemon = self.targets(["nas"]).start()
        daemon.run("job")
        self.close(daemon, "nas")
        name = daemon.run("job")["set"]
        self.put_off(daemon)
        self.configuration["targets"]["nas"]["path"] = str(daemon.directory / "nas-away")
        daemon.write_config(self.configuration)
        daemon.ctl("reload")
        daemon.wait_for(lambda: daemon.status()["owed"] == [], what="the end of what is owed")
        self.assertEqual(self.files(daemon.directory / "nas-away" / name), self.files(daemon.set_directory(name)))

    def test_a_reload_without_a_target_ends_what_is_owed_to_it_at_once(self) -> None:
        daemon = self.targets(["nas"]).start()
        daemon.run("job")
        self.close(daemon, "nas")
        name = daemon.run("job")["set"]
        self.put_off(daemon)
        self.assertEqual(len(daemon.status()["owed"]), 1)
        del self.configuration["targets"]
        del self.configuration["jobs"]["job"]["targets"]
        daemon.write_config(self.configuration)
        daemon.ctl("reload")
        daemon.wait_for_log(f"the copy of {name.removeprefix('job/')} is not owed to nas any more: the configuration has no such target")
        self.assertEqual(daemon.status()["owed"], [])

    def test_a_restored_copy_is_the_database(self) -> None:
        daemon = self.targets(["nas"]).start()
        name = daemon.run("job")["set"]
        other = restore_directory(self, daemon, daemon.directory / "nas" / name)
        self.assertEqual(other.sql("select count(*) from t", "shop"), str(self.shop_rows))

    # --- rclone's configuration, with secrets in it ---

    def asking(self, daemon: Daemon) -> subprocess.Popen[bytes]:
        """A pgbakctl that waits for an rclone that never answers."""
        started = daemon.directory / "started"
        started.unlink(missing_ok=True)
        process = subprocess.Popen(
            # Where the test runs in the background they may be ignored.
            ["env", "--default-signal=HUP,INT,TERM", daemon.bin / "pgbakctl", "--config", daemon.config_file,
             "verify", "job/20260101_000000", "--from", "drive"],
            env=daemon.environment(), user=daemon.account.uid, group=daemon.account.gid,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=daemon.directory,
        )  # fmt: skip
        self.addCleanup(process.kill)
        wait_for(lambda: started.exists() and started.read_text().endswith("\n"), 20, "rclone")
        self.addCleanup(self.end_group, int(started.read_text()))
        return process

    def end_group(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # with the tool

    def test_an_interrupted_pgbakctl_leaves_no_copy_of_rclones_configuration(self) -> None:
        config = self.config(targets=["drive"])
        daemon = self.daemon(config)
        programs, temporary = daemon.directory / "programs", daemon.directory / "tmp"
        for directory in (programs, temporary):
            directory.mkdir()
            os.chown(directory, daemon.account.uid, daemon.account.gid)
        rclone, secrets = programs / "rclone", daemon.directory / "rclone.conf"
        rclone.write_text(f"#!/bin/sh\necho $$ >{daemon.directory}/started\nexec sleep 60\n", encoding="utf-8")
        rclone.chmod(0o755)
        secrets.write_text("[far]\ntype = local\n# S3cretWord\n", encoding="utf-8")
        os.chown(secrets, daemon.account.uid, daemon.account.gid)
        config["targets"] = {"drive": {"type": "rclone", "remote": "far:x", "config_file": str(secrets)}}
        daemon.write_config(config)
        daemon.extra_environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "TMPDIR": str(temporary)}
        # The first is killed and can tidy nothing: the second one does.
        for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                process = self.asking(daemon)
                [copy] = temporary.iterdir()
                self.assertIn("S3cretWord", (copy / "rclone.conf").read_text(encoding="utf-8"))
                process.send_signal(number)
                self.assertEqual(process.wait(20), -number)
                self.assertEqual(list(temporary.iterdir()), [copy] if number == signal.SIGKILL else [])


if __name__ == "__main__":
    unittest.main()
