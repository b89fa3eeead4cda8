"""The package on a booted Debian, with its PostgreSQL: what an administrator sees of pgbakd under systemd.

On Debian 12 systemd is 252 and PostgreSQL 15, on Debian 13 257 and 17. Each class boots one system for all of its tests;
each test begins with the daemon stopped, the configuration as shipped and no backups.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.booted import BootedSystem, why_not
from support.package import dependencies, package_for, with_version
from support.process import wait_for

# Most of it is for building the package.
CTEST = {"timeout": 7200, "processors": 2}
SHIPPED = (Path(os.environ["PGBAKD_SOURCE_DIR"]) / "etc/pgbakd.yaml").read_text(encoding="utf-8")
REPOSITORY = "/var/lib/pgbakd/repository"


class _Package:
    suite = ""
    system: BootedSystem

    @classmethod
    def setUpClass(cls) -> None:
        if reason := why_not():
            raise unittest.SkipTest(reason)
        cls.package = package_for(cls.suite)
        cls.system = BootedSystem(cls.suite, [*dependencies(cls.package), "openssh-server", "postgresql"])
        cls.addClassCleanup(cls.system.close)  # type: ignore[attr-defined]
        cls.system.boot()
        cls.system.copy_in(cls.package, "/root/pgbakd.deb")
        cls.installed = cls.system.run("dpkg", "--install", "/root/pgbakd.deb").stdout
        cls.system.run("runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "-qf", "/usr/share/pgbakd/role.sql")
        cls.psql("create database shop")
        cls.psql("create table t as select i, md5(i::text) body from generate_series(1, 5000) i", "shop")

    def setUp(self) -> None:
        assert isinstance(self, unittest.TestCase)
        if not self.system.running:
            self.system.boot()
        self.let_go()
        self.system.run("systemctl", "stop", "pgbakd")
        self.system.run("systemctl", "reset-failed", "pgbakd", check=False)
        self.system.sh(
            "rm -rf /etc/systemd/system/pgbakd.service.d /etc/pgbakd.d/*; systemctl daemon-reload; umount -q /var/lib/pgbakd || true;"
            "rm -rf /var/lib/pgbakd/* /var/lib/pgbakd/.ssh /var/lib/pgbakd/.gnupg"
        )
        self.configure(SHIPPED)
        self.begin = self.system.sh("date +@%s.%N").strip()

    # ---- what the tests say ----

    @classmethod
    def psql(cls, sql: str, database: str = "postgres") -> str:
        argv = ("runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "-qAt", "-d", database, "-c", sql)
        return cls.system.run(*argv).stdout.strip()

    def configure(self, text: str | dict[str, Any]) -> None:
        content = text if isinstance(text, str) else json.dumps(text)
        self.system.write("/etc/pgbakd.yaml", content, "0640", "root:pgbakd")

    def drop_in(self, text: str) -> None:
        self.system.write("/etc/systemd/system/pgbakd.service.d/test.conf", text)
        self.system.run("systemctl", "daemon-reload")

    def start(self) -> None:
        done = self.system.run("systemctl", "start", "pgbakd", check=False)
        if done.returncode != 0:
            raise AssertionError(f"{done.stderr}\n{self.journal()}")

    def property(self, name: str) -> str:
        return self.system.run("systemctl", "show", "--property", name, "--value", "pgbakd").stdout.strip()

    def journal(self, *more: str) -> str:
        """What pgbakd wrote since the test began."""
        argv = ("journalctl", "--sync"), ("journalctl", "--no-pager", "-u", "pgbakd", "--since", self.begin, "-o", "cat", *more)
        self.system.run(*argv[0])
        return self.system.run(*argv[1]).stdout

    def ctl(self, *words: str, check: bool = True) -> dict[str, Any]:
        done = self.system.run("pgbakctl", "--json", *words, check=check)
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    def run_job(self, job: str) -> dict[str, Any]:
        return self.ctl("run", job, "--wait", check=False)

    def hold_a_dump(self) -> None:
        """A run of all-databases that waits for a table, until the lock is let go."""
        self.system.sh(
            "systemd-run --quiet --unit=holder --uid=postgres --setenv=PGAPPNAME=holder psql --no-psqlrc -qd shop"
            " -c 'begin; lock table t; select pg_sleep(3600)'"
        )
        holds = "select count(*) from pg_locks where relation = 't'::regclass and mode = 'AccessExclusiveLock' and granted"
        wait_for(lambda: self.psql(holds, "shop") != "0", what="the lock")
        self.ctl("run", "all-databases")
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'pgbakd/%'"
        wait_for(lambda: self.psql(waits) != "0", what="a dump that waits for the lock")

    def let_go(self) -> None:
        self.system.run("systemctl", "stop", "holder", check=False)
        # A backend that sleeps does not notice that its client is gone.
        holders = "from pg_stat_activity where application_name = 'holder'"
        self.psql(f"select pg_terminate_backend(pid) {holders}")
        wait_for(lambda: self.psql(f"select count(*) {holders}") == "0", what="the end of the lock")

    def nothing_half_done(self) -> None:
        assert isinstance(self, unittest.TestCase)
        self.assertEqual(self.system.sh(f"find {REPOSITORY} -name '*.partial'"), "")
        self.assertEqual(self.system.run("pgrep", "-x", "pg_dump", check=False).stdout, "")
        self.assertEqual(self.psql("select count(*) from pg_stat_activity where application_name like 'pgbakd/%'"), "0")


class _Tests(_Package):
    # ---- the package ----

    def test_what_is_installed_belongs_to_whom_it_should(self) -> None:
        self.assertEqual(self.system.sh("stat -c %U:%G:%a /etc/pgbakd.yaml"), "root:pgbakd:640\n")
        self.assertEqual(self.system.sh("stat -c %U:%G:%a /etc/pgbakd.d"), "root:pgbakd:750\n")
        self.assertIn(":/var/lib/pgbakd:/usr/sbin/nologin", self.system.sh("getent passwd pgbakd"))
        self.assertIn("/etc/pgbakd.yaml", self.system.sh("dpkg-query -W -f '${Conffiles}' pgbakd"))
        self.assertEqual(self.system.run("systemctl", "is-enabled", "pgbakd", check=False).stdout, "disabled\n")

    def test_the_first_start_as_shipped_backs_up_the_local_server(self) -> None:
        self.system.run("systemctl", "enable", "--now", "pgbakd")
        self.assertEqual(self.system.sh("systemctl is-enabled pgbakd; systemctl is-active pgbakd"), "enabled\nactive\n")
        report = self.run_job("all-databases")
        self.assertEqual(report["status"], "SUCCESS", report)
        databases = {artifact.get("database") for artifact in report["artifacts"]}
        self.assertLessEqual({"postgres", "shop"}, databases)
        place = f"{REPOSITORY}/{report['set']}"
        self.system.sh(f"cd {place}; sha256sum --quiet --check *.sha256")
        self.assertEqual(self.system.sh(f"stat -c %U:%a {place}"), "pgbakd:700\n")
        status = self.system.run("systemctl", "status", "pgbakd").stdout
        self.assertRegex(status, r'Status: ".*all-databases')
        main = self.property("MainPID")
        self.system.run("systemctl", "restart", "pgbakd")
        self.assertNotEqual(self.property("MainPID"), main)
        self.assertEqual(len(self.ctl("list")["sets"]), 1)
        self.system.run("systemctl", "disable", "--now", "pgbakd")
        self.assertEqual((self.property("ActiveState"), self.property("Result")), ("inactive", "success"))

    def test_members_of_the_group_may_ask_and_others_may_not(self) -> None:
        self.start()
        self.system.sh("id helper >/dev/null 2>&1 || useradd helper; usermod -aG pgbakd helper")
        self.assertEqual(self.system.run("pgbakctl", "--json", "status", user="helper").returncode, 0)
        refused = self.system.run("pgbakctl", "--json", "status", user="nobody", check=False)
        self.assertNotEqual(refused.returncode, 0)

    def test_an_upgrade_in_mid_run_winds_it_up_and_goes_on(self) -> None:
        self.start()
        self.hold_a_dump()
        main = self.property("MainPID")
        self.configure(SHIPPED.replace("daily at 02:00", "daily at 03:00"))
        with tempfile.TemporaryDirectory() as directory:
            self.system.copy_in(with_version(self.package, "9.9", Path(directory)), "/root/newer.deb")
        self.system.run("dpkg", "--install", "/root/newer.deb")
        self.assertEqual(self.property("ActiveState"), "active")
        self.assertNotEqual(self.property("MainPID"), main)
        self.assertEqual([run["status"] for run in self.ctl("runs")["runs"]], ["INTERRUPTED"])
        self.nothing_half_done()
        self.let_go()
        self.assertIn("03:00", self.system.sh("cat /etc/pgbakd.yaml; stat -c %U:%G:%a /etc/pgbakd.yaml"))
        self.assertEqual(self.system.sh("stat -c %U:%G:%a /etc/pgbakd.yaml"), "root:pgbakd:640\n")
        self.assertEqual(self.run_job("all-databases")["status"], "SUCCESS")
        # An upgrade of one that is stopped starts nothing.
        self.system.run("systemctl", "stop", "pgbakd")
        self.system.run("dpkg", "--install", "/root/pgbakd.deb")
        self.assertEqual(self.property("ActiveState"), "inactive")

    def test_removal_and_purge_keep_the_backups_and_say_where(self) -> None:
        self.start()
        made = self.run_job("all-databases")["set"]
        try:
            self.system.run("dpkg", "--remove", "pgbakd")
            self.assertNotEqual(self.system.run("pgrep", "-x", "pgbakd", check=False).returncode, 0)
            self.system.sh(f"test -e /etc/pgbakd.yaml; test -e {REPOSITORY}/{made}/manifest.json")
            told = self.system.run("dpkg", "--purge", "pgbakd").stdout
            self.assertIn(f"1 sets in {REPOSITORY}", told)
            self.system.sh(f"test ! -e /etc/pgbakd.yaml; test -e {REPOSITORY}/{made}/manifest.json")
        finally:
            self.system.run("dpkg", "--install", "/root/pgbakd.deb")
        self.start()
        self.assertEqual([one["set"] for one in self.ctl("list")["sets"]], [made])

    # ---- the unit ----

    def test_reload_of_a_broken_file_fails_says_why_and_changes_nothing(self) -> None:
        self.start()
        main = self.property("MainPID")
        self.configure(SHIPPED.replace("daily at 02:00", "daily at 25:00"))
        done = self.system.run("systemctl", "reload", "pgbakd", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(self.journal(), r"/etc/pgbakd\.yaml:\d+:\d+: jobs\.all-databases\.schedule: ")
        self.assertEqual((self.property("MainPID"), self.property("ActiveState")), (main, "active"))
        self.assertIn("02:00", str(self.ctl("status")["next"]) + self.system.run("pgbakctl", "status").stdout)
        self.configure(SHIPPED.replace("daily at 02:00", "daily at 03:00"))
        self.system.run("systemctl", "reload", "pgbakd")
        self.assertEqual((self.property("MainPID"), self.property("ActiveState")), (main, "active"))
        self.assertIn("reload", self.journal())

    def test_a_broken_file_keeps_it_from_starting_and_it_is_not_tried_again(self) -> None:
        self.configure("jobs: {x: {}}\n")
        self.assertNotEqual(self.system.run("systemctl", "start", "pgbakd", check=False).returncode, 0)
        self.assertEqual((self.property("ActiveState"), self.property("ExecMainStatus"), self.property("NRestarts")), ("failed", "3", "0"))
        self.assertIn("jobs.x", self.journal())

    def test_one_that_hangs_is_killed_by_the_watchdog_and_starts_again(self) -> None:
        self.drop_in("[Service]\nWatchdogSec=3\nRestartSec=1\n")
        self.start()
        main = self.property("MainPID")
        self.system.run("kill", "-STOP", main)
        wait_for(lambda: self.property("NRestarts") == "1" and self.property("ActiveState") == "active", 90, "the restart")
        self.assertNotEqual(self.property("MainPID"), main)
        self.assertIn("Watchdog timeout", self.journal())
        self.assertEqual(self.run_job("all-databases")["status"], "SUCCESS")

    def test_a_stop_during_a_dump_leaves_nothing(self) -> None:
        self.start()
        self.hold_a_dump()
        self.system.run("systemctl", "stop", "pgbakd", timeout=90)
        self.assertEqual((self.property("ActiveState"), self.property("Result")), ("inactive", "success"))
        self.nothing_half_done()
        self.let_go()
        self.start()
        self.assertEqual([run["status"] for run in self.ctl("runs")["runs"]], ["INTERRUPTED"])

    def test_credentials_plain_and_encrypted(self) -> None:
        self.psql("drop role if exists backup")
        self.psql("create role backup login password 'a secret'")
        self.psql("grant pg_read_all_data to backup")
        server = {"host": "127.0.0.1", "user": "backup", "password": {"credential": "db-password"}}
        source = {"type": "pg_dump", "server": "main", "databases": ["shop"]}
        self.configure({"servers": {"main": server}, "jobs": {"shop": {"schedule": "daily at 02:00", "source": source}}})
        self.system.write("/etc/credstore/pgbakd.db-password", "a secret", "0600")
        self.drop_in("[Service]\nLoadCredential=db-password:/etc/credstore/pgbakd.db-password\n")
        self.start()
        self.assertEqual(self.run_job("shop")["status"], "SUCCESS")
        self.system.run("systemctl", "stop", "pgbakd")
        self.system.run("mkdir", "-p", "/etc/credstore.encrypted")
        self.system.run("systemd-creds", "encrypt", "--with-key=host", "--name=db-password", "-", "/etc/credstore.encrypted/pgbakd.db-password",
                        input="a secret")  # fmt: skip
        self.drop_in("[Service]\nLoadCredentialEncrypted=db-password:/etc/credstore.encrypted/pgbakd.db-password\n")
        self.system.run("rm", "/etc/credstore/pgbakd.db-password")
        self.start()
        self.assertEqual(self.run_job("shop")["status"], "SUCCESS")
        self.assertNotIn("a secret", self.journal())

    def test_the_sandbox_is_tight_and_lets_it_write_where_it_must_alone(self) -> None:
        score = self.system.run("systemd-analyze", "security", "--no-pager", "pgbakd", check=False).stdout
        found = re.search(r"Overall exposure level for pgbakd\.service: ([0-9.]+)", score)
        assert found
        self.assertLessEqual(float(found.group(1)), 2.0, score)
        tried = "/ /boot /etc /home /media /mnt /opt /root /run /run/postgresql /srv /usr /usr/bin /usr/lib /var /var/lib /var/log /var/spool"
        # With the rights of root in there the file system's own permissions are no excuse.
        self.drop_in("[Service]\nAmbientCapabilities=CAP_DAC_OVERRIDE\nCapabilityBoundingSet=CAP_DAC_OVERRIDE\n")
        script = f"for place in {tried} /tmp /var/tmp /run/pgbakd /var/lib/pgbakd; do (: >$place/written) 2>/dev/null && echo $place; done; :"
        job = {"schedule": "daily at 02:00", "source": {"type": "command", "argv": ["sh", "-c", script], "extension": "txt"}, "compression": "none"}
        self.configure({"jobs": {"writes": job}})
        self.start()
        report = self.run_job("writes")
        self.assertEqual(report["status"], "SUCCESS", report)
        written = self.system.sh(f"cat {REPOSITORY}/{report['set']}/*.txt").split()
        self.assertEqual(written, ["/tmp", "/var/tmp", "/run/pgbakd", "/var/lib/pgbakd"])
        self.system.sh("test ! -e /tmp/written; test ! -e /var/tmp/written")  # its /tmp is its own

    # ---- the journal ----

    def test_the_journal_has_its_fields_and_its_explanations(self) -> None:
        self.start()
        report = self.run_job("all-databases")
        lines = [json.loads(line) for line in self.journal("PGBAKD_JOB=all-databases", "-o", "json").splitlines()]
        self.assertTrue(lines)
        ended = [line for line in lines if line.get("PGBAKD_SET") == report["set"] and "PGBAKD_DURATION_MS" in line]
        self.assertTrue(ended, lines)
        self.assertEqual({line["PGBAKD_RUN"] for line in ended}, {report["run"]})
        self.assertTrue(any(int(line.get("PGBAKD_BYTES", 0)) > 0 for line in lines))
        self.assertTrue(all(line["PRIORITY"] in "6543" for line in lines))
        self.assertEqual(self.journal("PGBAKD_JOB=no-such"), "")
        said = self.journal(f"PGBAKD_RUN={report['run']}", "-x", "-o", "short")
        self.assertIn("Subject: A backup run of all-databases has succeeded", said)

    def test_a_journald_that_restarts_loses_nothing_that_comes_later(self) -> None:
        self.start()
        self.system.run("systemctl", "restart", "systemd-journald")
        report = self.run_job("all-databases")
        self.assertEqual(report["status"], "SUCCESS")
        self.assertIn(report["set"], self.journal())
        self.assertEqual(self.property("NRestarts"), "0")

    # ---- the machine ----

    def test_a_machine_that_dies_in_mid_run_comes_back_whole(self) -> None:
        self.system.run("systemctl", "enable", "--now", "pgbakd")
        good = self.run_job("all-databases")["set"]
        self.hold_a_dump()
        self.system.kill()
        self.system.boot()
        wait_for(lambda: self.property("ActiveState") == "active", 60, "the daemon")
        self.assertEqual([run["status"] for run in self.ctl("runs")["runs"]], ["INTERRUPTED", "SUCCESS"])
        self.nothing_half_done()
        self.assertEqual([one["set"] for one in self.ctl("list")["sets"]], [good])
        wait_for(lambda: self.system.run("pg_isready", check=False).returncode == 0, 60, "the server")
        self.assertEqual(self.run_job("all-databases")["status"], "SUCCESS")
        self.system.run("systemctl", "disable", "pgbakd")

    def test_a_fire_that_was_missed_while_the_machine_was_off_is_made_up_for(self) -> None:
        for seconds in (30, 90, 270):  # longer where the machine is too slow to be off by then
            fire = int(self.system.sh("date +%s")) + seconds
            at = self.system.run("date", "-d", f"@{fire}", "+calendar *-*-* %T").stdout.strip()
            self.configure(SHIPPED.replace("daily at 02:00", f'"{at}"'))
            self.system.run("systemctl", "enable", "pgbakd")
            self.system.run("systemctl", "restart", "pgbakd")
            self.system.shut_down()
            if time.time() < fire:
                break
            self.system.boot()
        # What is less than a minute late is no missed fire yet.
        wait_for(lambda: time.time() > fire + 65, 400, "the fire")
        self.system.boot()
        wait_for(lambda: self.property("ActiveState") == "active", 60, "the daemon")
        wait_for(lambda: [run["trigger"] for run in self.ctl("runs")["runs"]] == ["catch-up"], 60, "the run that makes up")
        self.assertIn("missed", self.journal())
        self.system.run("systemctl", "disable", "pgbakd")

    def test_a_full_disk_fails_the_run_and_not_the_daemon(self) -> None:
        self.system.sh("mount -t tmpfs -o size=64m,mode=0700,uid=pgbakd,gid=pgbakd tmpfs /var/lib/pgbakd")
        self.configure(SHIPPED + "repository: {min_free: 1 MiB}\n")
        self.start()
        self.assertEqual(self.run_job("all-databases")["status"], "SUCCESS")
        self.system.sh("dd if=/dev/zero of=/var/lib/pgbakd/filler bs=64k 2>/dev/null || true")
        report = self.run_job("all-databases")
        self.assertEqual((report.get("status", "FAILED"), self.property("ActiveState")), ("FAILED", "active"), report)
        self.assertRegex(self.journal() + json.dumps(report), "free|no space left")
        self.system.run("rm", "/var/lib/pgbakd/filler")
        self.assertEqual(self.run_job("all-databases")["status"], "SUCCESS")
        self.nothing_half_done()
        self.system.run("systemctl", "stop", "pgbakd")

    # ---- what the sandbox must let through ----

    def test_sources_targets_and_encryption_work_in_the_sandbox(self) -> None:
        self.psql("alter role pgbakd replication")
        version = self.psql("show server_version_num")[:2]
        self.system.sh(
            f"hba=/etc/postgresql/{version}/main/pg_hba.conf; grep -q '^local replication pgbakd' $hba ||"
            f" sed -i '1i local replication pgbakd peer' $hba; systemctl reload postgresql"
        )
        self.system.sh(
            """
            mkdir -p /srv/erp/uploads /srv/nas /run/sshd; echo A=1 >/srv/erp/.env; echo picture >/srv/erp/uploads/p
            chown -R pgbakd: /srv/nas
            rm -rf /etc/pgbakd-keys; install -d -o pgbakd -m 0700 /etc/pgbakd-keys
            cd /etc/pgbakd-keys; ssh-keygen -qt ed25519 -N '' -f id; age-keygen -o age.key 2>/dev/null; chown pgbakd id
            id vault >/dev/null 2>&1 || useradd --create-home --shell /bin/sh vault
            install -d -o vault -m 0700 ~vault/.ssh; install -o vault -m 0600 id.pub ~vault/.ssh/authorized_keys
            systemctl start ssh; echo "127.0.0.1 $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >known_hosts; chmod 644 known_hosts
            printf '[here]\\ntype = alias\\nremote = /srv/nas/rclone\\n' >rclone.conf; chown pgbakd rclone.conf
            """
        )
        recipient = self.system.sh("age-keygen -y /etc/pgbakd-keys/age.key").strip()
        # The daemon's account as one sets it up for ssh and gpg: in its home directory.
        self.system.sh(
            """
            cd /var/lib/pgbakd; install -d -o pgbakd -g pgbakd -m 0700 .ssh .gnupg
            install -o pgbakd -m 0600 /etc/pgbakd-keys/id .ssh/id_ed25519; install -o pgbakd /etc/pgbakd-keys/known_hosts .ssh/known_hosts
            runuser -u pgbakd -- env HOME=/var/lib/pgbakd gpg --batch --quiet --passphrase '' --quick-generate-key backup@example.com
            """
        )
        listed = self.system.sh("runuser -u pgbakd -- env HOME=/var/lib/pgbakd gpg --batch --with-colons --list-keys")
        fingerprint = re.findall(r"^fpr:+([0-9A-F]+):", listed, re.M)[0]
        self.psql("drop role if exists vault")
        self.psql("create role vault login")
        self.psql("grant pg_read_all_data to vault")
        self.drop_in("[Service]\nReadWritePaths=/srv/nas\n")
        keys = "/etc/pgbakd-keys"
        targets = {
            "nas": {"type": "directory", "path": "/srv/nas/copies"},
            "vault": {"type": "sftp", "host": "127.0.0.1", "user": "vault", "key_file": f"{keys}/id", "known_hosts": f"{keys}/known_hosts", "path": "backups"},
            "cloud": {"type": "rclone", "remote": "here:", "config_file": f"{keys}/rclone.conf"},
        }  # fmt: skip
        dump = {"type": "pg_dump", "server": "local", "databases": ["shop"]}
        jobs: dict[str, dict[str, Any]] = {
            "custom": {"source": {**dump, "globals": True}, "targets": list(targets)},
            "plain": {"source": {**dump, "format": "plain"}, "compression": "zstd:3", "encryption": {"age": [recipient]}, "targets": ["nas"]},
            "directory": {"source": {**dump, "format": "directory", "jobs": 2}},
            "base": {"source": {"type": "pg_basebackup", "server": "local", "checkpoint": "fast"}},
            "files": {"source": {"type": "files", "paths": ["/srv/erp"]}},
            "command": {"source": {"type": "command", "argv": ["echo", "hello"], "extension": "txt"}},
            "far": {"source": {**dump, "server": "far"}, "encryption": {"gpg": [fingerprint]}},
        }
        for job in jobs.values():
            job["schedule"] = "daily at 02:00"
        servers = {"local": {}, "far": {"client": {"ssh": "vault@127.0.0.1"}}}
        self.configure({"servers": servers, "targets": targets, "jobs": jobs})
        self.start()
        for job in jobs:
            with self.subTest(job):  # type: ignore[attr-defined]
                report = self.run_job(job)
                self.assertEqual(report["status"], "SUCCESS", json.dumps(report) + self.journal(f"PGBAKD_JOB={job}"))
        for target in targets:
            with self.subTest(target):  # type: ignore[attr-defined]
                listed = self.system.run("setpriv", "--reuid=pgbakd", "--regid=pgbakd", "--init-groups", "pgbakctl", "--json", "list", "--from", target)
                self.assertTrue(json.loads(listed.stdout)["sets"], target)


class Bookworm(_Tests, unittest.TestCase):
    suite = "bookworm"


class Trixie(_Tests, unittest.TestCase):
    suite = "trixie"


if __name__ == "__main__":
    unittest.main()
