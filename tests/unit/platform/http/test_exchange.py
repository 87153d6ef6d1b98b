# SPDX-License-Identifier: Apache-2.0
"""One request and its answer."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket

from submgr.platform.http import buffered_socket
from submgr.platform.http.buffered_socket import BufferedSocket
from submgr.platform.http.errors import Endpoint, HttpTimeout
from submgr.platform.http.exchange import attempt


def test_who_has_waited_to_send_waits_for_the_answer_only_for_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, peers = socket.socketpair()
    clock, payload = [100.0], bytes(10_000_000)
    monkeypatch.setattr(buffered_socket.time, "monotonic", lambda: clock[0])

    def take() -> None:
        while peers.recv(1 << 20):
            clock[0] = 159.9

    with ours, peers:
        taking = gevent.spawn(take)
        with pytest.raises(HttpTimeout), gevent.Timeout(30.0):
            attempt(BufferedSocket(ours), Endpoint("http", "x", 80), "POST", payload, 60.0)
        taking.get()
