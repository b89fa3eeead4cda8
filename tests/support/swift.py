"""An OpenStack Swift on loopback with s3api and tempauth, the second S3 that tests meet: it checks the region, wants
parts as AWS does, and takes 1,000 of them. Started by tests as lasting.py has it, or in Python:

    swift = Swift().start()
    test.addCleanup(swift.close)
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import unittest
import urllib.request
from collections.abc import Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support import lasting
from support.postgres import free_port
from support.process import current_account, run, unprivileged_account
from support.programs import Programs
from support.s3 import S3Client

BUCKET = "contract"
HOST = "s3.localhost"
FILTERS = "catch_errors gatekeeper cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink"

SERVER = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = root
swift_dir = {directory}
devices = {directory}/disks
mount_check = false
workers = 1
log_facility = LOG_LOCAL6
log_level = WARNING
disable_fallocate = true
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = root
swift_dir = {directory}
workers = 2
log_facility = LOG_LOCAL6
log_level = WARNING
[pipeline:main]
pipeline = {filters} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:s3api]
use = egg:swift#s3api
location = {region}
storage_domain = {host}
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {tester} .admin
user_test_reader = {reader}
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
"""


def place_with_attributes() -> Path:
    """Swift keeps what it knows of an object in extended attributes, which not every file system has: memory, where Swift's
    many fsyncs cost nothing, only with newer kernels."""
    for parent in ("/dev/shm", "/var/tmp", "/tmp"):
        if not os.access(parent, os.W_OK):
            continue
        directory = Path(tempfile.mkdtemp(prefix="pgb-swift-", dir=parent))
        try:
            os.setxattr(directory, "user.test", b"x")
        except OSError:
            directory.rmdir()
            continue
        return directory
    raise unittest.SkipTest("no file system for temporary files has extended attributes")


class Swift(Programs):
    """Users of one account: test:tester may do anything, test:reader may read the bucket."""

    region = "us-east-1"

    def __init__(self) -> None:
        kinds = ("proxy", "account", "container", "object")
        lasting.need_programs(*(f"swift-{kind}-server" for kind in kinds), "swift-ring-builder", "memcached")
        super().__init__(current_account(), place_with_attributes())
        self.port = 0
        self.keys = {name: secrets.token_urlsafe(24) for name in ("tester", "reader")}

    # --- life ---

    def launch(self) -> None:
        self._configure()
        for port in self._ports.values():
            self.wait_until_it_listens(port)
        self._make_bucket()

    def _configure(self) -> None:
        (self.directory / "disks/d1").mkdir(parents=True)
        self._write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = a\n[storage-policy:0]\nname = one\ndefault = yes\n")
        names = ("memcached", "object", "container", "account", "proxy")
        self._ports = {name: free_port() for name in names}
        self.port = self._ports["proxy"]
        listen = ["-l", "127.0.0.1", "-p", str(self._ports["memcached"]), "-U", "0", "-m", "64"]
        self.spawn("memcached", "memcached", *listen, account=unprivileged_account())  # it refuses to be root
        for kind in ("account", "container", "object"):
            self._write(f"{kind}-server.conf", SERVER.format(kind=kind, port=self._ports[kind], directory=self.directory))
            self._make_ring(kind)
            self.spawn(kind, f"swift-{kind}-server", str(self.directory / f"{kind}-server.conf"))
        text = PROXY.format(
            port=self.port, directory=self.directory, filters=FILTERS, region=self.region, host=HOST,
            memcached=self._ports["memcached"], **self.keys,
        )  # fmt: skip
        known = ("s3api", "tempauth", "cache", "versioned_writes")
        others = [name for name in FILTERS.split() if name not in known]
        self._write("proxy-server.conf", text + "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in others))
        self.spawn("proxy", "swift-proxy-server", str(self.directory / "proxy-server.conf"))

    def _make_ring(self, kind: str) -> None:
        builder = str(self.directory / f"{kind}.builder")
        place = f"r1z1-127.0.0.1:{self._ports[kind]}/d1"
        for words in (["create", "4", "1", "1"], ["add", place, "1"], ["rebalance"]):
            done = run(["swift-ring-builder", builder, *words], self.account, directory=self.directory)
            if done.code not in (0, 1):  # 1: balanced as well as it can be
                done.check()

    def _make_bucket(self) -> None:
        self.client("tester").call("PUT", f"/{BUCKET}").check()
        # What S3 has policies for.
        base = f"http://127.0.0.1:{self.port}"
        login = {"X-Auth-User": "test:tester", "X-Auth-Key": self.keys["tester"]}
        with urllib.request.urlopen(urllib.request.Request(f"{base}/auth/v1.0", headers=login), timeout=60) as answer:
            token = answer.headers["X-Auth-Token"]
        headers = {"X-Auth-Token": token, "X-Container-Read": "test:reader"}
        request = urllib.request.Request(f"{base}/v1/AUTH_test/{BUCKET}", method="POST", headers=headers)
        urllib.request.urlopen(request, timeout=60).close()

    # --- use ---

    def client(self, user: str) -> S3Client:
        return S3Client(f"http://127.0.0.1:{self.port}", self.region, f"test:{user}", self.keys[user])

    def facts(self) -> Mapping[str, str]:
        found = {
            "endpoint": f"http://127.0.0.1:{self.port}",
            "host": f"http://{HOST}:{self.port}",
            "region": self.region,
            "bucket": BUCKET,
        }
        for user, secret in self.keys.items():
            found |= {f"{user}_key": f"test:{user}", f"{user}_secret": secret}
        return found

    def _write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(lasting.main("swift", lambda: Swift().start()))
