"""What hands out credentials of roles, as strict as the real ones: the metadata service of an instance (version 2 only),
a container's endpoint, and STS; and an S3 that throttles, or says that a session has ended.

    aws_roles.py

listens on a port of the system's choice, prints "port=PORT" and ends with its standard input, or by a signal. Paths begin
with a name of the caller's choice, so that cases do not disturb each other:

/NAME/metadata/…     the metadata service; it gives the keys NAME-1, NAME-2, … which end in six hours
/NAME/no-role/…      that of an instance without a role
/NAME/weak/…         one that answers 503 to the first two requests
/NAME/container      wants "Authorization: open NAME"
/NAME/sts/           knows the role arn:aws:iam::1:role/NAME and the token "token of NAME"
/NAME/busy?…         S3's list of a bucket: 503 SlowDown with Retry-After: 1 to the first request
/NAME/ended?…        S3's list of a bucket: the first session that is seen has ended by its second request
/NAME/parts?…        an object of S3 that takes multipart uploads, and answers 503 SlowDown with Retry-After: 0 to the
                     first three parts; then it takes one part at a time, and refuses for good what comes beside it
"""

from __future__ import annotations

import json
import re
import secrets
import sys
import threading
import time
import urllib.parse
from collections import Counter
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIST = """<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated></ListBucketResult>"""
STS = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{AccessKeyId}</AccessKeyId>
<SecretAccessKey>{SecretAccessKey}</SecretAccessKey><SessionToken>{Token}</SessionToken>
<Expiration>{Expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class State:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.handed_out: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.tokens: set[str] = set()
        self.sizes: Counter[str] = Counter()
        self.busy: set[str] = set()

    def count(self, what: str) -> int:
        with self.lock:
            self.seen[what] += 1
            return self.seen[what]

    def session(self, name: str) -> dict[str, str]:
        with self.lock:
            self.handed_out[name] += 1
            number = self.handed_out[name]
        ends = datetime.now(timezone.utc) + timedelta(hours=6)
        return {
            "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": f"{name}-{number}",
            "SecretAccessKey": f"secret of {name}", "Token": f"session {number} of {name}",
            "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }  # fmt: skip


STATE = State()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: str = "", **headers: str) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def error(self, status: int, code: str, **headers: str) -> None:
        self.answer(status, f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>", **headers)

    def s3_error(self, status: int, code: str, **headers: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code></Error>", **headers)

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > 65536:
            return self.part(length)
        body = self.rfile.read(length).decode()
        path = self.path.partition("?")[0]
        found = re.fullmatch(r"/([^/]+)/([^/]+)(/.*)?", path)
        if not found:
            return self.answer(404)
        name, part, rest = found[1], found[2], found[3] or ""
        if part in ("metadata", "no-role", "weak"):
            return self.metadata(name, part, rest)
        if part == "container":
            if self.command != "GET" or self.headers.get("Authorization") != f"open {name}":
                return self.answer(401, '{"code":"AccessDenied","message":"no"}')
            session = STATE.session(name)
            del session["Code"], session["Type"]
            return self.answer(200, json.dumps(session))
        if part == "sts":
            return self.sts(name, rest, body)
        if part == "busy":
            if STATE.count(f"busy {name}") == 1:
                return self.s3_error(503, "SlowDown", Retry_After="1")
            return self.answer(200, LIST)
        if part == "ended":
            return self.ended(name)
        if part == "parts":
            return self.object(name)
        return self.answer(404)

    def metadata(self, name: str, part: str, rest: str) -> None:
        if part == "weak" and STATE.count(f"weak {name}") <= 2:
            return self.answer(503)
        if rest == "/latest/api/token":
            seconds = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds") or ""
            if self.command != "PUT":
                return self.answer(405)
            if not seconds.isdigit() or not 1 <= int(seconds) <= 21600 or "X-Forwarded-For" in self.headers:
                return self.answer(400)
            token = secrets.token_urlsafe(40)
            STATE.tokens.add(token)
            return self.answer(200, token)
        if self.command != "GET" or self.headers.get("X-aws-ec2-metadata-token") not in STATE.tokens:
            return self.answer(401)
        roles = "/latest/meta-data/iam/security-credentials/"
        if rest == roles and part != "no-role":
            return self.answer(200, f"role-of-{name}")
        if rest == f"{roles}role-of-{name}":
            return self.answer(200, json.dumps(STATE.session(name)))
        return self.answer(404)

    def sts(self, name: str, rest: str, body: str) -> None:
        fields = dict(urllib.parse.parse_qsl(body))
        if self.command != "POST" or rest != "/" or self.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            return self.error(400, "MalformedInput")
        if fields.get("Action") != "AssumeRoleWithWebIdentity" or fields.get("Version") != "2011-06-15":
            return self.error(400, "InvalidAction")
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", fields.get("RoleSessionName", "")):
            return self.error(400, "ValidationError")
        if fields.get("WebIdentityToken") != f"token of {name}":
            return self.error(400, "InvalidIdentityToken")
        if fields.get("RoleArn") != f"arn:aws:iam::1:role/{name}":
            return self.error(403, "AccessDenied")
        return self.answer(200, STS.format(**STATE.session(name)))

    def ended(self, name: str) -> None:
        found = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        number = found[1].rpartition("-")[2] if found else ""
        if self.headers.get("X-Amz-Security-Token") != f"session {number} of {name}":
            return self.s3_error(403, "InvalidToken")
        if number == "1" and STATE.count(f"ended {name}") > 1:
            return self.s3_error(400, "ExpiredToken")
        return self.answer(200, LIST)

    def object(self, name: str) -> None:
        if self.command == "HEAD":
            self.send_response(200)
            self.send_header("Content-Length", str(STATE.sizes[name]))
            return self.end_headers()
        if "uploads=" in self.path:
            started = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
            return self.answer(200, started)
        return self.answer(200, "<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>")

    def part(self, length: int) -> None:
        name = self.path.split("/")[1]
        seen = STATE.count(f"parts {name}")
        with STATE.lock:
            alone = name not in STATE.busy
            STATE.busy.add(name)
        left = length
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 18)))
        if seen > 3:
            time.sleep(0.05)  # so that one beside it would be seen
        with STATE.lock:
            if alone:
                STATE.busy.discard(name)
        if seen <= 3:
            return self.s3_error(503, "SlowDown", Retry_After="0")
        if not alone:
            return self.s3_error(403, "AccessDenied")
        with STATE.lock:
            STATE.sizes[name] += length
        return self.answer(200, ETag='"1"')

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def log_message(self, *_arguments: object) -> None:
        pass


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"port={server.server_address[1]}", flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
