# SPDX-License-Identifier: Apache-2.0
"""What is special of the transport through librmr: its cures for the habits of the library."""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from support.ports import free_port
from support.rmr.fake_librmr import FakeLibrmr
from support.rmr.frames import frame
from support.rmr.peer import Link, Peer
from support.waiting import eventually

from submgr.rmr.librmr.transport import LibrmrTransport
from submgr.rmr.message import Message, Status
from submgr.rmr.service import RmrSettings, build
from submgr.rmr.transport import TransportConfig, TransportError


class Node:
    def __init__(self, **limits: Any) -> None:
        self.got: list[Message] = []
        self.lost: list[str] = []
        self.fake = FakeLibrmr()
        config = TransportConfig(host="127.0.0.1", port=free_port(), name="127.0.0.1", **limits)
        self.transport = LibrmrTransport(config, self.got.append, load=lambda: self.fake)
        self.transport.start()


@pytest.fixture
def node() -> Iterator[Callable[..., Node]]:
    made: list[Node] = []

    def make(**limits: Any) -> Node:
        made.append(Node(**limits))
        return made[-1]

    yield make
    for one in made:
        one.transport.stop(timeout=0)
        one.fake.shut()


def test_a_count_that_is_too_high_does_not_spin_and_loses_nothing(node: Callable[..., Node]) -> None:
    one = node()
    for _ in range(20):
        one.fake.count_one_too_many()
    link = Link.to(one.transport.port)
    for number in range(50):
        link.send(frame(str(number).encode(), mtype=1))
        one.fake.count_one_too_many()
        gevent.sleep(0.001)
    eventually(lambda: len(one.got) == 50)
    gevent.sleep(0.2)
    before = resource.getrusage(resource.RUSAGE_SELF)
    gevent.sleep(0.5)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.25, "idle, not spinning"
    assert [int(message.payload) for message in one.got] == list(range(50))
    link.close()


def test_every_buffer_goes_back(node: Callable[..., Node]) -> None:
    one = node(send_timeout=0.2)
    with Peer() as peer:
        one.fake.routes = {1: peer.name}
        link = Link.to(one.transport.port)
        link.send(frame(b"?", mtype=1, src=peer.name.encode()) * 20 + frame(plen=-5) * 5)
        eventually(lambda: len(one.got) == 20)
        for number, message in enumerate(one.got):
            size = 200_000 if number % 2 else 10
            one.transport.reply(message, 2, bytes(size), one.lost.append)
            one.transport.reply(message, 2, b"again", one.lost.append)
            one.transport.send(Message(1 + number % 2), one.lost.append)
        one.transport.reply(one.got[0], 2, b"", meid="m" * 32)
        eventually(lambda: len(peer.got) + len(one.lost) == 60)
        assert len(one.lost) == 10
        message = None  # type: ignore[assignment]
        one.got.clear()
        gc.collect()
        eventually(lambda: not one.fake.live, what="no buffer is left over")
        link.close()


def test_retry_is_tried_again_until_the_deadline(node: Callable[..., Node]) -> None:
    one = node(send_timeout=0.3)
    with Peer() as peer:
        one.fake.retries = 5
        assert one.transport.send_to(peer.name, Message(1), one.lost.append) is Status.OK
        eventually(lambda: peer.got)
        one.fake.retries = 10_000
        one.transport.send_to(peer.name, Message(1), one.lost.append)
        eventually(lambda: one.lost)
        assert "RETRY" in one.lost[0]
        one.fake.retries = 0


def test_librmrs_own_routes_without_ours(node: Callable[..., Node]) -> None:
    one = node()
    assert not one.transport.ready()
    one.fake.has_table = True
    assert one.transport.ready()
    with Peer() as peer:
        one.fake.routes = {12010: peer.name}
        assert one.transport.send(Message(12010, meid="gnb"), one.lost.append) is Status.OK
        eventually(lambda: peer.got)
        assert one.transport.send(Message(9), one.lost.append) is Status.OK
        eventually(lambda: one.lost)
        assert "NOENDPT" in one.lost[0]


def test_a_send_that_blocks_is_told_in_time_and_others_go_on(node: Callable[..., Node]) -> None:
    one = node(send_timeout=0.3)
    with Peer() as slow, Peer() as well:
        one.fake.stall[slow.name] = 1.0
        for _ in range(3):
            one.transport.send_to(slow.name, Message(1, meid="stuck"), one.lost.append)
        names = [str(number) for number in range(40)]
        for name in names:
            one.transport.send_to(well.name, Message(2, meid=name))
        eventually(lambda: len(one.lost) >= 3, 0.9)
        assert any("not returned from sending in time" in reason for reason in one.lost)
        assert len(well.got) >= 10, "lanes that are not stuck have sent theirs"


def test_an_answer_that_librmr_looks_the_source_up_for_holds_up_no_send(node: Callable[..., Node]) -> None:
    one = node(send_timeout=2.0)
    one.fake.stall["hang.example:4560"] = 1.5
    link = Link.to(one.transport.port)
    for _ in range(5):
        link.send(frame(mtype=1, src=b"hang.example:4560"))
    eventually(lambda: len(one.got) == 5)
    for request in one.got:
        assert one.transport.reply(request, 2, b"", one.lost.append) is Status.OK
    with Peer() as well:
        for number in range(40):
            one.transport.send_to(well.name, Message(3, meid=str(number)))
        eventually(lambda: len(well.got) == 40, 1.2)
    assert link.got == []
    link.close()


def test_librmr_announces_our_name_and_has_the_variables_of_its_service() -> None:
    fake = FakeLibrmr()
    env = {
        "RMR_SRC_ID": "127.0.0.1:9",
        "RMR_RTG_SVC": "-1",
        "RMR_BIND_IF": "127.0.0.1",
        "RMR_STASH_RT": " ",
        "HOME": "/",
    }
    settings = RmrSettings(transport="librmr", proto_port=str(free_port()))
    layer = build(settings, env, lambda message: None, load_librmr=lambda: fake)
    layer.start()
    try:
        with Peer() as peer:
            assert layer.send_to(peer.name, Message(1)) is Status.OK
            eventually(lambda: peer.got)
            assert peer.got[0].src == layer.name == f"127.0.0.1:{layer.port}"
        assert fake.environment == {"RMR_SRC_ID": "127.0.0.1", "RMR_RTG_SVC": "-1", "RMR_BIND_IF": "127.0.0.1"}
    finally:
        layer.stop(timeout=0)
        fake.shut()


def test_an_ipv6_address_is_announced_in_brackets() -> None:
    fake = FakeLibrmr()
    transport = LibrmrTransport(
        TransportConfig(host="127.0.0.1", port=free_port(), name="fd00::1"), lambda message: None, load=lambda: fake
    )
    transport.start()
    try:
        assert fake.environment == {"RMR_SRC_ID": "[fd00::1]"}
        assert transport.name == f"[fd00::1]:{transport.port}"
    finally:
        transport.stop(timeout=0)
        fake.shut()


def test_a_name_that_does_not_fit_is_told_before_librmr_starts() -> None:
    fake = FakeLibrmr()
    config = TransportConfig(host="127.0.0.1", port=free_port(), name="n" * 64)
    with pytest.raises(TransportError, match=r"our own name does not fit: src has \d\d bytes"):
        LibrmrTransport(config, lambda message: None, load=lambda: fake).start()
    assert fake.fd == -1


def test_a_second_context_is_refused_by_the_port(node: Callable[..., Node]) -> None:
    one = node()
    config = TransportConfig(host="127.0.0.1", port=one.transport.port)
    with pytest.raises(TransportError, match="the port is in use"):
        LibrmrTransport(config, one.got.append, load=FakeLibrmr).start()
