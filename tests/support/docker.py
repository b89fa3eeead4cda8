"""A stand-in for docker, since no test may need a container runtime: the words that pgbakd says to it (`exec`, `inspect`) and
no others, checked to the letter, and the traps of the real one. What `exec` starts is no child of the program that was
called: it runs in a session of its own below a "daemon" that nobody kills, and when the caller dies all that happens to
it is that its standard input ends. That daemon also plays the first process of the container, which inherits orphans:
PostgreSQL in that place takes one that ended badly for a crash.

    docker = Docker(account)
    test.addCleanup(docker.close)
    docker.containers["erp"] = {"state": "running", "address": "127.0.0.1"}
    docker.save()
    Daemon(config, environment={"PATH": docker.path})

The words and exit codes are those of docker's command line, 20 to 28 (moby's daemon/ and docker/cli's command/).
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

PR_SET_CHILD_SUBREAPER = 36


class Docker:
    """`containers`: name → state, address (or networks, with one each), mode (of its network), path (PATH inside), environment, keeps_input (docker
    does not end the input of what it runs when the caller is gone)."""

    def __init__(self, account: Any) -> None:
        from support.process import scratch_directory

        self.directory = scratch_directory(account, "pgb-docker-")
        self.containers: dict[str, dict[str, Any]] = {}
        program = self.directory / "docker"
        program.write_text(f'#!/bin/sh\nexec /usr/bin/python3 -B {self.directory}/stand-in.py "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        shutil.copy(__file__, self.directory / "stand-in.py")  # the account may not read ours
        self.calls_file = self.directory / "calls"
        self.calls_file.touch()
        self.calls_file.chmod(0o666)
        self.directory.chmod(0o777)
        self.save()

    @property
    def path(self) -> str:
        return f"{self.directory}:/usr/bin:/bin"

    def save(self) -> None:
        (self.directory / "containers").write_text(json.dumps(self.containers), encoding="utf-8")

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self.calls_file.read_text(encoding="utf-8").splitlines()]

    def bad_orphans(self) -> list[str]:
        """What a container's first process would have had to think of as a crash."""
        path = self.directory / "orphans"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def refusals(self) -> list[str]:
        """What the stand-in was asked and docker would not have understood, or nobody should ask."""
        path = self.directory / "refused"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def close(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)


# --- the program ---

HERE = Path(__file__).resolve().parent


def fail(code: int, text: str) -> NoReturn:
    print(text, file=sys.stderr, flush=True)
    os._exit(code)


def refuse(text: str) -> NoReturn:
    with (HERE / "refused").open("a", encoding="utf-8") as file:
        file.write(text + "\n")
    fail(125, f"stand-in for docker: {text}")


def container(name: str, missing: str) -> dict[str, Any]:
    access = HERE / "socket-denied"
    if access.exists():
        fail(1, "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: "
                f'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/containers/{name}/json": '
                "dial unix /var/run/docker.sock: connect: permission denied")
    if (HERE / "daemon-down").exists():
        fail(1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
    found = json.loads((HERE / "containers").read_text(encoding="utf-8")).get(name)
    if found is None:
        fail(1, missing)
    return dict(found)


def inspect(words: list[str]) -> NoReturn:
    if len(words) != 3 or words[0] != "-f" or words[2].startswith("-"):
        refuse(f"inspect {words}")
    found = container(words[2], f"Error: No such object: {words[2]}")

    def each_network(match: re.Match[str]) -> str:
        networks = found.get("networks") or [found]
        texts = [match.group(1).replace("{{.IPAddress}}", network.get("address", "")) for network in networks]
        return "".join(text.replace("{{.GlobalIPv6Address}}", network.get("ipv6", "")) for text, network in zip(texts, networks))

    text = re.sub(r"\{\{range \.NetworkSettings\.Networks\}\}(.*?)\{\{end\}\}", each_network, words[1])
    text = text.replace("{{.State.Status}}", found.get("state", "running"))
    text = text.replace("{{.HostConfig.NetworkMode}}", found.get("mode", "bridge"))
    if "{{" in text:
        refuse(f"inspect -f {words[1]}")
    print(text, flush=True)
    os._exit(0)


def parse_exec(words: list[str]) -> tuple[str, list[str], dict[str, str]]:
    environment: dict[str, str] = {}
    interactive = False
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option == "-i" and not interactive:
            interactive = True
        elif option == "-e" and words:
            name = words.pop(0)
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                refuse(f"exec -e {name.split('=')[0]}=...: a value in a command line")
            if name in os.environ:
                environment[name] = os.environ[name]
        else:
            refuse(f"exec {option}")
    if not interactive or len(words) < 2:
        refuse(f"exec without -i, a container or a program: {words}")
    return words[0], words[1:], environment


def exec_(words: list[str]) -> NoReturn:
    name, argv, given = parse_exec(words)
    found = container(name, f"Error response from daemon: No such container: {name}")
    state = found.get("state", "running")
    if state == "paused":
        fail(1, f"Error response from daemon: Container {name} is paused, unpause the container before exec")
    if state != "running":
        fail(1, f"Error response from daemon: container {'4f' * 32} is not running")
    environment = {"PATH": "/usr/bin:/bin", **found.get("environment", {}), **given}
    program = shutil.which(argv[0], path=environment["PATH"])
    if program is None:
        fail(127, "OCI runtime exec failed: exec failed: unable to start container process: exec: "
                  f'"{argv[0]}": executable file not found in $PATH: unknown')
    ours, theirs = socket.socketpair()
    streams = [os.pipe() for _ in range(3)]  # input, output, errors
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        ours.close()
        os.close(streams[0][1])
        os.close(streams[1][0])
        os.close(streams[2][0])
        as_daemon(theirs, streams[0][0], streams[1][1], streams[2][1], [program, *argv[1:]], environment, found)
    theirs.close()
    os.close(streams[0][0])
    os.close(streams[1][1])
    os.close(streams[2][1])
    threading.Thread(target=copy, args=(0, streams[0][1]), daemon=True).start()
    outputs = [threading.Thread(target=copy, args=(streams[i][0], i)) for i in (1, 2)]
    for thread in outputs:
        thread.start()
    for thread in outputs:
        thread.join()
    answer = ours.recv(16)
    os._exit(int(answer) if answer else 1)


def copy(source: int, sink: int) -> None:
    try:
        while data := os.read(source, 65536):
            view = memoryview(data)
            while view:
                view = view[os.write(sink, view) :]
    except OSError:
        pass
    if sink > 2:
        os.close(sink)


def pump_output(source: int, sink: int) -> None:
    """As docker does it: when the caller is gone nobody reads on, and nobody closes either."""
    try:
        while data := os.read(source, 65536):
            view = memoryview(data)
            while view:
                view = view[os.write(sink, view) :]
    except OSError:
        return
    os.close(sink)


def as_daemon(link: socket.socket, stdin: int, stdout: int, stderr: int, argv: list[str], environment: dict[str, str],
              found: dict[str, Any]) -> NoReturn:  # fmt: skip
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    program = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment, cwd="/", start_new_session=True)  # fmt: skip
    assert program.stdin and program.stdout and program.stderr
    into, out, errors = program.stdin.fileno(), program.stdout.fileno(), program.stderr.fileno()

    def feed() -> None:
        try:
            while data := os.read(stdin, 65536):
                os.write(into, data)
        except OSError:
            pass
        if not found.get("keeps_input"):
            os.close(into)

    threading.Thread(target=feed, daemon=True).start()
    outputs = [threading.Thread(target=pump_output, args=pair, daemon=True) for pair in ((out, stdout), (errors, stderr))]
    for thread in outputs:
        thread.start()
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == program.pid:
            break
        note_orphan(status)
    if os.WIFSIGNALED(status):
        code = 128 + os.WTERMSIG(status)
    else:
        code = os.WEXITSTATUS(status)
    for thread in outputs:
        thread.join(5)
    try:
        link.send(str(code).encode())
        link.close()
    except OSError:
        pass
    # Orphans that are still there go on as the container does.
    signal.alarm(20)
    while True:
        try:
            _, status = os.waitpid(-1, 0)
        except ChildProcessError:
            os._exit(0)
        note_orphan(status)


def note_orphan(status: int) -> None:
    if os.WIFSIGNALED(status) or os.WEXITSTATUS(status) > 1:
        with (HERE / "orphans").open("a", encoding="utf-8") as file:
            file.write(f"an orphan ended with status {status}\n")


def main(words: list[str]) -> None:
    with (HERE / "calls").open("a", encoding="utf-8") as file:
        file.write(json.dumps(words) + "\n")
    if words[:1] == ["exec"]:
        exec_(words[1:])
    if words[:1] == ["inspect"]:
        inspect(words[1:])
    refuse(f"docker {words}")


if __name__ == "__main__":
    main(sys.argv[1:])
