# SPDX-License-Identifier: Apache-2.0
"""Endpoint names: "host:port", "ip:port" and "[ipv6]:port"."""

from __future__ import annotations

from functools import lru_cache

from submgr.rmr.message import SRC_MAX


class AddressError(ValueError):
    """A text that names no endpoint."""


@lru_cache(maxsize=4096)
def split_address(name: str) -> tuple[str, int]:
    """Host (an IPv6 address without its brackets) and port of an endpoint name.

    The port is 1..65535, the name has at most 63 bytes and no blanks. Raises AddressError.
    """
    host, colon, port = name.rpartition(":")
    if not colon:
        raise AddressError(f"{name!r} has no port, host:port is expected")
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
        raise AddressError(f"{name!r} has the port {port!r}, 1..65535 is expected")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise AddressError(f"{name!r} has several colons: an IPv6 address goes in brackets")
    if not host or not host.isprintable() or any(mark in host for mark in " []|,;"):
        raise AddressError(f"{name!r} has no valid host")
    if len(name.encode()) > SRC_MAX:
        raise AddressError(f"{name!r} is longer than {SRC_MAX} bytes")
    return host, int(port)


def join_address(host: str, port: int) -> str:
    """The endpoint name of a host and a port: an IPv6 address gets brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
