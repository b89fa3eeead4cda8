"""A proxy before an S3 service that does harm to chosen calls.

    proxy = S3Proxy("http://127.0.0.1:8000").start()
    test.addCleanup(proxy.close)
    proxy.plan = Once(5, Fault.CUT)       # the fifth call from now on; None: no harm
    … "endpoint": proxy.url …

Calls are counted as they come, over all connections. What a signature covers passes unchanged.
"""

from __future__ import annotations

import enum
import itertools
import re
import socket
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from support.process import PATIENCE

PIECE = 1 << 16
ERROR = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>so the test wants it</Message></Error>"
# What a sweep goes by. The answer keeps its length.
DATES = re.compile(rb"<(?P<name>Initiated|LastModified)>(?P<date>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)")


def aged(found: re.Match[bytes], before: bytes) -> bytes:
    """The same date, but decades ago where it is of before that time."""
    if found["date"] >= before:
        return found.group()
    return b"<" + found["name"] + b">2001" + found["date"][4:]



def a_second_later() -> bytes:
    """The next full second, once it has come: what is there by now is of before it."""
    border = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=1)
    while datetime.now(timezone.utc) < border:
        time.sleep(0.01)
    return border.strftime("%Y-%m-%dT%H:%M:%S").encode()


class Fault(enum.Enum):
    """What happens to a call."""

    REFUSE = "refused"  # reset at once; the service hears nothing
    RESET = "reset after some bytes"  # in the middle of its body; the service sees half of it
    STALL = "stalled"  # nothing goes on until heal() or close()
    ERROR = "an error inside the server"  # 500, without asking the service
    LOST = "answer lost"  # the service does it, and nobody hears of that
    CUT = "answer cut off"  # the same, but for half of the answer; then the connection is closed
    SLOW = "slow"  # at 4 MiB/s, and the answer in pieces
    CHANGED = "changed on its way"  # one bit of its body


@dataclass(frozen=True)
class Reply:
    """What the proxy answers by itself: the service hears nothing of the call."""

    status: str  # "301 Moved Permanently"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    when: threading.Event | None = None  # not before that


@dataclass(frozen=True)
class Call:
    number: int  # from 1, since the plan was set
    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)  # names in lower case

    @property
    def region(self) -> str:
        """That it is signed for."""
        found = re.search(r"Credential=[^,]*/(?P<region>[^/,]+)/s3/aws4_request", self.headers.get("authorization", ""))
        return found["region"] if found else ""

    @property
    def kind(self) -> str:
        """As an administrator of S3 calls it."""
        names = set(urllib.parse.parse_qs(self.query, keep_blank_values=True))
        if "partNumber" in names:
            return "UploadPart"
        if "uploads" in names:
            return "CreateMultipartUpload" if self.method == "POST" else "ListMultipartUploads"
        if "uploadId" in names:
            return {"POST": "CompleteMultipartUpload", "GET": "ListParts"}.get(self.method, "AbortMultipartUpload")
        if "list-type" in names:
            return "ListObjectsV2"
        name = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
        return name.get(self.method, "DeleteObjects")

    def __str__(self) -> str:
        return f"call {self.number}, {self.kind} of {self.path.rsplit('/', 1)[-1] or 'the bucket'}"


Plan = Callable[[Call], "Fault | Reply | None"]


@dataclass(frozen=True)
class Once:
    number: int
    fault: Fault

    def __call__(self, call: Call) -> Fault | None:
        return self.fault if call.number == self.number else None


@dataclass(frozen=True)
class From:
    number: int
    fault: Fault

    def __call__(self, call: Call) -> Fault | None:
        return self.fault if call.number >= self.number else None


@dataclass(frozen=True)
class Every:
    step: int
    fault: Fault

    def __call__(self, call: Call) -> Fault | None:
        return self.fault if call.number % self.step == 0 else None


class Broken(Exception):
    """The connection is to be reset."""


class Throttle:
    """Lets so many bytes per second through, for all who share it; 0: any number."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, count: int) -> None:
        if not self.rate:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / self.rate
            pause = self._free_at - now
        time.sleep(pause)


class S3Proxy:
    def __init__(self, upstream: str) -> None:
        where = urllib.parse.urlsplit(upstream)
        self._upstream = (where.hostname or "", where.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.calls: list[Call] = []
        self.struck: list[Call] = []  # those that harm was done to
        self._old_before = b""
        self.throttle = Throttle(0)  # of what is sent
        self.passed = 0  # bytes of bodies that went to the service
        self.amend: Callable[[Call], Mapping[str, str]] = lambda _call: {}  # headers that calls get besides
        self._plan: Plan | None = None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._healed = threading.Event()
        self._peers: set[socket.socket] = set()

    # --- life ---

    def start(self) -> S3Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def close(self) -> None:
        """Nobody listens any more; what was on its way is reset."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # or accept() would keep it open
        except OSError:
            pass
        self._listener.close()
        self.heal()
        with self._lock:
            peers = list(self._peers)
        for peer in peers:
            linger(peer)
            try:
                peer.shutdown(socket.SHUT_RDWR)  # wakes whoever reads there
            except OSError:
                pass

    # --- what it does ---

    @property
    def plan(self) -> Plan | None:
        return self._plan

    @plan.setter
    def plan(self, plan: Plan | None) -> None:
        with self._lock:
            self._plan = plan
            self._numbers = itertools.count(1)
            self.calls = []
            self.struck = []
            self._healed.clear()

    def age(self, before: bytes) -> None:
        """What was there before that time (see a_second_later()) looks decades old in lists from now on."""
        self._old_before = before

    def heal(self) -> None:
        """No more harm; what is stalled is reset."""
        self._plan = None
        self._healed.set()

    # --- connections ---

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with self._lock:
            self._peers.add(peer)
        try:
            self._one_call(peer)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(PIECE):  # closed at once, the end of the answer could be lost
                pass
        except Broken:
            linger(peer)
        except OSError:
            pass
        finally:
            with self._lock:
                self._peers.discard(peer)
            peer.close()

    def _one_call(self, peer: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = peer.recv(PIECE)
            if not data:
                return  # a connection that was kept for later, or a probe
            head += data
        head, _, body = head.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        path, _, query = target.partition("?")
        headers = [tuple(line.split(": ", 1)) for line in lines[1:]]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        with self._lock:
            call = Call(next(self._numbers), method, path, query, {name.lower(): value for name, value in headers})
            self.calls.append(call)
            fault = self._plan(call) if self._plan else None
            if fault:
                self.struck.append(call)
        if fault is Fault.REFUSE:
            raise Broken
        if fault is Fault.STALL:
            self._healed.wait()
            raise Broken
        if any(name.lower() == "expect" for name, _ in headers):
            peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if fault is Fault.ERROR:
            fault = Reply("500 Internal Server Error", ERROR)
        if isinstance(fault, Reply):
            receive(peer, length - len(body))
            if fault.when and not fault.when.wait(PATIENCE):
                raise Broken
            send_answer(peer, fault, method)
            return
        headers += self.amend(call).items()
        kept = [f"{name}: {value}" for name, value in headers if name.lower() not in ("expect", "connection")]
        request = "\r\n".join([lines[0], *kept, "Connection: close", "", ""]).encode("latin-1")
        answer = self._pass_on(peer, request, body, length, fault)
        before = self._old_before
        if before and call.kind in ("ListMultipartUploads", "ListParts", "ListObjectsV2"):
            answer = DATES.sub(lambda found: aged(found, before), answer)
        self._give(peer, answer, fault)

    def _pass_on(self, peer: socket.socket, request: bytes, body: bytes, length: int, fault: Fault | None) -> bytes:
        """The request to the service, and its whole answer."""
        throttle = Throttle(4 << 20) if fault is Fault.SLOW else self.throttle
        with socket.create_connection(self._upstream, timeout=600) as service:
            try:
                service.sendall(request)
                if fault is Fault.RESET and length == 0:
                    raise Broken
                sent = 0
                while sent < length:
                    piece = body or peer.recv(min(PIECE, length - sent))
                    body = b""
                    if not piece:
                        raise Broken
                    if fault is Fault.RESET and sent + len(piece) >= (length + 1) // 2:
                        service.sendall(piece[: (length + 1) // 2 - sent])
                        linger(service)
                        raise Broken
                    throttle.take(len(piece))
                    if fault is Fault.CHANGED and sent == 0:
                        piece = bytes([piece[0] ^ 1]) + piece[1:]
                    service.sendall(piece)
                    sent += len(piece)
                    with self._lock:
                        self.passed += len(piece)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has answered already
            pieces = []
            while piece := service.recv(PIECE):
                pieces.append(piece)
        return b"".join(pieces)

    def _give(self, peer: socket.socket, answer: bytes, fault: Fault | None) -> None:
        if not answer or fault is Fault.LOST:
            raise Broken
        if fault is Fault.CUT:
            answer = answer[: len(answer) // 2]
        if fault is Fault.SLOW:
            for at in range(0, len(answer), max(len(answer) // 8, 1)):
                peer.sendall(answer[at : at + max(len(answer) // 8, 1)])
                time.sleep(0.01)
            return
        peer.sendall(answer)


def receive(peer: socket.socket, count: int) -> None:
    while count > 0:
        piece = peer.recv(min(PIECE, count))
        if not piece:
            raise Broken
        count -= len(piece)


def send_answer(peer: socket.socket, reply: Reply, method: str) -> None:
    lines = [f"HTTP/1.1 {reply.status}", "Content-Type: application/xml", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    head = "\r\n".join([*lines, f"Content-Length: {len(reply.body)}", "", ""])
    peer.sendall(head.encode("latin-1") + (b"" if method == "HEAD" else reply.body))


def linger(peer: socket.socket) -> None:
    """What closes it, resets it."""
    try:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass  # closed already
