"""A Ceph RADOS Gateway on loopback: one monitor, one OSD in memory, one gateway. It verifies signatures, payload hashes
and clocks as AWS does. Started by tests as lasting.py has it, or in Python:

    gateway = RadosGateway().start()
    test.addCleanup(gateway.close)
"""

from __future__ import annotations

import json
import signal
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support import lasting
from support.certificate import make_certificate
from support.postgres import free_port
from support.process import current_account, run, scratch_directory
from support.programs import IPV6, Programs, free_ipv6_port
from support.s3 import S3Client

BUCKET = "contract"
HOST = "s3.localhost"  # libcurl takes every name below .localhost to loopback, so that buckets can be in the host's name
KMS_KEY = "testing-key"  # for aws:kms; this version of Ceph has no key that a request need not name

STORAGE_CLASS = "STANDARD_IA"  # besides STANDARD

CONFIGURATION = """
[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{monitor}
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind port min = {lowest}
ms bind port max = {highest}
keyring = {directory}/keyring
run dir = {directory}/run
admin socket = {directory}/run/$cluster-$name.asok
pid file =
log file = {directory}/$name.log
mon cluster log file = {directory}/cluster.log
crash dir = {directory}/run
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 1
[mon]
mon data = {directory}/mon
[osd]
osd data = {directory}/osd
osd objectstore = memstore
memstore device bytes = 12884901888
osd memory target = 1073741824
osd max object name len = 2048
osd class update on start = false
[client]
rgw frontends = beast endpoint=127.0.0.1:{http} ssl_endpoint=127.0.0.1:{https} ssl_certificate={directory}/tls.pem{ipv6}
rgw dns name = {host}
rgw thread pool size = 32
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {key}=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
rgw crypt require ssl = false
rgw gc obj min wait = 1
rgw gc processor period = 5
rgw gc processor max time = 5
"""


class RadosGateway(Programs):
    """Users: owner (of the bucket), tester (may do what pgbakd does) and reader (may only read), by a bucket policy."""

    region = "us-east-1"

    death_signal = signal.SIGKILL

    def __init__(self) -> None:
        lasting.need_programs("ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "openssl")
        account = current_account()
        super().__init__(account, scratch_directory(account, "pgb-rgw-"))
        self.port = 0
        self.tls_port = 0
        self.ipv6_port = 0
        self.keys: dict[str, tuple[str, str]] = {}

    # --- life ---

    def launch(self) -> None:
        self._configure()
        self._start_monitor()
        self._start_storage()
        self._start_gateway()
        self._make_bucket()

    def _configure(self) -> None:
        for name in ("mon", "osd", "run"):
            (self.directory / name).mkdir()
        make_certificate(self.directory, HOST)
        monitor, self.port, self.tls_port, lowest = (free_port() for _ in range(4))
        self.ipv6_port = free_ipv6_port()
        ipv6 = f" ssl_endpoint=[{IPV6}]:{self.ipv6_port}" if self.ipv6_port else ""
        fsid = str(uuid.uuid4())
        text = CONFIGURATION.format(
            key=KMS_KEY, fsid=fsid, directory=self.directory, host=HOST, monitor=monitor, http=self.port, https=self.tls_port,
            lowest=lowest, highest=min(lowest + 200, 65535), ipv6=ipv6,
        )  # fmt: skip
        (self.directory / "ceph.conf").write_text(text, encoding="utf-8")
        keyring = str(self.directory / "keyring")
        anything = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"]
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        for name in ("client.admin", "client.rgw", "osd.0"):
            self._run("ceph-authtool", keyring, "--gen-key", "-n", name, *anything)
        monitors = str(self.directory / "monmap")
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v1:127.0.0.1:{monitor}]", monitors)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monitors, "--keyring", keyring)

    def _start_monitor(self) -> None:
        self._daemon("mon", "ceph-mon", "-i", "a")
        self._ceph("mon", "stat")

    def _start_storage(self) -> None:
        identity = str(uuid.uuid4())
        self._ceph("osd", "new", identity)
        keyring = str(self.directory / "keyring")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity, "--keyring", keyring)
        self._ceph("auth", "import", "-i", keyring)
        self._daemon("osd", "ceph-osd", "-i", "0")

    def _start_gateway(self) -> None:
        # Waits for the OSD by itself. The others' keys are made over HTTP, which is quicker than one more program each.
        user = self._admin("user", "create", "--uid=owner", "--display-name=owner", "--caps=users=*")
        self.keys["owner"] = (user["keys"][0]["access_key"], user["keys"][0]["secret_key"])
        self._add_storage_class()
        self._daemon("rgw", "radosgw", "-n", "client.rgw")
        self.wait_until_it_listens(self.port)

    def _add_storage_class(self) -> None:
        """It has but STANDARD by itself."""
        placement = ["placement", "add", "--placement-id", "default-placement", "--storage-class", STORAGE_CLASS]
        self._admin_text("zonegroup", *placement, "--rgw-zonegroup", "default")
        self._admin_text("zone", *placement, "--rgw-zone", "default", "--data-pool", "default.rgw.buckets.data")

    def _make_bucket(self) -> None:
        owner = self.client("owner")
        for name in ("tester", "reader"):
            answer = owner.call("PUT", "/admin/user", {"uid": name, "display-name": name, "format": "json"}).check()
            key = json.loads(answer.body)["keys"][0]
            self.keys[name] = (key["access_key"], key["secret_key"])
        owner.call("PUT", f"/{BUCKET}").check()
        owner.call("PUT", f"/{BUCKET}", {"policy": ""}, json.dumps(policy()).encode()).check()

    # --- use ---

    def client(self, user: str) -> S3Client:
        return S3Client(f"http://127.0.0.1:{self.port}", self.region, *self.keys[user])

    def facts(self) -> Mapping[str, str]:
        found = {
            "endpoint": f"http://127.0.0.1:{self.port}",
            "tls": f"https://{HOST}:{self.tls_port}",
            "host": f"http://{HOST}:{self.port}",
            "authority": str(self.directory / "authority.pem"),
            "region": self.region,
            "bucket": BUCKET,
        }
        if self.ipv6_port:
            found["ipv6"] = f"https://[{IPV6}]:{self.ipv6_port}"
        for user, (key, secret) in self.keys.items():
            found |= {f"{user}_key": key, f"{user}_secret": secret}
        return found

    def _run(self, program: str, *arguments: str) -> str:
        own = [] if program.endswith("tool") else ["-c", str(self.directory / "ceph.conf")]
        return run([program, *own, *arguments], self.account).check().out

    def _ceph(self, *arguments: str) -> str:
        keyring = str(self.directory / "keyring")
        return self._run("ceph", "-n", "client.admin", "-k", keyring, "--connect-timeout", "60", *arguments)

    def _admin_text(self, *arguments: str) -> str:
        return self._run("radosgw-admin", "-n", "client.admin", "-k", str(self.directory / "keyring"), *arguments)

    def _admin(self, *arguments: str) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = json.loads(self._admin_text(*arguments))
        return found

    def _daemon(self, name: str, program: str, *arguments: str) -> None:
        own = ["-f", "-c", self.directory / "ceph.conf", "-k", self.directory / "keyring"]
        self.spawn(name, program, *own, *arguments)


def policy(bucket: str = BUCKET, without: str = "") -> dict[str, object]:
    """The least that pgbakd needs, as docs/targets has it, for tester, `without` one action; and reading for reader."""

    def allow(user: str, actions: list[str], resource: str) -> dict[str, object]:
        principal = {"AWS": [f"arn:aws:iam:::user/{user}"]}
        return {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": f"arn:aws:s3:::{resource}"}

    needed = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    of_objects = [action for action in needed if action != without]
    return {
        "Version": "2012-10-17",
        "Statement": [
            allow("tester", of_objects, f"{bucket}/*"),
            allow("tester", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], bucket),
            allow("reader", ["s3:GetObject"], f"{bucket}/*"),
            allow("reader", ["s3:ListBucket"], bucket),
        ],
    }


if __name__ == "__main__":
    sys.exit(lasting.main("rgw", lambda: RadosGateway().start()))
