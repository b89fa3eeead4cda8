"""An HTTP server that does what it is told to by the path, wrong things above all.

    http_faults.py DIRECTORY

listens on ports of the system's choice and prints one line: plain=PORT ipv6=PORT|0 tls=PORT. In DIRECTORY it makes an
authority (ca.pem) and with it a certificate for "localhost" only. Ends with its standard input, or by a signal.

/echo                the request's body
/digest              "LENGTH SHA256" of the request's body
/request             the request line and headers, as they came
/bytes/N             N bytes, byte i being i mod 251
/status/N            that status, with the body "status N"
/connection          a number that is the connection's own
/redirect            301 to another host
/header/N            a header of N bytes
/cut-head            half of an answer's headers, then the connection is closed
/cut/N/OF            N bytes of a body announced as OF, then the connection is closed
/reset/N/OF          the same, then the connection is reset
/reset-upload/N      N bytes of the request's body are read, then the connection is reset
/silent              no answer
/close               the connection is closed without an answer
/deaf                the request's body is not read, and there is no answer
/trickle/N/MS        N bytes, one every MS milliseconds
/refuse              403 before the request's body is read, then closed
/leave               an answer that promises to keep the connection, which is then closed
/garbage             an answer that is not HTTP
"""

from __future__ import annotations

import hashlib
import itertools
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

PATTERN = bytes(range(251))
REASONS = {200: "OK", 301: "Moved Permanently", 403: "Forbidden", 404: "Not Found", 503: "Slow Down"}


def pattern(length: int) -> bytes:
    return (PATTERN * (length // len(PATTERN) + 1))[:length]


class Ended(Exception):
    """The connection is over."""


class Connection:
    numbers = itertools.count(1)

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.number = next(Connection.numbers)
        self.buffer = b""

    def serve(self) -> None:
        try:
            while True:
                self.one_request()
        except (Ended, OSError):
            pass
        finally:
            self.peer.close()

    def more(self) -> bytes:
        data = self.peer.recv(1 << 18)
        if not data:
            raise Ended
        return data

    def one_request(self) -> None:
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.more()
            if self.buffer.startswith(b"\x16"):
                raise Ended  # a TLS handshake
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.method, path, _ = lines[0].split(" ")
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        self.length = int(self.headers.get("content-length", "0"))
        self.head = head
        name, *arguments = path.split("?")[0].strip("/").split("/")
        numbers = [int(argument) for argument in arguments if argument.isdigit()]
        getattr(self, "do_" + name.replace("-", "_"))(*numbers)

    def body(self, at_most: int | None = None) -> bytes:
        if self.headers.get("expect", "").lower() == "100-continue":
            self.peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        wanted = self.length if at_most is None else at_most
        pieces, have = [self.buffer], len(self.buffer)
        while have < wanted:
            pieces.append(self.more())
            have += len(pieces[-1])
        data = b"".join(pieces)
        data, self.buffer = data[:wanted], data[wanted:]
        return data

    def answer(self, body: bytes = b"", status: int = 200, headers: str = "", length: int | None = None) -> None:
        size = len(body) if length is None else length
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\nContent-Length: {size}\r\n{headers}\r\n"
        self.peer.sendall(head.encode() + (b"" if self.method == "HEAD" else body))

    def reset(self) -> None:
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Ended

    def do_echo(self) -> None:
        self.answer(self.body())

    def do_digest(self) -> None:
        data = self.body()
        self.answer(f"{len(data)} {hashlib.sha256(data).hexdigest()}".encode())

    def do_request(self) -> None:
        self.body()
        self.answer(self.head)

    def do_bytes(self, count: int) -> None:
        self.answer(pattern(count))

    def do_status(self, status: int) -> None:
        self.body()
        self.answer(f"status {status}".encode(), status)

    def do_connection(self) -> None:
        self.body()
        self.answer(str(self.number).encode())

    def do_redirect(self) -> None:
        self.body()
        self.answer(b"", 301, "Location: http://elsewhere.invalid/\r\nX-Amz-Bucket-Region: eu-west-1\r\n")

    def do_header(self, count: int) -> None:
        self.answer(b"", 200, "X-Large: " + "x" * count + "\r\n")

    def do_cut(self, count: int, of: int) -> None:
        self.answer(pattern(count), length=of)
        raise Ended

    def do_cut_head(self) -> None:
        self.body()
        self.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETa")
        raise Ended

    def do_reset(self, count: int, of: int) -> None:
        self.answer(pattern(count), length=of)
        time.sleep(0.05)  # what was sent should arrive before the reset overtakes it
        self.reset()

    def do_reset_upload(self, count: int) -> None:
        self.body(count)
        self.reset()

    def do_silent(self) -> None:
        self.body()
        while True:
            self.more()

    def do_close(self) -> None:
        self.body()
        raise Ended

    def do_deaf(self) -> None:
        time.sleep(600)

    def do_trickle(self, count: int, pause_ms: int) -> None:
        self.answer(length=count)
        for _ in range(count):
            time.sleep(pause_ms / 1000)
            self.peer.sendall(b".")

    def do_refuse(self) -> None:
        self.answer(b"<Error><Code>AccessDenied</Code></Error>", 403, "Connection: close\r\n")
        self.peer.shutdown(socket.SHUT_WR)
        while True:  # a reset would overtake the answer
            self.more()

    def do_leave(self) -> None:
        self.body()
        self.answer(b"good-bye")
        raise Ended

    def do_garbage(self) -> None:
        self.peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        raise Ended


def make_certificates(directory: Path) -> ssl.SSLContext:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj")
    openssl("req", "-x509", *curve, "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2")
    openssl("req", *curve, "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    (directory / "names").write_text("subjectAltName=DNS:localhost\n", encoding="ascii")
    openssl(*"x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2".split(),
            *"-extfile names -out server.pem".split())  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem", directory / "server.key")
    return context


def serve(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    def handle(peer: socket.socket) -> None:
        if context:
            try:
                peer = context.wrap_socket(peer, server_side=True)
            except OSError:
                return
        Connection(peer).serve()

    while True:
        peer, _ = listener.accept()
        threading.Thread(target=handle, args=(peer,), daemon=True).start()


def main() -> None:
    context = make_certificates(Path(sys.argv[1]))
    plain = socket.create_server(("127.0.0.1", 0))
    secure = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(plain, None), daemon=True).start()
    threading.Thread(target=serve, args=(secure, context), daemon=True).start()
    ipv6 = 0
    try:
        other = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pass  # a machine without IPv6: those who need it skip
    else:
        ipv6 = other.getsockname()[1]
        threading.Thread(target=serve, args=(other, None), daemon=True).start()
    print(f"plain={plain.getsockname()[1]} ipv6={ipv6} tls={secure.getsockname()[1]}", flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
