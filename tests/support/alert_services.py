"""The services that alerts go to, on loopback: HTTP (plain and TLS) and SMTP (TLS at once, and STARTTLS). They do what the
file `behaviour` says at each connection, wrong things above all, and keep what they have taken. For HTTP requests to /hook
a file `behaviour_hook` says more than that one.

    alert_services.py DIRECTORY

listens on ports of the system's choice and prints one line: http=PORT https=PORT smtps=PORT smtp=PORT closed=PORT (nobody
listens there), and other_https=PORT other_smtps=PORT other_smtp=PORT, which are at 127.0.0.2. In DIRECTORY it makes an authority (authority.pem) and with it a certificate for "localhost" and 127.0.0.1, and a
file in `taken` for each message, in their order: 0001, 0002 … Ends with its standard input, or by a signal.

                    HTTP                                    SMTP
ok                  204                                     takes the mail
held                takes it, answers once told otherwise   -
throttled           429, Retry-After: 7                     450 to MAIL
away                429, Retry-After: 7200                  -
discord             429 as Discord has it, 3.2 s            -
failing             503                                     421 to MAIL
refusing            403, and repeats the request            550 to each RCPT
rejecting           400                                     554 to the whole message
small               413 for more than 20 KiB                552 for more than 20 KiB
limited             -                                       the same, to the size that MAIL tells
redirect            307 to another host                     -
close               closed without an answer                closed without a greeting
reset               reset with the answer                   reset after DATA
silent              no answer                               no greeting
trickle             a byte of a header every 50 ms          a byte of the greeting every 50 ms
flood               503 whose body does not end             a greeting that does not end
oversized           200 whose body does not end             takes the mail, then talks without end
cut                 200, closed before its body             -
withheld            200 whose body does not come            -
garbage             no HTTP                                 no SMTP
no-auth             -                                       offers no AUTH that anybody knows
bad-password        -                                       535, and repeats what it was told
busy-auth           -                                       454 to AUTH
no-starttls         -                                       does not offer STARTTLS
one-unknown         -                                       550 to the first RCPT
greylisting         -                                       450 to each RCPT of ops@, 550 to each of gone@
late                -                                       does not answer the whole message
no-bye              -                                       does not answer QUIT
hang-up             -                                       closes right after it has taken the mail
"""

from __future__ import annotations

import itertools
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.certificate import make_certificate


class Ended(Exception):
    """The connection is over."""


class Services:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "taken").mkdir()
        make_certificate(directory, "alerts.test")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(directory / "tls.pem")
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()

    def behaviour(self, path: str = "") -> str:
        own = self.directory / ("behaviour" + path.replace("/", "_"))
        file = own if own.exists() else self.directory / "behaviour"
        return file.read_text(encoding="ascii").strip()

    def take(self, message: bytes) -> None:
        with self.lock:
            path = self.directory / "taken" / f"{next(self.numbers):04}"
        path.with_suffix(".new").write_bytes(message)
        path.with_suffix(".new").rename(path)

    def serve(self, kind: type[Connection], tls: bool, address: str = "127.0.0.1") -> int:
        listener = socket.create_server((address, 0))
        threading.Thread(target=self._accept, args=(listener, kind, tls), daemon=True).start()
        return listener.getsockname()[1]

    def _accept(self, listener: socket.socket, kind: type[Connection], tls: bool) -> None:
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=self._handle, args=(peer, kind, tls), daemon=True).start()

    def _handle(self, peer: socket.socket, kind: type[Connection], tls: bool) -> None:
        connection = kind(self, peer)
        try:
            if tls:
                connection.start_tls()
            connection.talk()
        except (Ended, OSError):
            pass
        finally:
            connection.peer.close()


class Connection:
    def __init__(self, services: Services, peer: socket.socket) -> None:
        self.services = services
        self.peer = peer
        self.raw = peer
        self.buffer = b""

    def talk(self) -> None:
        raise NotImplementedError

    def start_tls(self) -> None:
        self.peer = self.services.context.wrap_socket(self.peer, server_side=True)

    def more(self) -> None:
        data = self.peer.recv(1 << 16)
        if not data:
            raise Ended
        self.buffer += data

    def until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            self.more()
        data, _, self.buffer = self.buffer.partition(mark)
        return data

    def wait_for_end(self) -> None:
        while True:
            self.more()

    def reset(self) -> None:
        # On the descriptor itself: a TLS socket would take its leave first.
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Ended

    def trickle(self, data: bytes) -> None:
        for byte in itertools.cycle(data):
            self.peer.sendall(bytes([byte]))
            time.sleep(0.05)

    def flood(self, data: bytes) -> None:
        while True:
            self.peer.sendall(data)


class Http(Connection):
    def talk(self) -> None:
        while True:
            head = self.until(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
            length = int(headers.get("content-length", "0"))
            while len(self.buffer) < length:
                self.more()
            body, self.buffer = self.buffer[:length], self.buffer[length:]
            self.request = head + b"\r\n\r\n" + body
            self.path = lines[0].split(" ")[1]
            getattr(self, "do_" + self.services.behaviour(self.path))()

    def answer(self, status: str, headers: str = "", body: bytes = b"") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.peer.sendall(head.encode() + body)

    def do_ok(self) -> None:
        self.services.take(self.request)
        self.answer("200 OK", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset-After: 1.5\r\n", b"ok")

    def do_held(self) -> None:
        self.services.take(self.request)
        while self.services.behaviour(self.path) == "held":
            time.sleep(0.02)
        self.answer("200 OK")

    def do_throttled(self) -> None:
        self.answer("429 Too Many Requests", "Retry-After: 7\r\n")

    def do_away(self) -> None:
        self.answer("429 Too Many Requests", "Retry-After: 7200\r\n")

    def do_discord(self) -> None:
        body = b'{"message": "You are being rate limited.", "retry_after": 3.2, "global": false}'
        self.answer("429 Too Many Requests", "Retry-After: 3\r\nX-RateLimit-Reset-After: 3.1\r\n", body)

    def do_failing(self) -> None:
        self.answer("503 Service Unavailable")

    def do_refusing(self) -> None:
        self.answer("403 Forbidden", "X-Echo: " + self.request.split(b" ")[1].decode() + "\r\n", self.request)

    def do_rejecting(self) -> None:
        self.answer("400 Bad Request", body=self.request)

    def do_small(self) -> None:
        if len(self.request) > 20 << 10:
            self.answer("413 Content Too Large")
        else:
            self.do_ok()

    def do_redirect(self) -> None:
        self.answer("307 Temporary Redirect", "Location: http://elsewhere.invalid/\r\n")

    def do_close(self) -> None:
        raise Ended

    def do_reset(self) -> None:
        self.peer.sendall(b"HTTP/1.1 2")
        self.reset()

    def do_silent(self) -> None:
        self.wait_for_end()

    def do_trickle(self) -> None:
        self.peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.trickle(b"x")

    def do_flood(self) -> None:
        self.peer.sendall(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n")
        self.flood(b"x" * 4096)

    def do_oversized(self) -> None:
        self.services.take(self.request)
        self.peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        self.flood(b"x" * 4096)

    def do_cut(self) -> None:
        self.do_withheld_head()
        raise Ended

    def do_withheld(self) -> None:
        self.do_withheld_head()
        self.wait_for_end()

    def do_withheld_head(self) -> None:
        self.services.take(self.request)
        self.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")

    def do_garbage(self) -> None:
        self.peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        raise Ended


class Smtps(Connection):
    secure = True

    def talk(self) -> None:
        self.how = self.services.behaviour()
        self.greet()
        self.recipients: list[str] = []
        self.asked = 0
        while True:
            line = self.until(b"\r\n").decode("latin-1")
            verb = line.split(" ")[0].upper()
            getattr(self, "do_" + verb.lower())(line)

    def say(self, line: str) -> None:
        self.peer.sendall(line.encode() + b"\r\n")

    def greet(self) -> None:
        if self.how == "close":
            raise Ended
        if self.how == "silent":
            self.wait_for_end()
        if self.how == "trickle":
            self.trickle(b"2")
        if self.how == "flood":
            self.flood(b"220-more\r\n" * 100)
        if self.how == "garbage":
            self.say("SSH-2.0-OpenSSH_9.2")
            raise Ended
        self.say("220 alerts.test ESMTP")

    def do_ehlo(self, _line: str) -> None:
        offers = ["alerts.test", "SIZE 10000000", "8BITMIME"]
        if not self.secure and self.how != "no-starttls":
            offers.append("STARTTLS")
        if self.secure:
            offers.append("AUTH X-OTHER" if self.how == "no-auth" else "AUTH PLAIN LOGIN")
        for offer in offers[:-1]:
            self.say("250-" + offer)
        self.say("250 " + offers[-1])

    def do_starttls(self, _line: str) -> None:
        self.say("220 go ahead")
        self.start_tls()
        self.secure = True

    def do_auth(self, line: str) -> None:
        assert self.secure, "a password in the clear"
        if line == "AUTH PLAIN":
            self.say("334 ")
            line += " " + self.until(b"\r\n").decode()
        if self.how == "bad-password":
            self.say(f"535 5.7.8 no: {line} (hidden-word)")
        elif self.how == "busy-auth":
            self.say("454 4.7.0 temporary authentication failure (hidden-word)")
        else:
            self.authenticated = line
            self.say("235 welcome")

    def do_mail(self, line: str) -> None:
        assert self.secure, "a mail in the clear"
        self.sender = line
        if self.how == "throttled":
            self.say("450 4.7.1 later")
        elif self.how == "failing":
            self.say("421 4.3.0 closing")
            raise Ended
        elif self.how == "limited" and int(line.rpartition("SIZE=")[2].split(" ")[0]) > 20 << 10:
            self.say("552 5.3.4 Message size exceeds fixed limit")
        else:
            self.say("250 ok")

    def do_rcpt(self, line: str) -> None:
        self.asked += 1
        is_gone = self.how == "greylisting" and "<gone@" in line
        if self.how == "refusing" or is_gone or (self.how == "one-unknown" and self.asked == 1):
            self.say("550 5.1.1 no such user")
        elif self.how == "greylisting" and "<ops@" in line:
            self.say("450 4.2.0 greylisted, come again")
        else:
            self.recipients.append(line)
            self.say("250 ok")

    def do_data(self, _line: str) -> None:
        if not self.recipients:
            self.say("503 5.5.1 no recipients")
            return
        self.say("354 go ahead")
        message = self.until(b"\r\n.\r\n") + b"\r\n"
        if self.how == "reset":
            self.reset()
        if self.how == "rejecting":
            self.say("554 5.7.1 looks like spam")
            return
        if self.how == "small" and len(message) > 20 << 10:
            self.say("552 5.3.4 too much")
            return
        envelope = "\r\n".join([self.sender, *self.recipients]).encode() + b"\r\n\r\n"
        if self.how == "late":
            self.wait_for_end()
        self.services.take(envelope + message.replace(b"\r\n..", b"\r\n."))
        if self.how == "oversized":
            self.say("250 ok")
            self.flood(b"250-more\r\n" * 100)
        self.say("250 2.0.0 taken")
        if self.how == "hang-up":
            self.reset()

    def do_quit(self, _line: str) -> None:
        if self.how == "no-bye":
            self.wait_for_end()
        self.say("221 bye")
        raise Ended


class Smtp(Smtps):
    secure = False


def main() -> None:
    services = Services(Path(sys.argv[1]))
    ports = {
        "http": services.serve(Http, tls=False),
        "https": services.serve(Http, tls=True),
        "smtps": services.serve(Smtps, tls=True),
        "smtp": services.serve(Smtp, tls=False),
    }
    for name, kind in (("https", Http), ("smtps", Smtps), ("smtp", Smtp)):
        ports[f"other_{name}"] = services.serve(kind, tls=name != "smtp", address="127.0.0.2")
    # Bound, so that nobody else gets it, and never listened on.
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    ports["closed"] = closed.getsockname()[1]
    print(" ".join(f"{name}={port}" for name, port in ports.items()), flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
