# SPDX-License-Identifier: Apache-2.0
"""Ports for servers of tests, which no other test process and no outgoing connection takes meanwhile."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

LOWEST = 10_240
BLOCK = 256
"""Each test process has a block of ports to itself for as long as it lives."""


def free_port() -> int:
    """A port on which nobody listens, on any address of this machine."""
    for port in itertools.islice(_own(), BLOCK):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
        return port
    raise RuntimeError(f"all {BLOCK} ports of this process are in use")


def _blocks() -> range:
    """Below the ports that the kernel gives to outgoing connections."""
    lowest_given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    end = lowest_given if lowest_given > LOWEST + 16 * BLOCK else 32_768
    return range(LOWEST, end - BLOCK, BLOCK)


_owned: dict[int, Iterator[int]] = {}


def _own() -> Iterator[int]:
    """The ports of this process, round and round. A lock on a file, which ends with the process, keeps others away."""
    if os.getpid() not in _owned:
        folder = Path(tempfile.gettempdir()) / f"submgr-test-ports-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        _owned[os.getpid()] = itertools.cycle(_lock_one(folder))
    return _owned[os.getpid()]


def _lock_one(folder: Path) -> range:
    for first in _blocks():
        file = os.open(folder / str(first), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        return range(first, first + BLOCK)
    raise RuntimeError("every block of ports is taken by another test process")
