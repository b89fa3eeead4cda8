"""A certificate of an authority of the test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(directory: Path, host: str) -> None:
    """authority.pem, and tls.pem (key and certificate) for localhost, 127.0.0.1, ::1, `host` and the names below it."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj")
    openssl("req", "-x509", *curve, "/CN=Test authority", "-keyout", "authority.key", "-out", "authority.pem", "-days", "2")
    openssl("req", *curve, "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    names = f"subjectAltName=DNS:localhost,DNS:{host},DNS:*.{host},IP:127.0.0.1,IP:0:0:0:0:0:0:0:1\n"
    (directory / "names").write_text(names, encoding="ascii")
    openssl(*"x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2".split(),
            *"-extfile names -out server.pem".split())  # fmt: skip
    parts = [(directory / name).read_text(encoding="ascii") for name in ("server.key", "server.pem")]
    (directory / "tls.pem").write_text("".join(parts), encoding="ascii")
