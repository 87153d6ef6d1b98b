# SPDX-License-Identifier: Apache-2.0
"""Endpoint names ("host:port", "ip:port", "[ipv6]:port"), and the addresses of this host.

A transport listens on one of the host's addresses, and a route table may mean this process by any of them.
"""

from __future__ import annotations

import fcntl
import ipaddress
import socket
from functools import lru_cache
from struct import pack

from submgr.rmr.message import SRC_MAX

_SIOCGIFADDR = 0x8915
_INTERFACE_NAME_MAX = 15


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


def own_host(name: str) -> str:
    """The host part of our name in `src`: `name`, or for "" the host's name up to its first dot, as with librmr."""
    return name or socket.gethostname().partition(".")[0]


def interface_address(interface: str) -> str | None:
    """The IPv4 address of a network interface, None when it has none or does not exist."""
    raw = interface.encode()
    if not raw or len(raw) > _INTERFACE_NAME_MAX:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, pack("256s", raw))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def listen_address(bind: str) -> str | None:
    """The address to listen on for "" (all), an IP address or an interface; None when it is neither."""
    if not bind:
        return "0.0.0.0"
    try:
        return str(ipaddress.ip_address(bind))
    except ValueError:
        return interface_address(bind)


def own_addresses(listening_on: str) -> list[str]:
    """IPv4 addresses peers may know us by: those of all interfaces but loopback, or the only one we listen on."""
    if listening_on != "0.0.0.0":
        return [] if ipaddress.ip_address(listening_on).is_loopback else [listening_on]
    found = [interface_address(name) for _, name in socket.if_nameindex()]
    return [address for address in found if address and not ipaddress.ip_address(address).is_loopback]
