# SPDX-License-Identifier: Apache-2.0
"""Listen addresses and the sockets that are bound to them."""

import errno
from typing import Any

from gevent import socket

KERNEL_BUFFER = 128 * 1024
"""Bytes. As much as a connection carries within the round trip of a large network at 1 Gbit/s (1 ms)."""


class ListenError(Exception):
    """A server cannot listen on its address. The message is one line that names the address."""


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of "host:port", "[v6]:port", ":port" or "port". An empty host means every address of the machine.

    Raises ValueError whose message names the text.
    """
    host, _, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r} is not a listen address: a version 6 address goes in brackets")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f'{text!r} is not a listen address like ":8080" or "127.0.0.1:8080"')
    return host, int(port)


def listening_socket(listen: str) -> socket.socket:
    """A bound TCP socket with TCP_NODELAY and small buffers, which accepted connections inherit. Raises ListenError.

    pywsgi writes the head and the body of an answer separately; without TCP_NODELAY the body waits for the client's
    delayed acknowledgement of the head, 40 ms a request. The kernel holds up to 6 MB for a connection whose peer does
    not read, or whose bytes are not read, unless it is told another size.
    """
    try:
        host, port = parse_listen(listen)
        family, address = _bind_address(host, port)
        sock = socket.socket(family, socket.SOCK_STREAM)
    except (ValueError, OSError) as exc:
        raise ListenError(f"cannot listen on {listen}: {exc}") from exc
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            sock.setsockopt(socket.SOL_SOCKET, buffer, KERNEL_BUFFER)
        if family == socket.AF_INET6 and not host:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
    except OSError as exc:
        sock.close()
        raise cannot_listen(listen, port, exc) from exc
    return sock


def _bind_address(host: str, port: int) -> tuple[int, tuple[Any, ...]]:
    if not host:
        return (socket.AF_INET6, ("::", port)) if _has_dual_stack() else (socket.AF_INET, ("0.0.0.0", port))
    family, _, _, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)[0]
    return family, address


def _has_dual_stack() -> bool:
    """Whether one socket can serve both versions of IP here."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def cannot_listen(listen: str, port: int, exc: OSError) -> ListenError:
    """The error to raise when `exc` has kept a socket from being bound to `listen` or from listening."""
    if exc.errno == errno.EADDRINUSE:
        return ListenError(f"cannot listen on {listen}: port {port} is taken by another process")
    return ListenError(f"cannot listen on {listen} (port {port}): {exc.strerror or exc}")
