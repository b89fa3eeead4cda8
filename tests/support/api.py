"""A client of the daemon's API, and the document docs/openapi.yaml as a judge of what it is answered."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

TOP = Path(os.environ.get("PGBAKD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
METHODS = ("get", "post", "put", "patch", "delete")


class Document:
    """docs/openapi.yaml."""

    def __init__(self, file: Path = TOP / "docs/openapi.yaml") -> None:
        self.content = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.paths: dict[str, Any] = self.content["paths"]

    def routes(self) -> set[tuple[str, str]]:
        return {(method.upper(), path) for path, item in self.paths.items() for method in item if method in METHODS}

    def schema(self, name: str) -> dict[str, Any]:
        return self._rooted({"$ref": f"#/components/schemas/{name}"})

    def _rooted(self, schema: dict[str, Any]) -> dict[str, Any]:
        # References look into the whole document.
        return {"components": self.content["components"], "allOf": [schema]}

    def _resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in value:
            found: Any = self.content
            for key in value["$ref"].removeprefix("#/").split("/"):
                found = found[key]
            value = found
        return value

    def path_of(self, target: str) -> str | None:
        """The path of the document that a request's target is of."""
        path = target.partition("?")[0]
        fitting = [known for known in self.paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path)]
        # /v1/backups/latest and not a name, should both fit.
        return min(fitting, key=lambda known: known.count("{"), default=None)

    def parameters(self, method: str, path: str, where: str) -> set[str]:
        item = self.paths[path]
        both = [*item.get("parameters", []), *item[method.lower()].get("parameters", [])]
        return {found["name"] for found in map(self._resolved, both) if found["in"] == where}

    def responses(self, method: str, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.paths[path][method.lower()]["responses"]
        return found

    def judge(self, method: str, target: str, status: int, content_type: str, body: bytes) -> None:
        """Raises AssertionError where an answer is not as the document says."""
        at = f"{method} {target}: {status}"
        path = self.path_of(target)
        known = path is not None and method.lower() in self.paths[path]
        if known:
            assert path is not None
            responses = self.responses(method, path)
            response = self._resolved(responses.get(str(status)) or responses["default"])
        else:  # no route: an error like any other
            response = self.content["components"]["responses"]["Error"]
        if known and str(status) not in responses and status < 400:
            raise AssertionError(f"{at}: the document does not have this status")
        kind = content_type.partition(";")[0]
        if kind not in response["content"]:
            raise AssertionError(f"{at}: {content_type}, the document has {list(response['content'])}")
        if kind == "application/json":
            self.validate(json.loads(body), response["content"][kind]["schema"], at)

    def validate(self, value: Any, schema: dict[str, Any] | str, what: str = "") -> None:
        whole = self.schema(schema) if isinstance(schema, str) else self._rooted(schema)
        checker = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
        problems = [f"{'/'.join(map(str, problem.absolute_path))}: {problem.message[:500]}" for problem in checker.iter_errors(value)]
        if problems:
            raise AssertionError(f"{what}\n" + "\n".join(problems))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]


class Api:
    """Asks a daemon over its control socket, or over TCP; every JSON answer must be as the document says."""

    def __init__(self, place: Path | tuple[str, int], token: str | None = None, document: Document | None = None) -> None:
        self.place = place
        self.token = token
        self.document = document or Document()

    def connect(self, timeout: float = 120) -> socket.socket:
        if isinstance(self.place, tuple):
            return socket.create_connection(self.place, timeout)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(str(self.place))
        return connection

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}

    @contextlib.contextmanager
    def open(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Iterator[http.client.HTTPResponse]:
        """The answer, before its body is read."""
        connection = http.client.HTTPConnection("pgbakd")
        connection.sock = self.connect()
        try:
            connection.request(method, target, body, {**self.headers(), **headers})
            yield connection.getresponse()
        finally:
            connection.close()

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Answer:
        with self.open(method, target, body, **headers) as found:
            answer = Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
        if method not in ("HEAD", "OPTIONS"):
            self.document.judge(method, target, answer.status, answer.headers["content-type"], answer.body)
        return answer

    def get(self, target: str) -> Answer:
        return self.ask("GET", target)

    def post(self, target: str, body: bytes | None = None) -> Answer:
        return self.ask("POST", target, body)

    def raw(self, text: bytes, *, timeout: float = 120) -> bytes:
        """All that comes back for these bytes, until the daemon ends the connection."""
        with self.connect(timeout) as connection:
            connection.sendall(text)
            found = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    found += piece
            return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
