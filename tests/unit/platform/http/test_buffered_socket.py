# SPDX-License-Identifier: Apache-2.0
"""Lines, heads and bodies are cut out of what a peer sends, in whatever pieces it comes, within bounds."""

from __future__ import annotations

from math import inf

import gevent
import pytest
from gevent import socket
from hypothesis import given
from hypothesis import strategies as st
from support.http.sockets import Octets

from submgr.platform.http import buffered_socket
from submgr.platform.http.answer_head import read_head
from submgr.platform.http.buffered_socket import (
    MAX_FRAMING,
    BufferedSocket,
    ChunkedBody,
    Malformed,
    PeerClosed,
    TooLong,
)


def source_of(octets: bytes, piece: int = 65536) -> BufferedSocket:
    source = BufferedSocket(Octets(octets, piece))
    source.begin(5)
    return source


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def all_of(body: ChunkedBody) -> bytes:
    pieces = []
    while not body.complete:
        pieces.append(body.some(1000))
    return b"".join(pieces)


@given(st.integers(1, 7), st.sampled_from([b"\r\n", b"\n"]))
def test_messages_are_cut_where_they_end_in_whatever_pieces_they_come(piece, end):
    octets = end.join([b"first", b"A: b", b"C: d", b"", b"bodysecond", b"", b"rest"])
    source = source_of(octets, piece)
    assert source.line() == b"first" + end
    assert source.header_lines() == b"A: b" + end + b"C: d" + end
    body = b""
    while len(body) < 4:
        body += source.some(4 - len(body))
    assert body == b"body"
    assert source.line() == b"second" + end
    assert source.header_lines() == b""
    assert source.some(1) == b"r"


@given(st.lists(st.binary(min_size=1, max_size=300)), st.integers(1, 50))
def test_chunks_are_put_together(chunks, piece):
    source = source_of(chunked(*chunks) + b"next", piece)
    assert all_of(ChunkedBody(source)) == b"".join(chunks)
    assert source.some(1) == b"n"


def test_extensions_and_trailers_are_passed_over():
    octets = b"3 ; a=b\r\nabc\r\n002;x\r\nde\r\n0;last\r\nT: x\r\nU: y\r\n\r\n"
    assert all_of(ChunkedBody(source_of(octets))) == b"abcde"


def test_the_last_chunk_completes_a_body_whose_peer_closes_then():
    assert all_of(ChunkedBody(source_of(b"1\r\na\r\n0\r\n"))) == b"a"


@pytest.mark.parametrize(
    "octets",
    [b"\r\n", b"zz\r\n", b"-1\r\na\r\n", b"0x1\r\na\r\n", b"1_0\r\n", b"1\na\r\n", b"1\r\nabc\r\n0\r\n\r\n",
     b"2\r\nabXX", b"f" * 16 + b"\r\n", b"1\rx\r\n"],
)  # fmt: skip
def test_malformed_chunks_are_told(octets):
    with pytest.raises(Malformed):
        all_of(ChunkedBody(source_of(octets)))


@pytest.mark.parametrize("octets", [b"", b"5", b"5\r\n", b"5\r\nabc", b"5\r\nabcde", b"5\r\nabcde\r\n"])
def test_a_chunked_body_without_its_last_chunk_is_incomplete(octets):
    with pytest.raises((PeerClosed, Malformed)):
        all_of(ChunkedBody(source_of(octets)))


def test_what_is_not_data_of_the_body_has_one_bound():
    for octets in (b"T: " + b"x" * MAX_FRAMING, b"T: xxxx\r\n" * 10_000 + b"\r\n"):
        with pytest.raises(TooLong):
            source_of(octets).header_lines()
        with pytest.raises(TooLong):
            all_of(ChunkedBody(source_of(b"1\r\na\r\n0\r\n" + octets)))
    with pytest.raises(TooLong):
        all_of(ChunkedBody(source_of(b"1;" + b"x" * MAX_FRAMING)))
    with pytest.raises(TooLong):
        all_of(ChunkedBody(source_of(b"1;%s\r\na\r\n" % (b"x" * 100) * 700 + b"0\r\n\r\n")))


def test_a_long_body_in_small_chunks_is_in_order():
    assert all_of(ChunkedBody(source_of(chunked(*[b"eight at"] * 50_000)))) == b"eight at" * 50_000


@pytest.mark.parametrize("size", [b"1", b"01", b"000000000000001"])
def test_a_long_body_in_the_smallest_chunks_is_in_order(size):
    octets = (size + b"\r\na\r\n") * 70_000 + b"0\r\n\r\n"
    assert all_of(ChunkedBody(source_of(octets))) == b"a" * 70_000


def test_the_bound_holds_for_one_message_and_not_for_the_connection():
    source = source_of(b"x" * 40_000 + b"\n" + b"y" * 40_000 + b"\n")
    source.line()
    source.begin(5)
    assert len(source.line()) == 40_001


def test_a_line_has_a_bound_of_its_own():
    for octets in (b"x" * 10, b"x" * 10 + b"\n"):
        with pytest.raises(TooLong):
            source_of(octets).line(10)
    assert source_of(b"x" * 9 + b"\n").line(10) == b"x" * 9 + b"\n"


@pytest.mark.parametrize("octets", [b"", b"A", b"A: b\r\n", b"A: b\r\n\r"])
def test_a_peer_that_closes_in_a_head_is_told(octets):
    with pytest.raises(PeerClosed):
        source_of(octets).header_lines()


class Clock:
    """In place of the module `time`: each octet takes 5 ms."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def tick(self) -> None:
        self.now += 0.005


def test_a_peer_that_never_waits_cannot_pass_the_deadline(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(buffered_socket, "time", clock)
    source = BufferedSocket(Octets(b"x" * 1000, 1, before=clock.tick))
    source.begin(0.05)
    with pytest.raises(TimeoutError):
        source.line()
    assert clock.now < 0.1


def test_a_peer_that_is_silent_is_waited_for_until_the_deadline():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        source = BufferedSocket(ours)
        source.begin(0.05)
        with pytest.raises(TimeoutError):
            source.line()
        with pytest.raises(TimeoutError):
            source.send(b"x" * 10_000_000)  # nobody takes it


def test_a_peer_that_always_has_more_leaves_others_their_turn():
    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0.0001)

    other = gevent.spawn(count)
    source = source_of(b"x" * 20_000_000)
    while source.some(65536):
        continue
    other.kill()
    assert turns > 5


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda: all_of(ChunkedBody(source_of(b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n"))), id="chunks"),
        pytest.param(
            lambda: read_head(source_of(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000 + b"HTTP/1.1 200 OK\r\n\r\n")),
            id="interim answers",
        ),
    ],
)
def test_who_sends_little_need_not_wait_for_others_whose_one_piece_has_many_lines(read):
    """Twenty peers with some ms of lines each that have come already, and behind them one with a line."""
    ended: list[str] = []
    many = [gevent.spawn(read) for _ in range(20)]
    few = gevent.spawn(source_of(b"line\n").line)
    for name, reads in (("many", many), ("few", [few])):
        for each in reads:
            each.link(lambda _, name=name: ended.append(name))
    gevent.joinall([*many, few], raise_error=True)
    assert ended.index("few") < 15


@pytest.mark.parametrize("seconds", [60.0, inf])
def test_what_is_sent_slowly_arrives_and_is_told(seconds):
    ours, peers = socket.socketpair()
    with ours, peers:
        source = BufferedSocket(ours)
        source.begin(seconds)
        assert source.send(b"at once")
        assert peers.recv(99) == b"at once"
        payload = bytes(range(256)) * 40_000
        sending = gevent.spawn(source.send, payload)
        came = b""
        while len(came) < len(payload):
            came += peers.recv(1 << 20)
        assert came == payload
        assert sending.get() is False


@pytest.mark.parametrize("has_come", [True, False])
@pytest.mark.parametrize("seconds", [60.0, inf])
def test_the_beginning_of_an_answer_is_waited_for(has_come, seconds):
    ours, peers = socket.socketpair()
    with ours, peers:
        source = BufferedSocket(ours)
        if has_come:
            peers.send(b"x")
        else:
            gevent.spawn(peers.send, b"x")
        assert source.fill_later(seconds)
        assert source.pending == 1
        with pytest.raises(TimeoutError):
            source.fill_later(0.001)
        peers.close()
        assert not source.fill_later(seconds)


def test_one_that_is_woken_for_nothing_waits_on(monkeypatch):
    monkeypatch.setattr(buffered_socket, "wait_until_readable_within", lambda sock, seconds: None)
    ours, peers = socket.socketpair()
    with ours, peers:
        source = BufferedSocket(ours)
        for seconds in (60.0, inf):
            gevent.spawn(peers.send, b"x")
            assert source.fill_later(seconds)
        with pytest.raises(TimeoutError):
            source.fill_later(0.001)
