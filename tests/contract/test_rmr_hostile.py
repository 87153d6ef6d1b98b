# SPDX-License-Identifier: Apache-2.0
"""The wire transport among broken and hostile peers: they cost little, and nobody else notices."""

from __future__ import annotations

import resource
import socket as stdsocket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import gevent
import pytest
from gevent import socket
from support.ports import free_port
from support.rmr.frames import frame
from support.rmr.peer import Link, Peer
from support.waiting import eventually

from submgr.platform.names import Names
from submgr.platform.turns import turn
from submgr.rmr import mtypes
from submgr.rmr.framing import Framer
from submgr.rmr.message import Message, Status
from submgr.rmr.routing.reader import parse_routes
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire import endpoint
from submgr.rmr.wire.transport import WireTransport

Made = tuple[WireTransport, list[Message]]


@pytest.fixture
def node() -> Iterator[Callable[..., Made]]:
    started: list[WireTransport] = []

    def make(handler: Callable[[Message], None] | None = None, **limits: Any) -> Made:
        got: list[Message] = []
        config = TransportConfig(**{"host": "127.0.0.1", "port": 0, "name": "127.0.0.1"} | limits)
        transport = WireTransport(config, handler or got.append)
        transport.start()
        started.append(transport)
        return transport, got

    yield make
    for transport in started:
        transport.stop(timeout=0)


def still_serves(transport: WireTransport) -> None:
    """Another peer gets its health check answered."""
    link = Link.to(transport.port)
    link.send(frame(mtype=mtypes.RIC_HEALTH_CHECK_REQ))
    eventually(lambda: link.got, what="a health check is answered")
    link.close()


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "length_too_large"),
        (bytes(64), "length_too_small"),
        (frame(total=-5), "length_negative"),
        (frame(b"ab", plen=-5), "negative_length"),
        (frame(b"ab", plen=3), "length_sum"),
        (frame(len0=1), "header_length"),
    ],
)
def test_garbage_closes_its_connection_only(node: Callable[..., Made], garbage: bytes, reason: str) -> None:
    transport, got = node()
    good, bad = Link.to(transport.port), Link.to(transport.port)
    bad.send(frame(mtype=1) + garbage)
    eventually(lambda: bad.closed, what="the bad connection is closed")
    good.send(frame(mtype=2))
    eventually(lambda: [message.mtype for message in got] == [1, 2])
    assert transport.stats().receive_error == {reason: 1}
    assert transport.stats().connections == 1
    good.close()


def test_garbage_is_logged_once_for_a_kind_and_peer(
    node: Callable[..., Made], caplog: pytest.LogCaptureFixture
) -> None:
    transport, _ = node()
    for _ in range(20):
        link = Link.to(transport.port)
        link.send(bytes(64))
        eventually(lambda link=link: link.closed)
    assert transport.stats().receive_error == {"length_too_small": 20}
    assert len([record for record in caplog.records if vars(record).get("peer") == "127.0.0.1"]) == 1


def test_a_name_that_is_no_text_costs_its_message_only(node: Callable[..., Made]) -> None:
    transport, got = node()
    link = Link.to(transport.port)
    link.send(frame(mtype=1, meid=b"\xff") + frame(mtype=2))
    eventually(lambda: [message.mtype for message in got] == [2])
    assert transport.stats().dropped == {"unreadable_name": 1}
    assert not link.closed
    link.close()


def test_slow_loris(node: Callable[..., Made]) -> None:
    transport, got = node(frame_timeout=0.3)
    idle, slow = Link.to(transport.port), Link.to(transport.port)

    def drip() -> None:
        with pytest.raises(OSError):
            for byte in frame(bytes(10_000)):
                slow.send(bytes([byte]))
                gevent.sleep(0.01)

    dripping = gevent.spawn(drip)
    eventually(lambda: slow.closed, what="a frame that takes too long closes its connection")
    dripping.join(timeout=5)
    gevent.sleep(0.3)
    assert transport.stats().receive_error == {"slow_frame": 1}
    idle.send(frame(mtype=7))
    eventually(lambda: [message.mtype for message in got] == [7], what="an idle connection stays")
    idle.close()


def test_a_frame_whose_bytes_are_always_there_ends_in_time_too(node: Callable[..., Made]) -> None:
    """The read never waits, so no timer of the socket fires: the clock is looked at where the bytes are taken."""
    transport, _ = node(frame_timeout=0.05)
    link = Link.to(transport.port)
    begun = frame(bytes(100_000))

    def drip() -> None:
        with pytest.raises(OSError):
            for at in range(0, len(begun), 10):
                link.send(begun[at : at + 10])
                turn()

    dripping = gevent.spawn(drip)
    eventually(lambda: link.closed)
    dripping.join(timeout=5)
    assert transport.stats().receive_error == {"slow_frame": 1}


def test_many_floods_at_once_share_a_turn_and_another_peer_has_its_own(node: Callable[..., Made]) -> None:
    """Fifty peers that are ready at once: each takes a piece of the turn, the next turn comes all the same."""
    transport, got = node()
    flood = frame(bytes(100), mtype=31_000) * 400
    links = [Link.to(transport.port) for _ in range(50)]

    def blow(link: Link) -> None:
        with suppress(OSError):
            while True:
                link.send(flood)

    blowing = [gevent.spawn(blow, link) for link in links]
    eventually(lambda: len(got) > 5000)
    got.clear()
    still_serves(transport)
    handled = len(got)
    gevent.killall(blowing)
    assert handled < 50 * 400, "one health check waits for a round of the others, not for all that they have sent"
    for link in links:
        link.close()


def test_a_frame_in_many_pieces_within_the_time_is_taken(node: Callable[..., Made]) -> None:
    transport, got = node(frame_timeout=5)
    link = Link.to(transport.port)
    stream = frame(b"x" * 2000, mtype=1) * 3
    for at in range(0, len(stream), 97):
        link.send(stream[at : at + 97])
        gevent.sleep(0.001)
    eventually(lambda: len(got) == 3)
    link.close()


def test_a_thousand_idle_connections(node: Callable[..., Made]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2400:
        pytest.skip(f"only {hard} open files are allowed here (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2400), hard))
    transport, _ = node()
    idle = []
    for _ in range(1000):
        idle.append(socket.create_connection(("127.0.0.1", transport.port)))
    eventually(lambda: transport.stats().connections == 1000)
    still_serves(transport)
    for sock in idle:
        sock.close()
    eventually(lambda: transport.stats().connections == 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_many_connections_cost_the_one_silent_for_longest(node: Callable[..., Made]) -> None:
    transport, got = node(max_connections=3)
    busy = Link.to(transport.port)
    silent = Link.to(transport.port)
    third = Link.to(transport.port)
    eventually(lambda: transport.stats().connections == 3)
    for link in (third, busy):
        link.send(frame(mtype=1))
    eventually(lambda: len(got) == 2)
    fourth = Link.to(transport.port)
    eventually(lambda: silent.closed)
    fourth.send(frame(mtype=2))
    busy.send(frame(mtype=2))
    eventually(lambda: len(got) == 4)
    assert transport.stats().dropped == {"too_many_connections": 1}
    for link in (busy, silent, third, fourth):
        link.close()


def test_unfinished_frames_are_bounded_together(node: Callable[..., Made]) -> None:
    transport, got = node(max_partial_bytes=1_000_000)
    begun = frame(total=600_000)[:330] + bytes(300_000)
    links = []
    for _ in range(6):
        links.append(Link.to(transport.port))
        links[-1].send(begun)
        gevent.sleep(0.05)
    eventually(lambda: [link.closed for link in links] == [True] * 3 + [False] * 3, what="the oldest make room")
    assert transport.stats().receive_error == {"too_many_partial": 3}
    links[-1].send(bytes(600_000 - len(begun)))
    eventually(lambda: len(got) == 1)
    for link in links:
        link.close()


def test_a_peer_that_never_reads_delays_nobody_else(node: Callable[..., Made]) -> None:
    transport, _ = node(send_timeout=0.3, stall_timeout=1.0, send_bytes=1 << 20)
    lost: list[str] = []
    with Peer(read=False) as deaf, Peer() as well:
        answers: list[Status] = []
        while answers.count(Status.RETRY) < 10:
            answers.append(transport.send_to(deaf.name, Message(1, bytes(500_000)), lost.append))
            gevent.sleep(0.002)
        accepted = answers.count(Status.OK)
        for number in range(10):
            transport.send_to(well.name, Message(2, str(number).encode()), lost.append)
        eventually(lambda: [int(message.payload) for message in well.got] == list(range(10)))
        assert transport.stats().endpoints[deaf.name] <= 4, "a mega byte and what is being written"
        eventually(lambda: transport.stats().endpoints[deaf.name] == 0, what="each is sent or told to be lost")
        stats = transport.stats()
    assert stats.transmit_retry == 10
    assert len(lost) == stats.transmit_error
    assert stats.transmitted - 10 + len(lost) == accepted
    assert any("does not read" in reason or "broke" in reason for reason in lost), lost


def test_answers_nobody_reads_are_bounded(node: Callable[..., Made]) -> None:
    transport, _ = node(send_queue=100, send_timeout=0.2)
    link = Link.to(transport.port, read=False)
    link.sock.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_RCVBUF, 4096)
    probe = frame(bytes(10), mtype=mtypes.RIC_HEALTH_CHECK_REQ)
    sending = gevent.spawn(link.send, probe * 50_000)
    eventually(lambda: transport.stats().dropped.get("health_check", 0) > 1000)
    assert transport.stats().enqueued <= 100 + 4096 + 65536 // len(probe) + 1
    still_serves(transport)
    sending.kill()
    link.close()


def test_what_waits_for_peers_that_never_read_is_bounded_together(node: Callable[..., Made]) -> None:
    transport, _ = node(send_timeout=5.0, max_queued_bytes=4 << 20)
    with Peer() as well:
        deaf = [f"127.0.0.1:{free_port()}" for _ in range(8)]  # not even there yet
        answers = [transport.send_to(name, Message(1, bytes(500_000))) for _ in range(8) for name in deaf]
        assert 9 <= answers.count(Status.OK) <= 16, "four mega bytes and one for each"
        assert transport.send_to(well.name, Message(2)) is Status.OK
        eventually(lambda: well.got, what="who has nothing waiting is sent to")


def test_a_reset_in_the_middle_of_a_frame(node: Callable[..., Made]) -> None:
    transport, got = node()
    for cut in (1, 3, 4, 49, 50, 329, 330, 400):
        link = Link.to(transport.port)
        link.send(frame(b"whole", mtype=1) + frame(bytes(1000))[:cut])
        eventually(lambda: transport.stats().connections == 1)
        gevent.sleep(0.01)
        link.reset()
        eventually(lambda: transport.stats().connections == 0)
    eventually(lambda: len(got) == 8)
    assert transport.stats().receive_error == {}


def test_a_frame_cut_by_a_broken_connection_is_sent_again_and_none_twice(node: Callable[..., Made]) -> None:
    transport, _ = node(send_timeout=10.0, backoff_min=0.01, send_queue=10_000)
    lost: list[str] = []
    with Peer(read=False) as peer:
        # what the kernel had taken when the reset came is gone; what it had not is sent anew
        taken_over = []
        for number in range(300):
            payload = str(number).encode().ljust(100_000)
            if transport.send_to(peer.name, Message(1, payload), lost.append) is Status.OK:
                taken_over.append(number)
            gevent.sleep(0)
        assert len(taken_over) > 160
        eventually(lambda: peer.links)
        taken = transport.stats().transmitted
        assert 0 < transport.stats().endpoints[peer.name] < 300
        peer._read = True
        peer.links[0].reset()
        eventually(lambda: transport.stats().endpoints[peer.name] == 0)
        accepted = transport.stats().transmitted
        eventually(lambda: len(peer.got) == accepted - taken)
        numbers = [int(message.payload) for message in peer.got]
    assert numbers == taken_over[taken:accepted]
    assert lost == []


def test_a_peer_that_comes_back_gets_what_waited(node: Callable[..., Made]) -> None:
    transport, _ = node(send_timeout=5.0)
    port = free_port()
    lost: list[str] = []
    for number in range(5):
        transport.send_to(f"127.0.0.1:{port}", Message(number), lost.append)
    gevent.sleep(0.3)
    with Peer(port) as peer:
        eventually(lambda: [message.mtype for message in peer.got] == [0, 1, 2, 3, 4])
        peer.links[0].reset()
        gevent.sleep(0.05)
        transport.send_to(peer.name, Message(5), lost.append)
        eventually(lambda: [message.mtype for message in peer.got] == [0, 1, 2, 3, 4, 5])
    assert lost == []


def test_strangers_cannot_make_us_keep_endpoints(node: Callable[..., Made]) -> None:
    def answer(message: Message) -> None:
        transport.reply(message, 2, b"")

    transport, _ = node(answer, max_endpoints=10, send_timeout=0.2, idle_timeout=0.2)
    link = Link.to(transport.port)
    for number in range(200):
        link.send(frame(mtype=1, src=f"127.0.0.{number + 1}:1".encode()))
    eventually(lambda: len(link.got) == 200, what="each is answered on the connection it came in on")
    assert len(transport.stats().endpoints) <= 10
    eventually(lambda: not transport.stats().endpoints, what="idle endpoints without a route are forgotten")
    link.close()


def test_a_health_check_does_not_make_us_connect_anywhere(node: Callable[..., Made]) -> None:
    transport, _ = node()
    with Peer() as victim:
        link = Link.to(transport.port)
        link.send(frame(mtype=mtypes.RIC_HEALTH_CHECK_REQ, src=victim.name.encode()))
        eventually(lambda: link.got)
        assert victim.links == []
        link.close()


def test_a_flood_is_held_back_and_nothing_of_it_lost(node: Callable[..., Made]) -> None:
    handled: list[int] = []

    def slow(message: Message) -> None:
        handled.append(int(message.payload))
        if len(handled) % 500 == 0:
            gevent.sleep(0.01)

    receiver, _ = node(slow, receive_queue=200)
    sender, _ = node(send_queue=500, send_timeout=30.0)
    most = refused = number = 0
    while number < 20_000:
        if sender.send_to(receiver.name, Message(1, str(number).encode())) is Status.OK:
            number += 1
        else:
            refused += 1
            most = max(most, receiver.stats().enqueued)
            gevent.sleep(0.001)
    eventually(lambda: len(handled) == 20_000)
    assert handled == list(range(20_000))
    assert refused > 0
    assert most <= 200 + 65536 // 338 + 1
    assert receiver.stats().dropped == {}


def test_a_storm_for_nobody_leaves_others_their_turn(node: Callable[..., Made]) -> None:
    transport, got = node()
    storm = frame(bytes(100), mtype=31_000) * 1000
    links = [Link.to(transport.port) for _ in range(4)]

    def blow(link: Link) -> None:
        while True:
            link.send(storm)

    blowing = [gevent.spawn(blow, link) for link in links]
    eventually(lambda: len(got) > 2000)
    before = len(got)
    for _ in range(5):
        still_serves(transport)
        got.clear()
    gevent.killall(blowing)
    assert before > 2000
    for link in links:
        link.close()


def test_messages_that_came_while_the_hub_was_busy_are_all_there(node: Callable[..., Made]) -> None:
    transport, got = node()
    plain = stdsocket.create_connection(("127.0.0.1", transport.port))
    gevent.sleep(0.05)
    for number in range(1000):
        plain.sendall(frame(str(number).encode(), mtype=1))
        if number == 500:
            time.sleep(0.1)
    eventually(lambda: len(got) == 1000)
    assert [int(message.payload) for message in got] == list(range(1000))
    plain.close()


def test_what_comes_on_a_connection_we_opened_is_read(node: Callable[..., Made]) -> None:
    transport, got = node()
    with Peer() as peer:
        transport.send_to(peer.name, Message(1))
        eventually(lambda: peer.got)
        peer.links[0].send(frame(b"back", mtype=2))
        eventually(lambda: [message.payload for message in got] == [b"back"])


def test_an_answer_on_a_connection_we_opened_does_not_come_into_the_middle_of_a_frame(
    node: Callable[..., Made],
) -> None:
    transport, _ = node(send_timeout=10.0)
    payloads = [bytes([number]) * 1_000_000 for number in range(8)]
    with Peer(read=False) as peer:
        for payload in payloads:
            assert transport.send_to(peer.name, Message(1, payload)) is Status.OK
        eventually(lambda: peer.links and 0 < transport.stats().endpoints[peer.name] < 8)
        link = peer.links[0]
        link.send(frame(mtype=mtypes.RIC_HEALTH_CHECK_REQ))
        eventually(lambda: transport.stats().received == 1)
        link.read()
        eventually(lambda: link.closed or len(link.got) == 9)
        assert [message.payload for message in link.got if message.mtype == 1] == payloads
        assert mtypes.RIC_HEALTH_CHECK_RESP in [message.mtype for message in link.got]


def test_no_delay_on_every_connection(node: Callable[..., Made]) -> None:
    transport, _ = node()
    with Peer() as peer:
        link = Link.to(transport.port)
        transport.send_to(peer.name, Message(1))
        eventually(lambda: transport.stats().connections == 2)
        both = [*transport._accepted, *transport._opened]
        assert [one.sock.getsockopt(stdsocket.IPPROTO_TCP, stdsocket.TCP_NODELAY) for one in both] == [1, 1]
        link.close()


def test_librmr_could_listen_after_us_while_connections_wait_to_die(node: Callable[..., Made]) -> None:
    transport, _ = node()
    port = transport.port
    link = Link.to(port)
    link.send(frame(mtype=mtypes.RIC_HEALTH_CHECK_REQ))
    eventually(lambda: link.got)
    transport.stop()
    eventually(lambda: link.closed)
    link.close()
    with stdsocket.socket() as like_librmr:
        like_librmr.setsockopt(stdsocket.SOL_SOCKET, stdsocket.SO_REUSEPORT, 1)
        like_librmr.bind(("127.0.0.1", port))


def test_two_of_us_do_not_share_a_port(node: Callable[..., Made]) -> None:
    transport, _ = node()
    with pytest.raises(Exception, match=f"127.0.0.1:{transport.port}: the port is in use"):
        node(port=transport.port)


def test_a_stream_of_any_bytes_never_raises(node: Callable[..., Made]) -> None:
    transport, _ = node(frame_timeout=0.2)
    for seed in range(30):
        link = Link.to(transport.port)
        noise = bytes((seed * 31 + at * 7) % 256 for at in range(seed * 40 + 1))
        assert Framer().feed(noise) == []
        link.send(noise)
        eventually(lambda link=link: link.closed)
        link.close()
    still_serves(transport)


def test_strangers_make_room_before_those_who_sent_something(node: Callable[..., Made]) -> None:
    transport, got = node(max_connections=2)
    known = Link.to(transport.port)
    known.send(frame(mtype=1))
    eventually(lambda: got)
    strangers = [Link.to(transport.port) for _ in range(10)]
    eventually(lambda: sum(link.closed for link in strangers) == 9)
    known.send(frame(mtype=2))
    eventually(lambda: len(got) == 2)
    for link in (known, *strangers):
        link.close()


def test_a_host_with_many_connections_makes_room_before_one_with_few(node: Callable[..., Made]) -> None:
    transport, got = node(host="0.0.0.0", max_connections=3)
    quiet = Link(socket.create_connection(("127.0.0.1", transport.port), source_address=("127.0.0.2", 0)))
    quiet.read()
    quiet.send(frame(mtype=1))
    eventually(lambda: got)
    crowd = []
    for number in range(10):
        crowd.append(Link.to(transport.port))
        crowd[-1].send(frame(mtype=2))
        eventually(lambda number=number: len(got) == number + 2)
    assert sum(link.closed for link in crowd) == 8
    quiet.send(frame(mtype=3))
    eventually(lambda: got[-1].mtype == 3)
    for link in (quiet, *crowd):
        link.close()


def test_sources_whose_names_hang_are_answered_at_once_on_their_own_connections(node: Callable[..., Made]) -> None:
    def answer(message: Message) -> None:
        assert transport.reply(message, 2, message.payload) is Status.OK

    transport, _ = node(answer)
    links = [Link.to(transport.port) for _ in range(10)]
    for number, link in enumerate(links):
        link.send(frame(str(number).encode(), mtype=1, src=f"hang-{number}.example:4560".encode()))
    eventually(lambda: all(link.got for link in links))
    assert [link.got[0].payload for link in links] == [str(number).encode() for number in range(10)]
    assert transport.stats().endpoints == {}, "nobody is connected to, so that nothing is looked up"
    for link in links:
        link.close()


def test_a_route_has_an_endpoint_however_many_strangers_wait_for_theirs(node: Callable[..., Made]) -> None:
    transport, _ = node(max_endpoints=3, send_timeout=5.0)
    strangers = [f"127.0.0.1:{free_port()}" for _ in range(4)]
    sent = [transport.send_to(name, Message(1)) for name in strangers]
    assert sent == [Status.OK] * 3 + [Status.NOENDPT]
    with Peer() as routed:
        transport.set_routes(parse_routes(f"newrt|start\nrte|7|{routed.name}\nnewrt|end"))
        assert transport.send(Message(7)) is Status.OK
        eventually(lambda: routed.got)


@pytest.mark.parametrize("name", ["a..b", "a" * 60 + ".b", "ü"])
def test_what_cannot_be_a_name_is_told(node: Callable[..., Made], name: str) -> None:
    transport, _ = node(send_timeout=0.3)
    lost: list[str] = []
    if transport.send_to(f"{name}:4560"[-63:], Message(1), lost.append) is Status.OK:
        (told,) = eventually(lambda: lost)
        assert ":4560" in told
    still_serves(transport)


def test_our_own_manager_is_looked_up_apart_from_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, list[str]] = {"ours": [], "others": []}

    def look_up(whose: str) -> Names:
        def told(name: str) -> list[tuple[Any, ...]]:
            asked[whose].append(name)
            raise OSError("no such name")

        return Names(told, at_once=1)

    monkeypatch.setattr(endpoint, "neighbours", look_up("ours"))
    monkeypatch.setattr(endpoint, "strangers", look_up("others"))
    config = TransportConfig(host="127.0.0.1", port=0, name="127.0.0.1", send_timeout=0.3)
    transport = WireTransport(config, lambda message: None, ours=frozenset(("rtmgr:4560",)))
    transport.start()
    lost: list[str] = []
    for name in ("rtmgr:4560", "rtmgr:4561", "xapp:4560"):
        transport.send_to(name, Message(1), lost.append)
    eventually(lambda: len(lost) == 3)
    transport.stop(timeout=0)
    assert {whose: set(names) for whose, names in asked.items()} == {"ours": {"rtmgr"}, "others": {"rtmgr", "xapp"}}


def test_a_name_that_does_not_resolve_is_told(node: Callable[..., Made]) -> None:
    transport, _ = node(send_timeout=0.3)
    lost: list[str] = []
    transport.send_to("no-such-host.invalid:4560", Message(1), lost.append)
    eventually(lambda: lost)
    assert "no-such-host.invalid:4560" in lost[0] or "no connection" in lost[0]


def test_the_handler_itself_may_stop_the_transport(node: Callable[..., Made]) -> None:
    handled: list[int] = []

    def stop_at_the_second(message: Message) -> None:
        handled.append(message.mtype)
        if message.mtype == 2:
            transport.reply(message, 3, b"last")
            transport.stop()

    transport, _ = node(stop_at_the_second)
    link = Link.to(transport.port)
    link.send(frame(mtype=1) + frame(mtype=2) + frame(mtype=5) * 3)
    eventually(lambda: link.closed)
    assert handled == [1, 2]
    assert [message.payload for message in link.got] == [b"last"]
    assert transport.stats().dropped == {"stopped": 3}
    assert transport.stats().connections == 0


def test_a_handler_that_timed_out_is_a_bug_like_any_other(node: Callable[..., Made]) -> None:
    def late(message: Message) -> None:
        handled.append(message)
        raise gevent.Timeout(1)

    handled: list[Message] = []
    transport, _ = node(late)
    link = Link.to(transport.port)
    link.send(frame(mtype=1) * 2)
    eventually(lambda: len(handled) == 2)
    assert transport.stats().handler_errors == 2
    link.close()
