# SPDX-License-Identifier: Apache-2.0
"""The daemon as a program that counts its own work: sends and reads by neighbour, greenlets, steps of procedures.

The counts are in a file that the program maps into its memory. Whoever reads the file disturbs nothing, and is no
request that would be counted.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

NEIGHBOURS = ("xApp REST", "notification", "Routing Manager", "redis", "E2 Termination")
"""Who is at the other end of a socket; sockets of anybody else (operators, probes) are not counted."""

WORK = ("greenlet", "feed", "timer")
"""A greenlet that is spawned; an event that is fed to a procedure; a timer that a procedure arms."""

_KINDS = ("send", "read", "read of nothing", "connect")
NAMES = tuple(f"{kind}: {who}" for who in NEIGHBOURS for kind in _KINDS) + WORK
_FORM = f"={len(NAMES)}Q"
_PORTS = "SUBMGR_COUNTED_PORTS"


def counting(file: Path) -> list[str]:
    """The arguments of the interpreter that run the daemon with its counts in `file`."""
    file.write_bytes(bytes(struct.calcsize(_FORM)))
    return ["-m", "support.processes.counting", str(file)]


def environment(xapp_rest: int, notification: int, routing_manager: int, redis: int, *e2: int) -> dict[str, str]:
    """The environment variables of the program: who has which port; `e2`: both ends of RMR."""
    ports = dict(zip((xapp_rest, notification, routing_manager, redis), NEIGHBOURS[:4], strict=True))
    ports.update(dict.fromkeys(e2, NEIGHBOURS[4]))
    told = " ".join(f"{port}={NEIGHBOURS.index(name)}" for port, name in ports.items())
    return {_PORTS: told, "PYTHONPATH": os.pathsep.join(sys.path)}


def read(file: Path) -> dict[str, int]:
    """The counts so far, by name."""
    return dict(zip(NAMES, struct.unpack(_FORM, file.read_bytes()), strict=True))


def _count_in(slots: memoryview, ports: Mapping[int, int]) -> None:
    """Has the program count from now on. `ports`: the neighbour, as its place in NEIGHBOURS, by a port of its own."""
    import gevent
    from gevent._socket3 import socket

    from submgr.core.context import NodeContext
    from submgr.core.procedures.base import Procedure

    base: Any = socket._gevent_sock_class

    class Counted(base):  # type: ignore[misc]
        """The system's socket under each of gevent's."""

        __slots__ = ("_dialled", "_first")

        def _add(self, kind: int) -> None:
            try:
                first = self._first
            except AttributeError:
                first = self._first = self._slot()
            if first >= 0:
                slots[first + kind] += 1

        def _slot(self) -> int:
            """The first of this neighbour's slots; -1: it is not counted."""
            for end in (self.getsockname, self.getpeername):
                address = end()
                if isinstance(address, tuple) and address[1] in ports:
                    return ports[address[1]] * len(_KINDS)
            return -1

    def sends(name: str) -> Callable[..., Any]:
        method = getattr(base, name)

        def send(self: Any, *args: Any) -> Any:
            self._add(0)
            return method(self, *args)

        return send

    def reads(name: str) -> Callable[..., Any]:
        method = getattr(base, name)

        def read(self: Any, *args: Any) -> Any:
            try:
                got = method(self, *args)
            except OSError as failed:
                if failed.errno == errno.EAGAIN:
                    self._add(2)
                raise
            self._add(1)
            return got

        return read

    def connect_ex(self: Any, address: Any) -> int:
        if isinstance(address, tuple) and address[1] in ports and not hasattr(self, "_dialled"):
            self._dialled = True  # gevent asks the same socket once more how it has ended
            slots[ports[address[1]] * len(_KINDS) + 3] += 1
        return int(base.connect_ex(self, address))

    Counted.connect_ex = connect_ex  # type: ignore[method-assign]
    for name in ("send", "sendto", "sendmsg"):
        setattr(Counted, name, sends(name))
    for name in ("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg"):
        setattr(Counted, name, reads(name))
    socket._gevent_sock_class = Counted

    def counted(owner: Any, name: str, work: str) -> None:
        method, slot = getattr(owner, name), NAMES.index(work)

        def call(self: Any, *args: Any) -> Any:
            slots[slot] += 1
            return method(self, *args)

        setattr(owner, name, call)

    counted(Procedure, "feed", "feed")
    counted(NodeContext, "new_step", "timer")
    greenlets = NAMES.index("greenlet")

    def spawned(_: gevent.Greenlet) -> None:
        slots[greenlets] += 1

    gevent.Greenlet.add_spawn_callback(spawned)


def _main() -> None:
    from submgr import __main__ as program  # patches the standard library

    with Path(sys.argv.pop(1)).open("r+b") as file:
        slots = memoryview(mmap.mmap(file.fileno(), 0)).cast("B").cast("Q")
    ports = {int(port): int(place) for port, place in (pair.split("=") for pair in os.environ[_PORTS].split())}
    _count_in(slots, ports)
    program.main()


if __name__ == "__main__":
    _main()
