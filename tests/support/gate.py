"""Stops a program just before chosen system calls: to kill it there, at every border between two states of the disk, or
to let the call fail as it does on a full disk.

The kernel asks us before each system call of the program, or of a child of its, that changes what lies in a directory
or makes something durable (seccomp_unotify(2)); the thread that made the call waits for our answer. So "killed before
the rename" is certain, on any machine and under any load, and the program under test is the one that is shipped.

    gate = Gate()
    daemon.before_exec = gate.enter      # in the child, between fork and exec
    daemon.start()
    gate.arm(lambda border: Verdict.KILL if border.name == "rename" else Verdict.PROCEED)
"""

from __future__ import annotations

import ctypes
import enum
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import threading
import unittest
from collections.abc import Callable
from dataclasses import dataclass

from support.process import PATIENCE

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3
SECCOMP_RET_USER_NOTIF = 0x7FC00000
SECCOMP_RET_ALLOW = 0x7FFF0000
SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1
NOTIF_RECV = 0xC0502100
NOTIF_SEND = 0xC0182101
PR_SET_NO_NEW_PRIVS = 38
AT_FDCWD = -100
O_CREAT = 0o100


@dataclass(frozen=True)
class Call:
    """A system call of interest, and where its arguments are: -1 where it has none of that kind."""

    name: str
    path: int = -1  # a name relative to `at`, or to the working directory
    at: int = -1
    descriptor: int = -1
    flags: int = -1  # of open: only with O_CREAT


# asm/unistd_64.h and asm-generic/unistd.h
CALLS = {
    "x86_64": (317, {
        2: Call("create", path=0, flags=1), 85: Call("create", path=0), 257: Call("create", path=1, at=0, flags=2),
        82: Call("rename", path=1), 264: Call("rename", path=3, at=2), 316: Call("rename", path=3, at=2),
        83: Call("mkdir", path=0), 258: Call("mkdir", path=1, at=0),
        84: Call("remove", path=0), 87: Call("remove", path=0), 263: Call("remove", path=1, at=0),
        74: Call("sync", descriptor=0), 75: Call("sync", descriptor=0), 77: Call("truncate", descriptor=0),
    }),
    "aarch64": (277, {
        56: Call("create", path=1, at=0, flags=2), 38: Call("rename", path=3, at=2), 276: Call("rename", path=3, at=2),
        34: Call("mkdir", path=1, at=0), 35: Call("remove", path=1, at=0),
        82: Call("sync", descriptor=0), 83: Call("sync", descriptor=0), 46: Call("truncate", descriptor=0),
    }),
}  # fmt: skip

WRITES = {
    "x86_64": {1: Call("write", descriptor=0), 18: Call("write", descriptor=0), 20: Call("write", descriptor=0)},
    "aarch64": {64: Call("write", descriptor=0), 66: Call("write", descriptor=0), 68: Call("write", descriptor=0)},
}


class Verdict(enum.Enum):
    PROCEED = enum.auto()
    NO_SPACE = enum.auto()  # the call is never made, and ends with ENOSPC
    KILL = enum.auto()  # the program; the call is never made
    HOLD = enum.auto()  # the caller waits until release(), or its own death


@dataclass(frozen=True)
class Border:
    """A call that is about to be made."""

    name: str
    path: str
    pid: int
    is_child: bool  # made by a program that the program started

    def __str__(self) -> str:
        return f"{'a child to ' if self.is_child else ''}{self.name} {self.path}"


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction))]


def _filter(calls: dict[int, Call]) -> _Program:
    """Classic BPF: load the call's number, compare; for open, test O_CREAT in its flags."""
    load, jump_if_equal, jump_if_set, answer = 0x20, 0x15, 0x45, 0x06
    code: list[tuple[int, int, int, int]] = []
    for number, call in calls.items():
        code.append((load, 0, 0, 0))
        if call.flags < 0:
            code += [(jump_if_equal, 0, 1, number), (answer, 0, 0, SECCOMP_RET_USER_NOTIF)]
        else:
            code += [
                (jump_if_equal, 0, 3, number), (load, 0, 0, 16 + 8 * call.flags),
                (jump_if_set, 0, 1, O_CREAT), (answer, 0, 0, SECCOMP_RET_USER_NOTIF),
            ]  # fmt: skip
    code.append((answer, 0, 0, SECCOMP_RET_ALLOW))
    array = (_Instruction * len(code))(*[_Instruction(*line) for line in code])
    return _Program(len(code), array)


class Gate:
    """For one start of one program: a new one for each. With `writes` it asks before each write(2) as well."""

    def __init__(self, *, writes: bool = False) -> None:
        if platform.machine() not in CALLS:
            raise unittest.SkipTest(f"the system calls of {platform.machine()} are not listed here")
        self._seccomp, self._calls = CALLS[platform.machine()]
        if writes:
            self._calls = {**self._calls, **WRITES[platform.machine()]}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._program = _filter(self._calls)
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener = -1
        self._main = 0
        self._decide: Callable[[Border], Verdict] | None = None
        self._held: list[int] = []
        self._lock = threading.Lock()
        self._closing = False
        self._entered = threading.Event()
        self._refused = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def enter(self) -> None:
        """In the child: from here on every call of interest waits for an answer."""
        self._libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        listener = self._libc.syscall(
            self._seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, ctypes.byref(self._program)
        )
        message = struct.pack("qq", os.getpid(), ctypes.get_errno() if listener < 0 else 0)
        socket.send_fds(self._theirs, [message], [listener] if listener >= 0 else [])
        if listener >= 0:
            os.close(listener)

    def wait_entered(self) -> None:
        """After the launch; skips the test where the kernel, or the container around us, has no such thing."""
        if not self._entered.wait(PATIENCE):
            raise AssertionError("the program never came to the gate")
        if self._refused:
            raise unittest.SkipTest(f"no seccomp listener here: {os.strerror(self._refused)}")

    def arm(self, decide: Callable[[Border], Verdict]) -> None:
        """From now on asks `decide`; called on a thread of the gate's own."""
        with self._lock:
            self._decide = decide

    def release(self) -> None:
        """Lets those go on that were held."""
        with self._lock:
            held, self._held = self._held, []
            self._decide = None
        for identity in held:
            self._proceed(identity)

    def close(self) -> None:
        """The program has ended. What it left behind gets ENOSYS for every call of interest."""
        self._closing = True
        try:
            self._ours.shutdown(socket.SHUT_RDWR)  # wakes the thread if nobody ever came
        except OSError:
            pass  # closed before
        self._ours.close()
        self._theirs.close()
        self._thread.join(10)

    # --- the gate's own thread ---

    def _serve(self) -> None:
        try:
            message, descriptors, _, _ = socket.recv_fds(self._ours, 64, 1)
        except OSError:
            return
        if not message:
            return
        self._main, self._refused = struct.unpack("qq", message)
        self._entered.set()
        if not descriptors:
            return
        self._listener = descriptors[0]
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        while not self._closing:
            for _, events in poll.poll(50):
                if events & select.POLLIN:
                    self._answer_one()
                elif events & select.POLLHUP:
                    self._closing = True
        os.close(self._listener)

    def _answer_one(self) -> None:
        notification = bytearray(80)
        try:
            fcntl.ioctl(self._listener, NOTIF_RECV, notification)
        except OSError:
            return  # the caller died meanwhile
        identity, thread, _, number, _, _, *arguments = struct.unpack("QIIiIQ6Q", notification)
        with self._lock:
            decide = self._decide
            verdict = decide(self._border(thread, self._calls[number], arguments)) if decide else Verdict.PROCEED
            if verdict is Verdict.HOLD:
                self._held.append(identity)
        if verdict is Verdict.KILL:
            os.kill(self._main, signal.SIGKILL)
        elif verdict is Verdict.PROCEED:
            self._proceed(identity)
        elif verdict is Verdict.NO_SPACE:
            self._send(identity, -errno.ENOSPC, 0)

    def _proceed(self, identity: int) -> None:
        self._send(identity, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE)

    def _send(self, identity: int, error: int, flags: int) -> None:
        try:
            fcntl.ioctl(self._listener, NOTIF_SEND, struct.pack("QqiI", identity, 0, error, flags))
        except OSError:
            pass  # the caller died meanwhile

    def _border(self, thread: int, call: Call, arguments: list[int]) -> Border:
        is_child = not os.path.exists(f"/proc/{self._main}/task/{thread}")
        try:
            if call.descriptor >= 0:
                path = os.readlink(f"/proc/{thread}/fd/{arguments[call.descriptor]}")
            else:
                path = self._text(thread, arguments[call.path])
                at = ctypes.c_int(arguments[call.at]).value if call.at >= 0 else AT_FDCWD
                if not path.startswith("/") and at != AT_FDCWD:
                    path = os.readlink(f"/proc/{thread}/fd/{at}") + "/" + path
        except OSError:
            path = "?"
        return Border(call.name, path, thread, is_child)

    @staticmethod
    def _text(thread: int, address: int) -> str:
        found = b""
        with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
            while b"\0" not in found and len(found) < 4096:
                memory.seek(address + len(found))
                # Not across a page: the next one may not be there.
                piece = memory.read(4096 - (address + len(found)) % 4096)
                if not piece:
                    break
                found += piece
        return found.split(b"\0")[0].decode(errors="replace")
