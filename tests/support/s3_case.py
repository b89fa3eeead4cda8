"""Tests of copies in a bucket of a RADOS Gateway behind proxies, and what must hold there whatever went wrong."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from support.cases import ServerCase
from support.daemon import Daemon
from support.process import wait_for
from support.s3 import S3Client
from support.s3_proxy import S3Proxy
from support.servers import shared_server

MIB = 1 << 20


class S3Case(ServerCase):
    """A test has a prefix of its own in the bucket, which is empty again after it."""

    rgw: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.rgw = shared_server("rgw")
        super().setUpClass()
        cls.bucket = cls.rgw["bucket"]
        cls.client = S3Client(cls.rgw["endpoint"], cls.rgw["region"], cls.rgw["tester_key"], cls.rgw["tester_secret"])

    def setUp(self) -> None:
        self.prefix = f"{self._testMethodName}-{os.getpid()}"
        self.addCleanup(self.client.remove_all, self.bucket, self.prefix + "/")

    def proxy(self) -> S3Proxy:
        found = S3Proxy(self.rgw["endpoint"]).start()
        self.addCleanup(found.close)
        return found

    def target(self, proxy: S3Proxy, folder: str) -> dict[str, Any]:
        """A target of the configuration: a folder of the test's prefix, through a proxy."""
        return {
            "type": "s3", "provider": "other", "endpoint": proxy.url, "bucket": self.bucket,
            "prefix": f"{self.prefix}/{folder}", "part_size": "5 MiB",
            "access_key_id": self.rgw["tester_key"], "secret_access_key": self.rgw["tester_secret"],
        }  # fmt: skip

    # --- what is there, by another client and not through a proxy ---

    def there(self, folder: str) -> dict[str, int]:
        return self.client.sizes(self.bucket, f"{self.prefix}/{folder}/")

    def uploads(self) -> list[str]:
        return self.client.uploads(self.bucket, self.prefix + "/")

    def get(self, folder: str, key: str) -> bytes:
        return self.client.get(self.bucket, f"{self.prefix}/{folder}/{key}")

    def manifest(self, folder: str, name: str) -> Any:
        """None if the set was being removed while it was listed: what a killed daemon has asked for goes on."""
        key = f"{name}/manifest.json"
        answer = self.client.call("GET", f"/{self.bucket}/{self.prefix}/{folder}/{key}")
        if answer.status == 404:
            wait_for(lambda: key not in self.there(folder), what=f"the end of {key}, which cannot be read any more")
            return None
        return json.loads(answer.check().body)

    def listed(self, folder: str, at: object) -> set[str]:
        """The sets that exist there; each has all that its manifest names."""
        there = self.there(folder)
        found = {key.removesuffix("/manifest.json") for key in there if key.endswith("/manifest.json")}
        for name in sorted(found):
            manifest = self.manifest(folder, name)
            if manifest is None:
                found.remove(name)
                continue
            for artifact in manifest["artifacts"]:
                self.assertEqual(there.get(f"{name}/{artifact['file']}"), artifact["bytes"], f"{at}: half a set is listed")
                self.assertIn(f"{name}/{artifact['file']}.sha256", there, at)
        return found

    def local_files(self, daemon: Daemon, name: str) -> dict[str, int]:
        return {f"{name}/{path.name}": path.stat().st_size for path in daemon.set_directory(name).iterdir()}

    def check_equal(self, daemon: Daemon, name: str, folder: str, at: object) -> None:
        """The copy has the local set's files, byte by byte."""
        there = {key: size for key, size in self.there(folder).items() if key.startswith(name + "/")}
        self.assertEqual(there, self.local_files(daemon, name), at)
        for path in daemon.set_directory(name).iterdir():
            content = self.get(folder, f"{name}/{path.name}")
            self.assertEqual(hashlib.sha256(content).digest(), hashlib.sha256(path.read_bytes()).digest(), (at, path.name))
