#!/usr/bin/python3
"""A TDengine server's stand-in: what the stand-ins of its programs (taosdump, taos, beside this file) connect to.

It is no TDengine: it knows users, databases, super tables with child tables, plain tables and their rows, and speaks a
protocol of its own, one JSON object per line. Real is what the programs do with it, and what they do when it refuses,
stalls or dies. A real server is in no package of Debian.

    tdengine_server.py [DIRECTORY]   listens on a free port of 127.0.0.1, says "port=4711", and ends with its input

It begins with what DIRECTORY/state.json holds, if that is there: {"users": {}, "databases": {}, "faults": {}}. Tests change it and let
it misbehave by the operation "control" (support/tdengine.py).
"""

from __future__ import annotations

import json
import os
import socketserver
import sys
import threading
from pathlib import Path
from typing import Any

VERSION = "3.3.6.3"
# source/util/src/terror.c of TDengine
AUTHENTICATION = ("0x80000357", "Authentication failure")
NO_CONNECTION = ("0x8000000b", "Unable to establish connection")
NO_DATABASE = ("0x80000388", "Database not exist")
NO_TABLE = ("0x80002603", "Table does not exist")

# A table's rows: pairs of a time in milliseconds and a value.
Rows = list[list[int]]


class State:
    def __init__(self, state: dict[str, Any]) -> None:
        self.users: dict[str, str] = state.get("users", {"root": "taosdata"})
        self.databases: dict[str, dict[str, Any]] = state.get("databases", {})
        self.faults: dict[str, Any] = state.get("faults", {})
        self.stalled = 0
        self.questions: list[str] = []
        self.change = threading.Condition()

    def table(self, database: str, name: str) -> Rows | None:
        found = self.databases[database]
        for children in found["stables"].values():
            if name in children:
                return children[name]
        return found["tables"].get(name)


class Refusal(Exception):
    def __init__(self, code: tuple[str, str]) -> None:
        super().__init__(code[1])
        self.code = code


class Conversation(socketserver.StreamRequestHandler):
    server: Server
    timeout = None

    def handle(self) -> None:
        for line in self.rfile:
            try:
                answer = self.answer(json.loads(line))
            except Refusal as refusal:
                answer = {"code": refusal.code[0], "reason": refusal.code[1]}
            if answer is None:
                return  # without a word: the connection breaks
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    def answer(self, question: dict[str, Any]) -> dict[str, Any] | None:
        state = self.server.state
        name = question["op"]
        with state.change:
            state.questions.append(name)
            if name != "control" and state.faults.get("dead"):
                return None
        answer: dict[str, Any] | None = getattr(self, "on_" + name)(state, question)
        return answer

    # --- what the programs ask ---

    def on_connect(self, state: State, question: dict[str, Any]) -> dict[str, Any]:
        with state.change:
            if state.faults.get("flaky_connects", 0) > 0:
                state.faults["flaky_connects"] -= 1
                raise Refusal(NO_CONNECTION)
        if state.users.get(question["user"]) != question["password"]:
            raise Refusal(AUTHENTICATION)
        return {"version": VERSION, "no_subdirectory": state.faults.get("no_subdirectory", False)}

    def on_databases(self, state: State, _question: dict[str, Any]) -> dict[str, Any]:
        return {"databases": ["information_schema", "performance_schema", *sorted(state.databases)]}

    def on_schema(self, state: State, question: dict[str, Any]) -> dict[str, Any]:
        if question["database"] not in state.databases:
            raise Refusal(NO_DATABASE)
        found = state.databases[question["database"]]
        stables = {name: sorted(children) for name, children in found["stables"].items()}
        return {"stables": stables, "tables": sorted(found["tables"])}

    def on_rows(self, state: State, question: dict[str, Any]) -> dict[str, Any] | None:
        with state.change:
            if state.faults.get("stall"):
                state.stalled += 1
                state.change.notify_all()
                state.change.wait_for(lambda: not state.faults.get("stall"))
            if "die_after" in state.faults:
                if state.faults["die_after"] == 0:
                    state.faults["dead"] = True
                    return None
                state.faults["die_after"] -= 1
        if question["table"] in state.faults.get("unreadable", []):
            raise Refusal(NO_TABLE)
        rows = state.table(question["database"], question["table"])
        if rows is None:
            raise Refusal(NO_TABLE)
        return {"rows": rows}

    def on_create(self, state: State, question: dict[str, Any]) -> dict[str, Any]:
        with state.change:
            found = state.databases.setdefault(question["database"], {"stables": {}, "tables": {}})
            if "stable" in question:
                children = found["stables"].setdefault(question["stable"], {})
                if "table" in question:
                    children.setdefault(question["table"], [])
            elif "table" in question:
                found["tables"].setdefault(question["table"], [])
        return {}

    def on_insert(self, state: State, question: dict[str, Any]) -> dict[str, Any]:
        with state.change:
            if question["database"] not in state.databases:
                raise Refusal(NO_DATABASE)
            rows = state.table(question["database"], question["table"])
            if rows is None:
                raise Refusal(NO_TABLE)
            known = {tuple(row) for row in rows}
            rows += [row for row in question["rows"] if tuple(row) not in known]
        return {}

    # --- what the tests ask ---

    def on_control(self, state: State, question: dict[str, Any]) -> dict[str, Any]:
        with state.change:
            if "users" in question:
                state.users = question["users"]
            if "faults" in question:
                state.faults = question["faults"]
            for name, found in question.get("databases", {}).items():
                state.databases[name] = found
            for name in question.get("drop", []):
                del state.databases[name]
            state.change.notify_all()
            if question.get("forget"):
                state.stalled = 0
                state.questions.clear()
            return {"databases": state.databases, "stalled": state.stalled, "questions": state.questions}


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, state: State) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.state = state


def main() -> int:
    path = Path(sys.argv[1]) / "state.json" if len(sys.argv) > 1 else None
    state = json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else {}
    with Server(State(state)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"port={server.server_address[1]}", flush=True)
        while os.read(0, 4096):
            pass
        os._exit(0)  # whatever a client still waits for


if __name__ == "__main__":
    sys.exit(main())
