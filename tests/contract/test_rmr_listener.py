# SPDX-License-Identifier: Apache-2.0
"""Who may have a port: nobody listens there, though connections of an ended process may still be remembered."""

from __future__ import annotations

import socket as stdsocket
import subprocess
import sys
from pathlib import Path

import pytest
from support.ports import free_port

from submgr.rmr import listener
from submgr.rmr.listener import listen
from submgr.rmr.transport import TransportError

ENDED_LIBRMR = """
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1)
client = socket.create_connection(listener.getsockname())
accepted, _ = listener.accept()
accepted.close()
client.recv(1)
client.close()
"""


def listener_of(host: str, port: int, *options: int) -> stdsocket.socket:
    family = stdsocket.AF_INET6 if ":" in host else stdsocket.AF_INET
    other = stdsocket.socket(family)
    for option in options:
        other.setsockopt(stdsocket.SOL_SOCKET, option, 1)
    other.bind((host, port))
    other.listen(1)
    return other


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_on_which_only_old_connections_wait_is_free(host: str) -> None:
    port = free_port()
    subprocess.run([sys.executable, "-c", ENDED_LIBRMR, str(port)], check=True, timeout=30)
    with stdsocket.socket() as plain, pytest.raises(OSError, match="in use"):
        plain.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEADDR, 1)
        plain.bind(("127.0.0.1", port))
    listen(host, port).close()


@pytest.mark.parametrize("options", [(), (stdsocket.SO_REUSEADDR,), (stdsocket.SO_REUSEADDR, stdsocket.SO_REUSEPORT)])
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("127.0.0.1", "0.0.0.0"),
        ("::", "0.0.0.0"),
        ("::1", "::"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
    ],
)
def test_a_port_that_somebody_listens_on_is_refused_by_number(theirs: str, ours: str, options: tuple[int, ...]) -> None:
    port = free_port()
    try:
        other = listener_of(theirs, port, *options)
    except OSError as no_ipv6:
        pytest.skip(f"no IPv6 here: {no_ipv6}")
    with other, pytest.raises(TransportError) as refused:
        listen(ours, port)
    assert f":{port}: the port is in use" in str(refused.value)


def test_a_listener_beside_old_connections_is_refused() -> None:
    port = free_port()
    subprocess.run([sys.executable, "-c", ENDED_LIBRMR, str(port)], check=True, timeout=30)
    with listener_of("127.0.0.1", port, stdsocket.SO_REUSEPORT), pytest.raises(TransportError, match="in use"):
        listen("127.0.0.1", port)


def test_a_kernel_without_ipv6(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    port = free_port()
    subprocess.run([sys.executable, "-c", ENDED_LIBRMR, str(port)], check=True, timeout=30)
    ipv4, _ = listener._SOCKETS
    monkeypatch.setattr(listener, "_SOCKETS", (ipv4, tmp_path / "tcp6"))
    listen("127.0.0.1", port).close()
    monkeypatch.setattr(listener, "_SOCKETS", (tmp_path / "tcp", tmp_path / "tcp6"))
    with pytest.raises(TransportError, match="in use"):
        listen("127.0.0.1", port)


def test_a_listener_on_another_address_is_none_of_ours() -> None:
    port = free_port()
    subprocess.run([sys.executable, "-c", ENDED_LIBRMR, str(port)], check=True, timeout=30)
    with listener_of("127.0.0.2", port, stdsocket.SO_REUSEPORT):
        listen("127.0.0.1", port).close()
