"""Artifacts that only the holders of a key can read, by the real age and gpg: stock tools open them, and no plaintext is left."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon
from support.postgres import PostgresServer

CTEST = {"timeout": 300}
AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"  # the one of age's own manual page


class Encryption(ServerCase):
    shop_rows = 20000

    def daemon(self, encryption: dict[str, Any], **more: Any) -> Daemon:
        job = {
            "source": {"type": "pg_dump", "server": "local", "databases": ["shop"], "globals": True},
            "retries": {"attempts": 1},
            "encryption": encryption,
            **more.pop("job", {}),
        }
        return self.start_daemon({"shop": job}, **more)

    def age_key(self) -> tuple[Path, str]:
        directory = self.enterContext(tempfile.TemporaryDirectory())
        file = Path(directory) / "key"
        subprocess.run(["age-keygen", "-o", file], check=True, capture_output=True)
        # pgbakctl runs as somebody else than who made it.
        os.chmod(directory, 0o755)
        file.chmod(0o644)
        public = subprocess.run(["age-keygen", "-y", file], check=True, capture_output=True, text=True).stdout.strip()
        return file, public

    def decrypt(self, key: Path, file: Path) -> bytes:
        return subprocess.run(["age", "--decrypt", "--identity", key, file], check=True, capture_output=True).stdout

    def test_stock_age_opens_what_was_dumped_and_the_manifest_says_who_can(self) -> None:
        key, public = self.age_key()
        daemon = self.daemon({"age": [public]})
        report = daemon.run("shop")
        self.assertEqual(report["status"], "SUCCESS", report)
        directory = daemon.set_directory(report["set"])
        files = sorted(path.name for path in directory.iterdir())
        time = report["set"].split("/")[1]
        expected = [f"globals_{time}.sql.gz.age", f"shop_{time}.dump.age"]
        self.assertEqual([name for name in files if not name.endswith(".sha256")], sorted([*expected, "manifest.json"]))
        manifest = daemon.manifest(report["set"])
        self.assertEqual(manifest["recipients"], [public])
        self.assertEqual([part["encryption"] for part in manifest["artifacts"]], ["age", "age"])
        dump = self.decrypt(key, directory / expected[1])
        self.assertTrue(dump.startswith(b"PGDMP"))
        listed = subprocess.run([self.server.bin / "pg_restore", "--list"], input=dump, check=True, capture_output=True).stdout
        self.assertIn(b"TABLE DATA public t", listed)
        self.assertIn(b"cluster dump complete", gzip.decompress(self.decrypt(key, directory / expected[0])))
        # Nobody without the key reads any of it, and nothing but the artifacts is there.
        for path in directory.iterdir():
            self.assertNotIn(b"PGDMP", path.read_bytes())
        other, _ = self.age_key()
        self.assertNotEqual(subprocess.run(["age", "-d", "-i", other, directory / expected[1]], capture_output=True, check=False).returncode, 0)
        verified = daemon.ctl("verify", report["set"])
        self.assertIn("encrypted, so not decoded", verified.out)
        self.assertIn("good, read back", verified.out)
        self.decodes_with_its_key_only(daemon, report["set"], key, other)

    def decodes_with_its_key_only(self, daemon: Daemon, name: str, key: Path, other: Path) -> None:
        decoded = daemon.ctl("verify", "--identity", key, name)
        self.assertIn("decrypted and decoded: 1 table with data", decoded.out)
        self.assertIn("good, decoded", decoded.out)
        answer = daemon.ctl("verify", "--identity", other, name, check=False)
        self.assertEqual(answer.code, 1, answer)
        self.assertIn("do not open it", answer.err)
        self.assertEqual([entry["verified"] for entry in daemon.sets()], ["decoded"])  # a wrong key speaks against no set
        directory = daemon.set_directory(name)
        dump = next(directory.glob("*.dump.age"))
        self.assertIn("good, decoded", daemon.ctl("verify", "--identity", key, str(dump)).out)
        answer = daemon.ctl("verify", "--identity", directory, name, check=False)
        self.assertIn("encrypted with age", answer.err)
        # Whole as a file, but damaged before it was hashed: only the keys tell.
        whole = dump.read_bytes()
        with tempfile.TemporaryDirectory() as place:
            os.chmod(place, 0o755)
            damaged = Path(place) / dump.name
            damaged.write_bytes(whole[:-2000] + bytes(2000))
            self.assertEqual(daemon.ctl("verify", str(damaged)).code, 0)
            answer = daemon.ctl("verify", "--identity", key, str(damaged), check=False)
            self.assertEqual(answer.code, 4, answer)
            self.assertIn("cannot be decrypted", answer.out)
        # What has changed on the disk is that, whatever the program says of it.
        dump.write_bytes(bytes([*whole[:60], whole[60] ^ 1, *whole[61:]]))
        answer = daemon.ctl("verify", "--identity", key, name, check=False)
        self.assertEqual(answer.code, 4, answer)
        self.assertIn("has changed since it was written", answer.out)

    def test_the_manifests_commands_bring_the_rows_back(self) -> None:
        key, public = self.age_key()
        daemon = self.daemon({"age": [public]}, job={"compression": "zstd", "source": {
            "type": "pg_dump", "server": "local", "databases": ["shop"], "format": "plain"}})  # fmt: skip
        report = daemon.run("shop")
        directory = daemon.set_directory(report["set"])
        with PostgresServer() as fresh:
            environment = {**os.environ, **fresh.environment("postgres"), "PATH": f"{fresh.bin}:{os.environ['PATH']}"}
            for command in daemon.manifest(report["set"])["stock_restore"]:
                words = command.replace("KEYFILE", str(key))
                subprocess.run(words, shell=True, cwd=directory, env=environment, check=True, capture_output=True)
            self.assertEqual(fresh.sql("select count(*) from t", "shop"), "20000")

    def test_a_recipients_file_is_read_at_each_run(self) -> None:
        first, one = self.age_key()
        second, two = self.age_key()
        daemon = self.daemon({"age": [one]})
        file = daemon.directory / "recipients"
        file.write_text(f"# ours\n{one}\n", encoding="utf-8")
        file.chmod(0o644)
        config = daemon.config_file.read_text(encoding="utf-8")
        daemon.write_config(config.replace(f'"age": [\n          "{one}"\n        ]', f'"age_recipients_file": "{file}"'))
        daemon.ctl("reload")
        report = daemon.run("shop")
        self.assertEqual(daemon.manifest(report["set"])["recipients"], [one])
        file.write_text(f"{one}\n\n{two}\n", encoding="utf-8")
        report = daemon.run("shop")
        self.assertEqual(daemon.manifest(report["set"])["recipients"], [one, two])
        (artifact,) = [part["file"] for part in report["artifacts"] if part["kind"] == "database"]
        for key in (first, second):
            self.assertTrue(self.decrypt(key, daemon.set_directory(report["set"]) / artifact).startswith(b"PGDMP"))
        secret = first.read_text(encoding="utf-8").splitlines()[-1]
        file.write_text(f"{one}\n{secret}\n", encoding="utf-8")
        report = daemon.run("shop", check=False)
        self.assertEqual(report["status"], "FAILED")
        self.assertIn("recipients: line 2: this is a secret key", report["error"]["message"])
        self.assertNotIn(secret, daemon.log())
        file.unlink()
        self.assertIn(str(file), daemon.run("shop", check=False)["error"]["message"])

    def test_gpg_opens_what_was_made_for_its_key(self) -> None:
        daemon = self.daemon({"gpg": ["0" * 40]})
        refused = daemon.run("shop", check=False)
        self.assertEqual(refused["status"], "FAILED")
        self.assertIn("No public key", refused["error"]["message"])
        environment = daemon.environment()

        def gpg(*arguments: str | Path) -> bytes:
            return subprocess.run(
                ["gpg", "--batch", "--quiet", *arguments], env=environment, check=True, capture_output=True,
                user=daemon.account.uid if not daemon.account.is_current else None,
                group=daemon.account.gid if not daemon.account.is_current else None,
                extra_groups=[] if not daemon.account.is_current else None, cwd="/",
            ).stdout  # fmt: skip

        self.addCleanup(lambda: subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False, capture_output=True))
        gpg("--passphrase", "", "--quick-gen-key", "Restore <restore@example.com>", "default", "default", "never")
        listed = gpg("--list-keys", "--with-colons").decode()
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
        daemon.stop()
        daemon.write_config(daemon.config_file.read_text(encoding="utf-8").replace("0" * 40, fingerprint))
        daemon.start()
        report = daemon.run("shop")
        self.assertEqual(report["status"], "SUCCESS", report)
        (artifact,) = [part["file"] for part in report["artifacts"] if part["kind"] == "database"]
        self.assertTrue(artifact.endswith(".dump.gpg"))
        self.assertTrue(gpg("--decrypt", daemon.set_directory(report["set"]) / artifact).startswith(b"PGDMP"))
        keyring = Path(environment["HOME"]) / ".gnupg"
        self.assertIn("good, decoded", daemon.ctl("verify", "--identity", keyring, report["set"]).out)

    def test_a_program_that_fails_in_mid_stream_fails_the_run_with_its_words(self) -> None:
        _, public = self.age_key()
        daemon = self.daemon({"age": [public]})
        fake = daemon.directory / "bin"
        fake.mkdir()
        (fake / "age").write_text(
            "#!/bin/sh\n# Good at its trial, and then no more.\n"
            "head -c 5000 | wc -c | { read n; if [ $n -lt 100 ]; then exit 0; fi; echo out of entropy >&2; exit 7; }\n",
            encoding="utf-8",
        )
        (fake / "age").chmod(0o755)
        fake.chmod(0o755)
        daemon.stop()
        daemon.extra_environment["PATH"] = f"{fake}:{os.environ['PATH']}"
        daemon.start()
        report = daemon.run("shop", check=False)
        self.assertEqual(report["status"], "FAILED", report)
        self.assertIn("age failed: exit code 7: out of entropy", report["error"]["message"])
        self.assertEqual(daemon.sets(), [])
        self.assertEqual(daemon.partial_directories(), [])

    def test_copies_are_encrypted_too_also_where_nothing_is_kept_here(self) -> None:
        key, public = self.age_key()
        place = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(place, 0o777)
        for keep_local in (True, "never"):
            with self.subTest(keep_local=keep_local):
                path = Path(place) / str(keep_local)
                path.mkdir()
                path.chmod(0o777)
                daemon = self.daemon(
                    {"age": [public]},
                    job={"targets": ["nas"], "keep_local": keep_local},
                    targets={"nas": {"type": "directory", "path": str(path)}},
                )
                report = daemon.run("shop")
                self.assertEqual([target["status"] for target in report["targets"]], ["copied"])
                (dump,) = path.rglob("shop_*.dump.age")
                self.assertTrue(self.decrypt(key, dump).startswith(b"PGDMP"))
                self.assertIn("good, read back", daemon.ctl("verify", "--from", "nas", report["set"]).out)
                decoded = daemon.ctl("verify", "--from", "nas", "--identity", key, report["set"])
                self.assertIn("good, decoded", decoded.out)
                answer = daemon.ctl("verify", "--from", "nas", "--identity", self.age_key()[0], report["set"], check=False)
                self.assertEqual(answer.code, 1, answer)
                self.assertIn("do not open it", answer.err)

    def test_a_secret_key_in_the_configuration_is_refused_and_not_repeated(self) -> None:
        key, _ = self.age_key()
        secret = key.read_text(encoding="utf-8").splitlines()[-1]
        daemon = self.daemon({"age": [AGE]})
        daemon.write_config(daemon.config_file.read_text(encoding="utf-8").replace(AGE, secret))
        answer = daemon.ctl("check", check=False)
        self.assertEqual(answer.code, 3)
        self.assertIn("this is a secret key", answer.out + answer.err)
        self.assertNotIn(secret, answer.out + answer.err)


if __name__ == "__main__":
    unittest.main()
