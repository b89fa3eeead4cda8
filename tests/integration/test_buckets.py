"""Buckets as providers have them: with versions and locks, with a policy that forbids to delete, in another region, encrypted
and in a storage class; on a real gateway, behind a proxy where an answer is wanted that it does not give by itself."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
import threading
import unittest
import urllib.parse
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.daemon import Daemon, config_for
from support.owed import forget_pauses
from support.rgw import KMS_KEY, STORAGE_CLASS, policy
from support.s3 import S3Client
from support.s3_case import MIB, S3Case
from support.s3_proxy import Call, Fault, Reply

CTEST = {"timeout": 600, "servers": ["rgw"], "cost": 20}
KEEP_ONE = {"last": 1, "at_least": 1}
ELSEWHERE = "eu-elsewhere-1"
LOCK = """<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>
<Mode>{mode}</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"""
VERSIONS = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


def error(code: str, more: str = "") -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>so the test wants it</Message>{more}</Error>".encode()


class Buckets(S3Case):
    shop_rows = 200_000  # as text, two parts

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.owner = S3Client(cls.rgw["endpoint"], cls.rgw["region"], cls.rgw["owner_key"], cls.rgw["owner_secret"])

    def daemon(self, targets: dict[str, Any], **job: Any) -> Daemon:
        """One whose job sends its sets there: a dump in parts, and short files."""
        base = {
            "source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}, "compression": "none",
            "retries": {"attempts": 1}, "targets": list(targets),
        }  # fmt: skip
        self.configuration = config_for(self.server, jobs={"job": {**base, **job}}, targets=targets)
        return self.new_daemon(self.configuration).start()

    def run_well(self, daemon: Daemon) -> Any:
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertEqual({target["status"] for target in report["targets"]}, {"copied"}, report)
        return report

    # --- locks and versions ---

    def new_bucket(self, kind: str, headers: dict[str, str], settings: dict[str, str], without: str = "") -> dict[str, Any]:
        """A bucket of its own, with what is put into its subresources; a target there for the tester."""
        bucket = f"{kind}-{os.getpid()}"
        self.owner.call("PUT", f"/{bucket}", headers=headers).check()
        for name, text in settings.items():
            digest = base64.b64encode(hashlib.md5(text.encode()).digest()).decode()
            self.owner.call("PUT", f"/{bucket}", {name: ""}, text.encode(), {"content-md5": digest}).check()
        self.allow(bucket, without)
        return {
            "type": "s3", "provider": "other", "endpoint": self.rgw["endpoint"], "bucket": bucket, "part_size": "5 MiB",
            "access_key_id": self.rgw["tester_key"], "secret_access_key": self.rgw["tester_secret"],
        }  # fmt: skip

    def allow(self, bucket: str, without: str = "") -> None:
        self.owner.call("PUT", f"/{bucket}", {"policy": ""}, json.dumps(policy(bucket, without)).encode()).check()

    def sets_in(self, bucket: str) -> set[str]:
        return {key.removesuffix("/manifest.json") for key in self.owner.sizes(bucket, "") if key.endswith("/manifest.json")}

    def versions(self, bucket: str) -> list[tuple[str, str]]:
        """Keys and versions of what is there in truth; what was deleted, too."""
        text = self.owner.call("GET", f"/{bucket}", {"versions": ""}).check().body.decode()
        return re.findall(r"<Version><Key>(.*?)</Key><VersionId>(.*?)</VersionId>", text)

    def test_where_a_bucket_has_versions_or_locks_deleting_hides_a_set_and_nothing_fails(self) -> None:
        locked = {"x-amz-bucket-object-lock-enabled": "true"}
        targets = {
            "versions": self.new_bucket("versions", {}, {"versioning": VERSIONS}),
            "governance": self.new_bucket("governance", locked, {"object-lock": LOCK.format(mode="GOVERNANCE")}),
            "compliance": self.new_bucket("compliance", locked, {"object-lock": LOCK.format(mode="COMPLIANCE")}),
        }
        retention = {"local": {"last": 3, "at_least": 1}, "targets": {name: KEEP_ONE for name in targets}}
        daemon = self.daemon(targets, retention=retention)
        first, second = (self.run_well(daemon) for _ in range(2))
        self.assertEqual(second["notes"], [])
        # By hand, too; and what is pinned and freed leaves nothing that counts.
        self.assertEqual(daemon.ctl("prune", "--apply").err, "")
        daemon.ctl("pin", second["set"])
        daemon.ctl("unpin", second["set"])
        self.assertEqual(daemon.ctl("check", "--connect").code, 0)
        for name, target in targets.items():
            with self.subTest(name):
                bucket = target["bucket"]
                local = self.local_files(daemon, second["set"])
                self.assertEqual(self.owner.sizes(bucket, ""), local)
                [listed] = daemon.ctl("--json", "list", "--from", name).json["sets"]
                self.assertEqual((listed["set"], listed["pinned"]), (second["set"], False))
                self.assertEqual(daemon.ctl("verify", second["set"], "--from", name).code, 0)
                # What the bucket is for: the deleted set is there.
                kept = [(key, version) for key, version in self.versions(bucket) if key.startswith(first["set"] + "/")]
                self.assertEqual({key for key, _ in kept}, set(self.local_files(daemon, first["set"])))
                refused = self.owner.call("DELETE", f"/{bucket}/{kept[0][0]}", {"versionId": kept[0][1]})
                self.assertEqual(refused.status, 204 if name == "versions" else 403, refused)

    def test_where_a_lock_wants_a_checksum_of_what_is_put_it_gets_one(self) -> None:
        """As Amazon does, and the gateway does not: https://github.com/versity/versitygw/issues/1740 has its answer."""

        def refused(what: str) -> Reply:
            said = f"Content-MD5 OR x-amz-checksum- HTTP header is required for Put {what} requests with Object Lock parameters"
            return Reply("400 Bad Request", f"<Error><Code>InvalidRequest</Code><Message>{said}</Message></Error>".encode())

        def service(*known: str) -> Callable[[Call], Reply | None]:
            """One that goes by these headers; that they are right the gateway behind it sees to."""

            def answer(call: Call) -> Reply | None:
                is_content = call.kind in ("PutObject", "UploadPart")
                bare = is_content and not set(known) & set(call.headers)
                return refused("Object" if call.kind == "PutObject" else "Part") if bare else None

            return answer

        both = ("content-md5", "x-amz-checksum-sha256")
        proxies = {name: self.proxy() for name in ("other", "oss", "aws", "none", "free")}
        for name in ("other", "oss", "aws"):
            proxies[name].plan = service(*both)
        proxies["none"].plan = service("x-amz-checksum-crc32c")
        targets = {name: self.target(proxy, name) for name, proxy in proxies.items()}
        for name in ("aws", "oss"):
            targets[name] = {**targets[name], "provider": name, "region": self.rgw["region"], "addressing": "path"}
        daemon = self.daemon(targets)
        report = daemon.run("job")
        status = {target["name"]: target["status"] for target in report["targets"]}
        self.assertEqual(status, {name: "owed" if name == "none" else "copied" for name in proxies}, report)
        for name in ("other", "oss", "aws", "free"):
            self.check_equal(daemon, report["set"], name, name)
        # It costs as much as all else that is hashed: who does not ask for it does not get it.
        self.assertEqual(proxies["aws"].struck, [])
        for name in ("aws", "free"):
            self.assertEqual([call for call in proxies[name].calls if "content-md5" in call.headers], [], name)
        # Some at a time are refused at first, and nothing after that.
        sent = [call for call in proxies["other"].calls if call.kind in ("PutObject", "UploadPart")]
        first = next(place for place, call in enumerate(sent) if "content-md5" in call.headers)
        self.assertLess(max(place for place, call in enumerate(sent) if "content-md5" not in call.headers), first + 4)
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertIn("failed target none: writing is not possible", checked.out)
        self.assertIn("provider: aws", checked.out)
        self.assertEqual(checked.out.count("failed target"), 1, checked.out)

    def test_what_may_not_be_deleted_is_told_as_retained_and_is_no_failure(self) -> None:
        rules = self.proxy()  # a bucket without versions whose rules keep its objects, as those of R2 and OSS
        refusal = Reply("403 Forbidden", error("ObjectLockedByBucketPolicy"))
        rules.plan = lambda call: refusal if call.kind.startswith("Delete") else None
        targets = {"denied": self.new_bucket("denied", {}, {}, without="s3:DeleteObject"), "rules": self.target(rules, "rules")}
        retention = {"local": {"last": 9, "at_least": 1}, "targets": {name: KEEP_ONE for name in targets}}
        daemon = self.daemon(targets, retention=retention)
        reports = [self.run_well(daemon) for _ in range(3)]
        names = [report["set"] for report in reports]
        retained = [[note for note in report["notes"] if "retained" in note] for report in reports]
        self.assertEqual([len(notes) for notes in retained], [0, 2, 2], "once for each target")
        self.assertEqual(len(reports[2]["notes"]), 2, reports[2]["notes"])
        denied, locked = sorted(retained[2])
        self.assertRegex(denied, r"^2 retained by denied: job/\S+: .*permission denied \(AccessDenied")
        self.assertRegex(locked, r"^2 retained by rules: job/\S+: .*it is locked and retained \(ObjectLockedByBucketPolicy")
        # They are sets as before, whole, and known.
        self.assertEqual(self.sets_in(targets["denied"]["bucket"]), set(names))
        self.assertEqual(self.listed("rules", "at the end"), set(names))
        for name in targets:
            self.assertEqual({entry["set"] for entry in daemon.ctl("--json", "list", "--from", name).json["sets"]}, set(names))
            self.assertEqual(daemon.ctl("verify", names[0], "--from", name).code, 0)
        places = [{copy["place"] for copy in entry["copies"]} for entry in daemon.sets()]
        self.assertEqual(places, [{"local", *targets}] * 3)
        pruned = daemon.ctl("prune", "--apply")
        self.assertEqual(pruned.err.count("retained by denied"), 2)
        self.assertEqual(pruned.err.count("retained by rules"), 2)
        # Who may delete does: with the next prune, the lock having ended.
        self.allow(targets["denied"]["bucket"])
        rules.plan = None
        self.assertEqual(daemon.ctl("prune", "--apply").err, "")
        self.assertEqual(self.sets_in(targets["denied"]["bucket"]), {names[2]})
        self.assertEqual(self.listed("rules", "at the end"), {names[2]})

    # --- permissions ---

    def test_a_check_names_the_permission_to_read_and_leaves_no_probe(self) -> None:
        """A key without s3:GetObject: Amazon refuses it HEAD too."""
        proxies = {name: self.proxy() for name in ("aws", "minio", "r2")}
        targets = {
            name: {**self.target(proxy, name), "provider": name, "region": self.rgw["region"], "addressing": "path"}
            for name, proxy in proxies.items()
        }
        daemon = self.daemon(targets)
        refusal = Reply("403 Forbidden", b"")
        for proxy in proxies.values():
            proxy.plan = lambda call: refusal if call.kind in ("GetObject", "HeadObject") else None
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertEqual(checked.code, 1)
        for name, proxy in proxies.items():
            with self.subTest(name):
                self.assertIn(f"target {name}: reading is not possible", checked.out)
                self.assertNotIn(f"target {name}: writing is not possible", checked.out)
                self.assertIn("s3:GetObject", checked.out)
                sent = [call.path for call in proxy.calls if call.kind == "PutObject" and "/.pgbakd-probe/" in call.path]
                gone = [call for call in proxy.calls if call.kind.startswith("Delete")]
                self.assertEqual((len(sent), len(gone)), (1, 1))
                target = targets[name]
                left = self.owner.sizes(target["bucket"], target["prefix"] + "/")
                self.assertEqual([key for key in left if ".pgbakd-probe/" in key], [])

    # --- regions ---

    def test_a_bucket_in_another_region_is_found_and_the_region_remembered(self) -> None:
        """The gateway takes any region: the proxy is the service that has but one."""
        answers = {
            "permanent": Reply("301 Moved Permanently", error("PermanentRedirect", "<Endpoint>elsewhere.invalid</Endpoint>"),
                               {"x-amz-bucket-region": ELSEWHERE}),
            "temporary": Reply("307 Temporary Redirect", error("TemporaryRedirect", "<Endpoint>elsewhere.invalid</Endpoint>"),
                               {"x-amz-bucket-region": ELSEWHERE, "location": "http://elsewhere.invalid/x"}),
            "malformed": Reply("400 Bad Request", error("AuthorizationHeaderMalformed", f"<Region>{ELSEWHERE}</Region>")),
        }  # fmt: skip

        def service(answer: Reply) -> Callable[[Call], Reply | None]:
            return lambda call: None if call.region == ELSEWHERE else answer

        proxies = {name: self.proxy() for name in answers}
        for name, proxy in proxies.items():
            proxy.plan = service(answers[name])
        daemon = self.daemon({name: self.target(proxy, name) for name, proxy in proxies.items()})
        report = self.run_well(daemon)
        for name, proxy in proxies.items():
            with self.subTest(name):
                self.check_equal(daemon, report["set"], name, name)
                kinds = Counter(call.kind for call in proxy.calls if call.region == ELSEWHERE)
                self.assertEqual(kinds["UploadPart"], 2, kinds)
                # Nothing is sent for nothing: the region is known before a part is.
                self.assertNotIn("UploadPart", [call.kind for call in proxy.struck])
                proxy.plan = service(answers[name])
        self.run_well(daemon)
        for name, proxy in proxies.items():
            self.assertEqual(proxy.struck, [], name)

    def test_several_that_are_redirected_at_once_all_follow(self) -> None:
        proxy = self.proxy()
        both = threading.Event()
        asked: set[str] = set()

        def plan(call: Call) -> Reply | None:
            if call.region == ELSEWHERE:
                return None
            asked.update(name for name in ("one", "two") if f"/{name}/" in urllib.parse.unquote(call.path + "/" + call.query))
            if len(asked) == 2:
                both.set()
            return Reply("400 Bad Request", error("AuthorizationHeaderMalformed", f"<Region>{ELSEWHERE}</Region>"), when=both)

        proxy.plan = plan
        job = {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}, "retries": {"attempts": 1},
               "targets": ["moved"]}  # fmt: skip
        limits = {"concurrent_runs": 2, "concurrent_runs_per_server": 2}
        targets = {"moved": self.target(proxy, "moved")}
        daemon = self.start_daemon({"one": job, "two": job}, targets=targets, limits=limits)
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(daemon.run, ("one", "two")))
        self.assertEqual([(report["status"], report["notes"]) for report in reports], [("SUCCESS", [])] * 2)
        self.assertNotIn("warning", daemon.log())

    def test_a_redirect_to_anybody_is_not_followed(self) -> None:
        stranger = self.proxy()
        where = f"<Endpoint>127.0.0.1:{stranger.port}</Endpoint>"
        answers = {
            "permanent": Reply("301 Moved Permanently", error("PermanentRedirect", where), {"location": stranger.url + "/x"}),
            "temporary": Reply("307 Temporary Redirect", error("TemporaryRedirect", where), {"location": stranger.url + "/x"}),
        }
        proxies = {name: self.proxy() for name in answers}
        for name, proxy in proxies.items():
            proxy.plan = lambda _call, answer=answers[name]: answer
        daemon = self.daemon({name: self.target(proxy, name) for name, proxy in proxies.items()})
        report = daemon.run("job")
        self.assertEqual(report["status"], "WARNING", report)
        for target in report["targets"]:
            self.assertEqual(target["status"], "owed", target)
            self.assertIn("the bucket is elsewhere", target["message"])
            self.assertGreater(len(proxies[target["name"]].calls), 0)
        self.assertEqual(stranger.calls, [])
        proxies["temporary"].plan = None  # as it is after a while
        checked = daemon.ctl("check", "--connect", check=False)
        self.assertEqual(checked.code, 1)
        self.assertIn(f"the service names 127.0.0.1:{stranger.port}, which is not followed unasked", checked.out)
        self.assertEqual(stranger.calls, [])
        # Only who could be asked again gets what it is owed.
        daemon.stop()
        forget_pauses(daemon)
        daemon.start()
        daemon.wait_for(lambda: {copy["target"] for copy in daemon.status()["owed"]} == {"permanent"}, what="the copy owed")
        self.assertEqual(stranger.calls, [])

    # --- what is asked for, and what is sent ---

    def test_encryption_and_storage_class_are_asked_for_where_an_object_begins(self) -> None:
        proxy = self.proxy()
        beginnings = ("PutObject", "CreateMultipartUpload")
        # The key itself is the service's to choose: AWS has one of its own, this gateway wants to be told.
        proxy.amend = lambda call: (
            {"x-amz-server-side-encryption-aws-kms-key-id": KMS_KEY} if call.kind in beginnings else {})  # fmt: skip
        target = {**self.target(proxy, "safe"), "server_side_encryption": "aws:kms", "storage_class": STORAGE_CLASS}
        daemon = self.daemon({"safe": target})
        report = self.run_well(daemon)
        sent = {
            (call.kind, call.headers.get("x-amz-server-side-encryption"), call.headers.get("x-amz-storage-class"))
            for call in proxy.calls if call.method in ("PUT", "POST")
        }  # fmt: skip
        self.assertEqual(sent, {*((kind, "aws:kms", STORAGE_CLASS) for kind in beginnings),
                                ("UploadPart", None, None), ("CompleteMultipartUpload", None, None)})  # fmt: skip
        # And so it is there.
        for key in self.there("safe"):
            head = self.client.call("HEAD", f"/{self.bucket}/{self.prefix}/safe/{key}").check()
            found = {name.lower(): value for name, value in head.headers.items()}
            self.assertEqual(found.get("x-amz-server-side-encryption"), "aws:kms", key)
            self.assertEqual(found.get("x-amz-storage-class"), STORAGE_CLASS, key)
        self.check_equal(daemon, report["set"], "safe", "encrypted")
        self.assertEqual(daemon.ctl("verify", report["set"], "--from", "safe").code, 0)

    def test_what_arrives_changed_is_refused_and_sent_again(self) -> None:
        """The hash of each body is signed: without TLS, too, nothing is stored that was not sent."""
        for kind in ("PutObject", "UploadPart"):
            with self.subTest(kind):
                proxy = self.proxy()
                proxy.plan = lambda call, kind=kind, proxy=proxy: (
                    Fault.CHANGED if call.kind == kind and not proxy.struck else None)  # fmt: skip
                daemon = self.daemon({kind: self.target(proxy, kind)})
                report = self.run_well(daemon)
                self.check_equal(daemon, report["set"], kind, kind)
                [struck] = proxy.struck
                again = [call for call in proxy.calls if (call.path, call.query) == (struck.path, struck.query)]
                self.assertEqual([call.kind for call in again if call.method == "PUT"], [kind] * 2)
                for call in proxy.calls:
                    self.assertRegex(call.headers["x-amz-content-sha256"], "^[0-9a-f]{64}$", call)

    def test_what_is_read_back_is_not_asked_for_besides(self) -> None:
        """Of services that are not known to compare hashes; the reading tells the size."""
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"], "globals": True}
        # Without a condition in the put there is a look before it, and one before the parts are put together.
        for provider, looks in (("oss", 0), ("other", 1)):
            with self.subTest(provider):
                proxy = self.proxy()
                target = {**self.target(proxy, provider), "provider": provider, "region": self.rgw["region"], "addressing": "path"}
                daemon = self.daemon({provider: target}, source=source)
                report = self.run_well(daemon)
                self.assertEqual([told["verified"] for told in report["targets"]], ["read back"])
                files = {entry["file"]: entry["bytes"] for entry in report["artifacts"]}
                kinds = {
                    name: Counter(call.kind for call in proxy.calls if call.path.endswith("/" + name)) for name in files}
                long, short = (pick(files, key=lambda name: files[name]) for pick in (max, min))
                self.assertGreater(files[long], 5 * MIB)
                self.assertLess(files[short], MIB)
                expected = Counter({"PutObject": 1, "GetObject": 1, "HeadObject": looks})
                self.assertEqual(+kinds[short], +expected)
                expected = Counter({"CreateMultipartUpload": 1, "UploadPart": 2, "CompleteMultipartUpload": 1,
                                    "GetObject": 6, "HeadObject": 2 * looks})  # fmt: skip
                self.assertEqual(+kinds[long], +expected)
                self.check_equal(daemon, report["set"], provider, provider)


if __name__ == "__main__":
    unittest.main()
