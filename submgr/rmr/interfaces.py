# SPDX-License-Identifier: Apache-2.0
"""Addresses of this host: what we listen on, and under which names a route table may mean us."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
from struct import pack

_SIOCGIFADDR = 0x8915
_INTERFACE_NAME_MAX = 15


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
