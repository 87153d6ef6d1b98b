# SPDX-License-Identifier: Apache-2.0
"""What every RMR transport does, whether it speaks the wire format itself or lets librmr do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import gevent
import pytest
from gevent import socket
from support.ports import free_port
from support.rmr.fake_librmr import FakeLibrmr
from support.rmr.frames import frame
from support.rmr.peer import Link, Peer
from support.waiting import eventually

from submgr.rmr import mtypes
from submgr.rmr.librmr.binding import load_library
from submgr.rmr.librmr.transport import LibrmrTransport
from submgr.rmr.message import CALL_MSG, Message, Status
from submgr.rmr.routing.reader import parse_routes
from submgr.rmr.transport import Transport, TransportConfig, TransportError
from submgr.rmr.wire.transport import WireTransport


def librmr_is_there() -> bool:
    try:
        load_library()
    except TransportError:
        return False
    return True


KINDS = ["wire", "librmr-stand-in", *(["librmr"] if librmr_is_there() else [])]


def test_librmr_itself_is_among_the_transports() -> None:
    if "librmr" not in KINDS:
        pytest.skip("librmr_si.so is not installed (built from the sources of O-RAN SC, no package of Debian has it)")


class Node:
    """A transport under test and what it received. `answers` are given to each message in turn."""

    def __init__(self, kind: str, handler: Callable[[Node, Message], None] | None = None, **limits: Any) -> None:
        self.got: list[Message] = []
        self.lost: list[str] = []
        self.bugs: list[BaseException] = []
        self.fake: FakeLibrmr | None = None
        self._handler = handler
        config = TransportConfig(host="127.0.0.1", port=free_port(), name="127.0.0.1", **limits)
        self.transport: Transport
        if kind == "wire":
            self.transport = WireTransport(config, self._on_message, self.bugs.append)
        elif kind == "librmr":
            self.transport = LibrmrTransport(config, self._on_message, self.bugs.append)
        else:
            self.fake = FakeLibrmr()
            self.transport = LibrmrTransport(config, self._on_message, self.bugs.append, load=lambda: self.fake)
        self.transport.start()

    def _on_message(self, message: Message) -> None:
        self.got.append(message)
        if self._handler is not None:
            self._handler(self, message)

    def routes(self, *records: str) -> None:
        self.transport.set_routes(parse_routes("\n".join(("newrt|start", *records, "newrt|end"))))

    def stop(self) -> None:
        self.transport.stop()
        if self.fake is not None:
            self.fake.shut()


@pytest.fixture(params=KINDS)
def node(request: pytest.FixtureRequest) -> Iterator[Callable[..., Node]]:
    made: list[Node] = []

    def make(handler: Callable[[Node, Message], None] | None = None, **limits: Any) -> Node:
        made.append(Node(request.param, handler, **limits))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: the kernel drops the packets of whoever wants to connect."""
    with ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            caller = open_sockets.enter_context(socket.socket())
            caller.settimeout(0.05)
            with suppress(TimeoutError):
                caller.connect(("127.0.0.1", port))
        yield port


def echo(node: Node, message: Message) -> None:
    assert node.transport.reply(message, message.mtype + 1, message.payload, node.lost.append) is Status.OK


def answers(link: Link, caller: Peer) -> list[Message]:
    """What came back to a caller with librmr, which reads the connection that it opened and its listener."""
    return [*link.got, *caller.got]


class TestTransport:
    def test_not_ready_before_a_table_and_ready_with_an_empty_one(self, node: Callable[..., Node]) -> None:
        one = node()
        assert not one.transport.ready()
        one.routes()
        assert one.transport.ready()

    def test_without_a_route_nothing_is_sent(self, node: Callable[..., Node]) -> None:
        one = node()
        one.routes("rte|2|%meid")
        assert one.transport.send(Message(1), one.lost.append) is Status.NOENDPT
        assert one.transport.send(Message(2, meid="unknown"), one.lost.append) is Status.NOENDPT
        assert one.transport.stats().transmit_error == 2
        assert one.lost == []

    def test_every_field_arrives(self, node: Callable[..., Node]) -> None:
        one = node()
        sent = Message(12010, b"payload", sub_id=7, xid=b"x" * 32, meid="gnb_001", sid=b"s" * 32)
        with Peer() as peer:
            one.routes(f"mse|12010|7|{peer.name}")
            assert one.transport.send(sent) is Status.OK
            eventually(lambda: peer.got)
            (got,) = peer.got
        assert (got.mtype, got.payload, got.sub_id, got.xid, got.meid) == (12010, b"payload", 7, b"x" * 32, "gnb_001")
        assert (got.src, got.flags, got.sid, got.d1) == (one.transport.name, 0, b"s" * 32, bytes(4))

    @pytest.mark.parametrize("size", [0, 1, 4096, 100_000])
    def test_payloads_of_all_sizes_come_back(self, node: Callable[..., Node], size: int) -> None:
        one, two = node(), node(echo)
        payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
        one.transport.send_to(two.transport.name, Message(1, payload), one.lost.append)
        eventually(lambda: one.got or one.lost)
        assert [(message.mtype, message.payload) for message in one.got] == [(2, payload)]

    def test_order_is_kept_for_a_meid(self, node: Callable[..., Node]) -> None:
        one, two = node(), node()
        one.routes(f"rte|1|{two.transport.name}")
        for number in range(500):
            assert one.transport.send(Message(1, str(number).encode(), meid="gnb"), one.lost.append) is Status.OK
        eventually(lambda: len(two.got) == 500)
        assert [int(message.payload) for message in two.got] == list(range(500))
        assert one.transport.stats().transmitted == 500
        assert two.transport.stats().received == 500

    def test_fan_out_and_round_robin(self, node: Callable[..., Node]) -> None:
        one = node()
        with Peer() as a, Peer() as b, Peer() as c:
            one.routes(f"rte|1|{a.name},{b.name};{c.name}")
            for _ in range(10):
                assert one.transport.send(Message(1)) is Status.OK
            eventually(lambda: [len(peer.got) for peer in (a, b, c)] == [5, 5, 10])

    def test_a_meid_goes_to_its_owner(self, node: Callable[..., Node]) -> None:
        one = node()
        with Peer() as a, Peer() as b:
            table = f"newrt|start\nrte|1|%meid\nnewrt|end\nmeid_map|start\nmme_ar|{a.name}|g1\nmme_ar|{b.name}|g2\n"
            one.transport.set_routes(parse_routes(f"{table}meid_map|end"))
            for meid in ("g1", "g2", "g2"):
                assert one.transport.send(Message(1, meid=meid)) is Status.OK
            eventually(lambda: (len(a.got), len(b.got)) == (1, 2))

    def test_a_reply_echoes_what_a_caller_waits_for(self, node: Callable[..., Node]) -> None:
        one = node(echo)
        with Peer() as caller:
            link = Link.to(one.transport.port)
            call = frame(
                b"?", mtype=12010, sub_id=3, xid=b"\x00id\x00", meid=b"gnb", sid=b"sid",
                src=caller.name.encode(), flags=CALL_MSG, d1=b"\x07\x01\x02\x03",
            )  # fmt: skip
            link.send(call)
            (got,) = eventually(lambda: answers(link, caller))
            link.close()
        assert (got.mtype, got.payload, got.sub_id, got.meid, got.src) == (12011, b"?", 3, "gnb", one.transport.name)
        assert (got.xid, got.sid) == (b"\x00id\x00" + bytes(28), b"sid" + bytes(29))
        assert (got.d1, got.flags) == (b"\x07\x01\x02\x03", 0)

    @pytest.mark.parametrize("src", [b"", b"127.0.0.1:1", b"no address"], ids=["empty", "refused", "nonsense"])
    def test_a_reply_whose_src_leads_nowhere_takes_the_connection_it_came_in_on(
        self, node: Callable[..., Node], src: bytes
    ) -> None:
        one = node(echo)
        link = Link.to(one.transport.port)
        link.send(frame(b"?", mtype=1, src=src))
        eventually(lambda: link.got)
        assert [(message.mtype, message.payload) for message in link.got] == [(2, b"?")]
        link.close()

    def test_a_reply_later_from_another_greenlet_after_the_connection_has_gone(self, node: Callable[..., Node]) -> None:
        one = node()
        with Peer() as caller:
            link = Link.to(one.transport.port)
            link.send(frame(b"?", mtype=1, src=caller.name.encode()))
            eventually(lambda: one.got)
            link.reset()
            gevent.sleep(0.05)
            replies = [gevent.spawn(one.transport.reply, one.got[0], 2, b"late") for _ in range(2)]
            assert [reply.get(timeout=5) for reply in replies] == [Status.OK, Status.OK]
            eventually(lambda: [message.payload for message in caller.got] == [b"late", b"late"])

    def test_a_reply_may_change_fields(self, node: Callable[..., Node]) -> None:
        one = node()
        with Peer() as caller:
            link = Link.to(one.transport.port)
            link.send(frame(b"?", mtype=1, sub_id=3, meid=b"a-longer-name", src=caller.name.encode()))
            eventually(lambda: one.got)
            assert one.transport.reply(one.got[0], 2, b"!", sub_id=9, meid="b", xid=b"other") is Status.OK
            (got,) = eventually(lambda: answers(link, caller))
            link.close()
        assert (got.sub_id, got.meid, got.transaction) == (9, "b", b"other")

    def test_nobody_listening_is_told_once_and_in_time(self, node: Callable[..., Node]) -> None:
        one = node(send_timeout=0.3)
        dead = f"127.0.0.1:{free_port()}"
        assert one.transport.send_to(dead, Message(1), one.lost.append) is Status.OK
        eventually(lambda: one.lost, 5)
        gevent.sleep(0.1)
        assert len(one.lost) == 1
        assert dead in one.lost[0]
        assert one.transport.stats().transmit_error == 1
        assert one.transport.stats().transmitted == 0

    def test_a_message_that_does_not_fit_is_refused_at_once(self, node: Callable[..., Node]) -> None:
        one = node(max_frame=2000)
        with Peer() as peer:
            one.routes(f"rte|1|{peer.name}")
            assert one.transport.send(Message(1, meid="m" * 32), one.lost.append) is Status.OVERFLOW
            assert one.transport.send(Message(1, bytes(2000)), one.lost.append) is Status.OVERFLOW
            assert one.transport.send_to("nowhere", Message(1), one.lost.append) is Status.NOENDPT
            assert one.transport.send(Message(1)) is Status.OK
            eventually(lambda: len(peer.got) == 1)
        assert one.lost == []

    def test_a_full_queue_answers_retry(self, node: Callable[..., Node]) -> None:
        one = node(send_queue=10, send_timeout=0.2)
        dead = f"127.0.0.1:{free_port()}"
        answers = [one.transport.send_to(dead, Message(1), one.lost.append) for _ in range(12)]
        assert answers == [Status.OK] * 10 + [Status.RETRY] * 2
        eventually(lambda: len(one.lost) == 10)
        assert one.transport.stats().transmit_retry == 2

    def test_a_health_check_is_answered_by_the_layer(self, node: Callable[..., Node]) -> None:
        one = node()
        link = Link.to(one.transport.port)
        link.send(frame(b"", mtype=mtypes.RIC_HEALTH_CHECK_REQ, xid=b"probe"))
        eventually(lambda: link.got)
        assert (link.got[0].mtype, link.got[0].payload) == (mtypes.RIC_HEALTH_CHECK_RESP, b"OK\n")
        assert link.got[0].transaction == b"probe"
        assert one.got == []
        link.close()

    def test_a_bug_of_the_handler_is_told_and_the_next_message_handled(self, node: Callable[..., Node]) -> None:
        def fail_first(at: Node, message: Message) -> None:
            if len(at.got) == 1:
                raise ZeroDivisionError

        one = node(fail_first)
        link = Link.to(one.transport.port)
        link.send(frame(mtype=1) + frame(mtype=2))
        eventually(lambda: len(one.got) == 2)
        assert [type(bug) for bug in one.bugs] == [ZeroDivisionError]
        assert one.transport.stats().handler_errors == 1
        link.close()

    def test_a_bug_of_failed_is_told(self, node: Callable[..., Node]) -> None:
        def failed(reason: str) -> None:
            raise ZeroDivisionError

        one = node(send_timeout=0.1)
        one.transport.send_to(f"127.0.0.1:{free_port()}", Message(1), failed)
        eventually(lambda: one.bugs)
        assert [type(bug) for bug in one.bugs] == [ZeroDivisionError]

    def test_the_port_in_use_is_named(self, node: Callable[..., Node]) -> None:
        one = node()
        taken = one.transport.port
        with pytest.raises(TransportError, match=f"{taken}: the port is in use"):
            WireTransport(TransportConfig(host="127.0.0.1", port=taken), one.got.append).start()

    def test_garbage_reaches_nobody(self, node: Callable[..., Node]) -> None:
        one = node()
        link = Link.to(one.transport.port)
        link.send(frame(b"a", mtype=1) + frame(b"ab", mtype=2, plen=-5))
        eventually(lambda: one.transport.stats().receive_error)
        assert [message.mtype for message in one.got] == [1]
        assert one.transport.stats().receive_error == {"negative_length": 1}
        link.close()

    def test_nothing_is_sent_after_stop(self, node: Callable[..., Node]) -> None:
        one = node()
        with Peer() as peer:
            one.transport.send_to(peer.name, Message(1, b"last"))
            one.transport.stop()
            eventually(lambda: peer.got)
            assert one.transport.send_to(peer.name, Message(1)) is Status.NOENDPT
            one.transport.stop()

    def test_the_hub_is_not_held_up_by_a_send(self, node: Callable[..., Node]) -> None:
        one = node(send_timeout=0.3)
        turns = 0

        def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                gevent.sleep(0.001)

        with deaf_port() as port:
            counter = gevent.spawn(count)
            one.transport.send_to(f"127.0.0.1:{port}", Message(1), one.lost.append)
            eventually(lambda: one.lost)
            counter.kill()
        assert turns > 50
