# SPDX-License-Identifier: Apache-2.0
"""The head of an answer is read as the standard library reads it, of all kinds of servers."""

from __future__ import annotations

import http.client
import time
import tracemalloc
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http.sockets import Octets

from submgr.platform.http.answer import Answer
from submgr.platform.http.buffered_socket import BufferedSocket, Malformed, PeerClosed


class Theirs:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def makefile(self, mode: str) -> BytesIO:
        return BytesIO(self._octets)


def answer_of(octets: bytes, method: str = "POST", piece: int = 65536) -> Answer:
    source = BufferedSocket(Octets(octets, piece))
    source.begin(60)
    return Answer(source, method)


def standard_answer_of(octets: bytes, method: str) -> Any:
    answer = http.client.HTTPResponse(Theirs(octets), method=method)  # type: ignore[arg-type]
    answer.begin()
    return answer


STATUS_LINES = (
    "HTTP/1.1 200 OK", "HTTP/1.1 204 ", "HTTP/1.1 304 Not Modified", "HTTP/1.0 200 OK", "HTTP/1.1 503",
    "HTTP/1.1 201 Created",
)  # fmt: skip
FIELDS = (
    "Content-Length: 3", "content-length:0", "Content-Length: -1", "Content-Length: x", "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity", "Connection: close", "Connection: Keep-Alive", "Keep-Alive: timeout=5",
    "connection: CLOSE", "Server: Apache/2.4", "X-Empty:", "Set-Cookie: a=1", "Set-Cookie: b=2",
)  # fmt: skip


@given(
    st.sampled_from(STATUS_LINES),
    st.lists(st.sampled_from(FIELDS), unique_by=lambda field: field.partition(":")[0].lower()),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["POST", "GET", "HEAD"]),
)
def test_reads_as_the_standard_library_does(status: str, fields: list[str], end: str, method: str) -> None:
    octets = end.join([status, *fields, "", ""]).encode() + b"abc"
    ours, theirs = answer_of(octets, method), standard_answer_of(octets, method)
    for name in ("status", "reason", "version", "chunked"):
        assert getattr(ours.head, name) == getattr(theirs, name), name
    for name in ("length", "will_close"):
        assert getattr(ours, name) == getattr(theirs, name), name
    if not ours.head.chunked:
        assert ours.read(1000) == theirs.read()


@given(
    st.lists(
        st.sampled_from([*STATUS_LINES, *FIELDS, "HTTP/1.1 100 Continue", "HTTP/1.1 101 Switching", "", " more", "x"]),
        min_size=1,
        max_size=8,
    ),
    st.lists(st.sampled_from(["\r\n", "\n", "\r\r\n", "\r"]), min_size=1, max_size=8),
    st.integers(1, 40),
)
def test_what_comes_whole_is_read_as_what_comes_in_pieces(lines: list[str], ends: list[str], piece: int) -> None:
    octets = "".join(line + end for line, end in zip(lines, ends * 8, strict=False)).encode() + b"\r\n\r\nabc"

    def read(piece: int) -> object:
        try:
            answer = answer_of(octets, piece=piece)
        except (Malformed, PeerClosed) as error:
            return type(error)
        return answer.head, answer.length

    assert read(65536) == read(piece)


def test_a_chunked_body_is_put_together() -> None:
    answer = answer_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert answer.read(1000) == b"abcde"
    assert answer.complete and not answer.will_close


def test_fields_are_told_in_lower_case_and_repeated_ones_once() -> None:
    answer = answer_of(b"HTTP/1.1 200 OK\r\nX-One: a\r\nx-one: b\r\nLong: c\r\n  d\r\nContent-Length: 0\r\n\r\n")
    assert answer.head.fields == {"x-one": "a, b", "long": "c d", "content-length": "0"}


def test_a_length_told_twice_counts_once() -> None:
    answer = answer_of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nokrest")
    assert answer.read(1000) == b"ok"


def test_lines_that_are_no_fields_are_passed_over() -> None:
    answer = answer_of(b"HTTP/1.1 200 OK\r\n leading\r\nno colon here\r\n: no name\r\nContent-Length: 2\r\n\r\nok")
    assert answer.head.fields == {"content-length": "2"}


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing", b"103 Early Hints", b"199 Whatever"])
def test_interim_answers_before_the_answer_are_skipped(interim: bytes) -> None:
    first = b"HTTP/1.1 " + interim + b"\r\nX: y\r\n\r\n"
    assert answer_of(first + b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").head.status == 201


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"no status line at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000 + b"HTTP/1.1 200 OK\r\n\r\n",
        b"",
    ],
)
def test_what_is_no_answer_is_refused(octets: bytes) -> None:
    with pytest.raises((Malformed, PeerClosed)):
        answer_of(octets)


@pytest.mark.parametrize("octets", [b"HTTP/1.1 200" + b" " * 60_000 + b"x" + b" " * 1000, b"HTTP/1.1" + b" " * 60_000])
def test_a_status_line_of_nothing_but_spaces_takes_no_time(octets: bytes) -> None:
    began = time.process_time()
    with suppress(Malformed, PeerClosed):
        answer_of(octets + b"\r\n\r\n")
    assert time.process_time() - began < 0.05


def test_a_body_in_tiny_chunks_takes_the_room_of_its_data():
    answer = answer_of(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3\r\nabc\r\n" * 50_000 + b"0\r\n\r\n"
    )
    tracemalloc.start()
    try:
        assert len(answer.read(200_000)) == 150_000
        assert tracemalloc.get_traced_memory()[1] < 1_500_000  # with what the peer's side of this test keeps
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("octets", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", None),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", None),
    ],
)
def test_a_body_that_has_come_whole_is_taken_at_once(octets: bytes, body: bytes | None) -> None:
    answer = answer_of(octets)
    assert answer.at_once() == body
    assert answer.complete == (body is not None)
    assert answer.reusable == (body is not None and not octets.endswith(b"abcd"))


def test_what_is_left_of_a_body_is_taken_at_once_too() -> None:
    answer = answer_of(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    assert answer.read(1) == b"a"
    assert answer.at_once() == b"bc"
    assert answer.read(9) == b""
