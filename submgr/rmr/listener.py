# SPDX-License-Identifier: Apache-2.0
"""Opens the port that a transport listens on."""

from __future__ import annotations

import errno
import ipaddress
import socket as stdsocket
import sys
from pathlib import Path
from typing import Any

from gevent import socket

from submgr.rmr.addresses import join_address
from submgr.rmr.transport import TransportError

_BACKLOG = 1024
"""A flood of connections that finds no place here delays the next one by a second (TCP asks again)."""
_LISTENS = "0A"
"""The state of a listening socket in /proc/net/tcp."""

_SOCKETS = (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6"))
"""The sockets of this network namespace. A kernel without IPv6 does not have the second one."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def listen(host: str, port: int) -> Any:
    """A listening socket on a free port. Raises TransportError that names the port.

    The socket has SO_REUSEPORT although nobody shares the port: librmr sets this option alone, and could otherwise not
    start on the port after us while connections are in TIME_WAIT.
    """
    probe(host, port)
    listener = socket.socket(_family(host), stdsocket.SOCK_STREAM)
    try:
        listener.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEADDR, 1)
        listener.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEPORT, 1)
        listener.setsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as bad:
        listener.close()
        raise _refused(host, port, bad) from bad
    return listener


def probe(host: str, port: int) -> None:
    """Makes sure that nobody listens on the port. Raises TransportError that names the port.

    Two processes that both set SO_REUSEPORT, as librmr does, would share the port without noticing. A port on which
    only connections of an ended librmr process wait (TIME_WAIT) is free, although without SO_REUSEPORT it cannot be
    bound.
    """
    try:
        with socket.socket(_family(host), stdsocket.SOCK_STREAM) as trial:
            trial.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as bad:
        if bad.errno == errno.EADDRINUSE and not _is_listened_on(host, port):
            return
        raise _refused(host, port, bad) from bad


def _is_listened_on(host: str, port: int) -> bool:
    """Whether a socket of this network namespace listens on the port of this address; True when nobody can tell."""
    try:
        ours = _plain(ipaddress.ip_address(host))
        tables = [path.read_text() for path in _SOCKETS if path.exists()]
    except (OSError, ValueError):
        return True
    if not tables:
        return True
    for line in "\n".join(tables).splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[3] == _LISTENS:
            address, _, their_port = fields[1].partition(":")
            theirs = _plain(_address(address))
            if int(their_port, 16) == port and (theirs == ours or theirs.is_unspecified or ours.is_unspecified):
                return True
    return False


def _address(text: str) -> Address:
    """An address of /proc/net: 32-bit words in the order of the processor."""
    words = [bytes.fromhex(text[at : at + 8]) for at in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(word if sys.byteorder == "big" else word[::-1] for word in words))


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _family(host: str) -> stdsocket.AddressFamily:
    return stdsocket.AF_INET6 if ":" in host else stdsocket.AF_INET


def _refused(host: str, port: int, bad: OSError) -> TransportError:
    why = "the port is in use" if bad.errno == errno.EADDRINUSE else (bad.strerror or str(bad))
    return TransportError(f"cannot listen on {join_address(host, port)}: {why}")
