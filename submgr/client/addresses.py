# SPDX-License-Identifier: Apache-2.0
"""The addresses of an xApp: where it is reached, and where it listens."""

from __future__ import annotations

import ipaddress
import socket


def own_address(host: str, port: int) -> str:
    """The address of this machine that leads to `host`; nothing is sent. Raises OSError when nothing leads there."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as probe:
        probe.connect(address)
        own = str(probe.getsockname()[0])
    return f"[{own}]" if ":" in own else own


def listen_address(listen: str | None, host: str) -> str:
    """On the loopback address only when nobody else can reach it."""
    if listen is not None:
        return listen
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return ""
    if address.is_loopback:
        return str(address)
    return "::" if address.version == 6 else ""
