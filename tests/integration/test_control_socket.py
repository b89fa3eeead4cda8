"""The control socket: wrong requests, many connections, the progress of a run."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import LifeCase
from support.daemon import Daemon

CTEST = {"timeout": 600}


class ControlSocket(LifeCase):
    def request(self, daemon: Daemon, text: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(120)
            connection.connect(str(daemon.control_socket))
            connection.sendall(text)
            found = b""
            while piece := connection.recv(65536):
                found += piece
            return found

    def test_wrong_requests_get_an_answer_that_says_why_and_harm_nothing(self) -> None:
        daemon = self.daemon()
        daemon.start()
        close = b"Host: x\r\nConnection: close\r\n\r\n"
        for text, status in [
            (b"GET /nowhere HTTP/1.1\r\n" + close, b"404"),
            (b"PUT /v1/status HTTP/1.1\r\n" + close, b"405"),
            (b"POST /v1/jobs/nobody/runs HTTP/1.1\r\n" + close, b"404"),
            (b"GET /v1/runs/..%2F..%2Fetc HTTP/1.1\r\n" + close, b"404"),
            (b"GET /v1/runs/nonsense HTTP/1.1\r\n" + close, b"400"),
            (b"GET /%zz HTTP/1.1\r\n" + close, b"400"),
            (b"GET /v1/status HTTP/1.1\r\nX: " + b"x" * 20000 + b"\r\n\r\n", b"431"),
            (b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70000, b"413"),
            (b"\x16\x03\x01 what is this\r\n\r\n", b"400"),
        ]:
            answer = self.request(daemon, text)
            self.assertIn(b"HTTP/1.1 " + status, answer[:20], (text[:60], answer[:300]))
            self.assertIn(b'"error"', answer)
        self.assertEqual(daemon.ctl("status").code, 0)

    def test_a_run_that_goes_on_tells_its_stages(self) -> None:
        daemon = self.daemon()
        daemon.start()
        run = self.start_stuck_run(daemon, self.hold_lock())
        answer = self.request(daemon, f"GET /v1/runs/{run} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        report = json.loads(answer.split(b"\r\n\r\n", 1)[1])
        stages = [(stage["name"], stage["status"]) for stage in report["stages"]]
        self.assertEqual(stages, [("preflight", "ok"), ("dump", "running")])
        self.assertEqual(report["status"], "RUNNING")
        daemon.ctl("cancel", run)

    def test_more_connections_than_allowed_do_not_hurt_those_that_are_there(self) -> None:
        daemon = self.daemon()
        daemon.start()
        held = []
        for _ in range(80):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(daemon.control_socket))
            held.append(connection)
        for connection in held:
            connection.close()
        daemon.wait_for(lambda: daemon.ctl("status", check=False).code == 0, what="an answer")
        self.assertTrue(daemon.running)

    def test_progress_is_streamed_until_the_run_has_ended(self) -> None:
        daemon = self.daemon()
        daemon.start()
        run = self.start_stuck_run(daemon, self.hold_lock())
        connection = http.client.HTTPConnection("x")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(daemon.control_socket))
        connection.request("GET", f"/v1/runs/{run}/events")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.readline(), b"event: progress\n")
        progress = json.loads(answer.readline().removeprefix(b"data: "))
        self.assertEqual((progress["run"], progress["stage"]), (run, "dump"))
        daemon.ctl("cancel", run)
        rest = answer.read()
        self.assertIn(b"event: finished\n", rest)
        self.assertIn(b'"CANCELLED"', rest)
        connection.close()


if __name__ == "__main__":
    unittest.main()
