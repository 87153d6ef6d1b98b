# SPDX-License-Identifier: Apache-2.0
"""A request that comes whole is read as one that comes in pieces."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from support.http.sockets import Octets

from submgr.platform.http.buffered_socket import BufferedSocket, PeerClosed
from submgr.platform.http.connections import HttpLimits
from submgr.platform.http.request_head import Refused
from submgr.platform.http.request_reader import Request, read_request

LINES = (
    "GET / HTTP/1.1", "POST /a?b HTTP/1.1", "DELETE /a HTTP/1.0", "GET /health HTTP/1.1", "GET  / HTTP/1.1", "G",
    "Host: x", "Content-Length: 3", "Content-Length: 70", "Transfer-Encoding: chunked", "Connection: close",
    "Content-Type: a", " b", "no field", "X: " + "y" * 2000, "",
)  # fmt: skip


def read(octets: bytes, piece: int) -> object:
    source = BufferedSocket(Octets(octets, piece))
    source.begin(60)
    try:
        return read_request(source, HttpLimits(body=64), probes_only=False)
    except Refused as refused:
        return refused.status, refused.message
    except PeerClosed as closed:
        return type(closed)


@given(
    st.lists(st.sampled_from(LINES), min_size=1, max_size=8),
    st.lists(st.sampled_from(["\r\n", "\r\n", "\n", "\r\r\n", "\r"]), min_size=1, max_size=8),
    st.integers(1, 40),
)
@example(["", "GET / HTTP/1.1", "Host: x"], ["\r\n"], 1)
@example(["", "", "GET / HTTP/1.1", "Host: x"], ["\n"], 1)
@example(["", "GET / HTTP/1.0"], ["\r\n"], 3)
def test_what_comes_whole_is_read_as_what_comes_in_pieces(lines: list[str], ends: list[str], piece: int) -> None:
    octets = "".join(line + end for line, end in zip(lines, ends * 8, strict=False)).encode() + b"\r\n0\r\n\r\n"
    assert read(octets, 65536) == read(octets, piece)


def test_an_empty_line_before_a_request_is_passed_over() -> None:
    for end in (b"\r\n", b"\n"):
        for piece in (1, 65536):
            request = read(end + b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", piece)
            assert isinstance(request, Request)
            assert request.first.text == "GET /a HTTP/1.1"
