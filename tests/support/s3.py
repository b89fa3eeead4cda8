"""A small client of S3: what the owner of a bucket does there, signed by itself and not by what is tested.

    client = S3Client("http://127.0.0.1:8000", "us-east-1", "key", "secret")
    client.call("PUT", "/bucket/key", body=b"x")
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import urllib.parse
import xml.etree.ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def check(self) -> Answer:
        if not 200 <= self.status < 300:
            raise AssertionError(f"HTTP {self.status}: {self.body.decode(errors='replace')}")
        return self


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class S3Client:
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str

    def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """By the rules of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html."""
        where = urllib.parse.urlsplit(self.endpoint)
        now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        sent = {
            "host": where.netloc, "x-amz-date": now, "x-amz-content-sha256": digest,
            **{name.lower(): value for name, value in (headers or {}).items()},
        }  # fmt: skip
        quoted = urllib.parse.quote(path, safe="/-_.~")
        words = "&".join(
            f"{urllib.parse.quote(name, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}"
            for name, value in sorted((query or {}).items())
        )
        names = ";".join(sorted(sent))
        lines = "".join(f"{name}:{sent[name].strip()}\n" for name in sorted(sent))
        request = "\n".join([method, quoted, words, lines, names, digest])
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
        key = f"AWS4{self.secret_access_key}".encode()
        for word in (now[:8], self.region, "s3", "aws4_request"):
            key = _hmac(key, word)
        sent["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key_id}/{scope}, SignedHeaders={names}, "
            f"Signature={_hmac(key, to_sign).hex()}"
        )
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        try:
            connection.request(method, quoted + ("?" + words if words else ""), body or None, sent)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    # --- what is there ---

    def _pages(self, bucket: str, query: Mapping[str, str], marks: Mapping[str, str]) -> Iterator[xml.etree.ElementTree.Element]:
        """The pages of a list; `marks`: what of a page is which word of the next one's query."""
        asked = dict(query)
        while True:
            answer = self.call("GET", f"/{bucket}", asked).check()
            page = xml.etree.ElementTree.fromstring(answer.body)
            for element in page.iter():
                element.tag = element.tag.rsplit("}", 1)[-1]
            yield page
            if page.findtext("IsTruncated") != "true":
                return
            asked = {**query, **{word: page.findtext(mark) or "" for mark, word in marks.items()}}

    def sizes(self, bucket: str, prefix: str) -> dict[str, int]:
        """The objects below a prefix, by their keys without it; in bytes."""
        query = {"list-type": "2", "prefix": prefix}
        return {
            (entry.findtext("Key") or "").removeprefix(prefix): int(entry.findtext("Size") or 0)
            for page in self._pages(bucket, query, {"NextContinuationToken": "continuation-token"})
            for entry in page.iter("Contents")
        }

    def uploads(self, bucket: str, prefix: str) -> list[str]:
        """Keys of the multipart uploads that were begun and not ended."""
        query = {"uploads": "", "prefix": prefix}
        marks = {"NextKeyMarker": "key-marker", "NextUploadIdMarker": "upload-id-marker"}
        return [
            (entry.findtext("Key") or "").removeprefix(prefix)
            for page in self._pages(bucket, query, marks)
            for entry in page.iter("Upload")
        ]

    def get(self, bucket: str, key: str) -> bytes:
        return self.call("GET", f"/{bucket}/{key}").check().body

    def remove_all(self, bucket: str, prefix: str) -> None:
        """What tests leave in a bucket that they share."""
        for key in self.sizes(bucket, prefix):
            self.call("DELETE", f"/{bucket}/{prefix}{key}")
