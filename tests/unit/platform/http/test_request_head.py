# SPDX-License-Identifier: Apache-2.0
"""Header fields that two readers could read differently are refused."""

from __future__ import annotations

import pytest

from submgr.platform.http.request_head import (
    Refused,
    RequestLine,
    framing,
    header_fields,
    request_fields,
    request_line,
)


def test_fields_keep_their_order_and_lose_the_space_around_their_values():
    lines = b"Host: a\r\nX-Y:\t b c \t\r\nEmpty:\r\nhost:\xe4\x85\n"
    assert header_fields(lines) == [("host", "a"), ("x-y", "b c"), ("empty", ""), ("host", "\xe4\x85")]
    assert header_fields(b"") == []


@pytest.mark.parametrize(
    "line",
    [b"no colon", b": no name", b"space : x", b" folded", b"A: b\rB: c", b"A: b\x00c", b"A: \x0bb", b"A: \x7f",
     b"\xe4: b", b"A B: c", b"\r"],
)  # fmt: skip
def test_what_is_no_field_is_refused_wherever_it_stands(line):
    for lines in (line + b"\r\n", b"X: y\r\n" + line + b"\r\nZ: a\r\n", b"Z: \x85a\r\n" + line + b"\n"):
        with pytest.raises(Refused) as refused:
            header_fields(lines)
        assert refused.value.status == 400


@pytest.mark.parametrize("coding", ["\x0bchunked", "\xa0chunked", "chunked, chunked", "gzip", ""])
def test_only_one_spelling_of_chunked_is_known(coding):
    with pytest.raises(Refused) as refused:
        framing([("transfer-encoding", coding)], "HTTP/1.1")
    assert refused.value.status == 501


@pytest.mark.parametrize(
    ("version", "lines", "status"),
    [
        ("HTTP/1.1", b"", 400),
        ("HTTP/1.1", b"Host: a\r\nhost: a\r\n", 400),
        ("HTTP/1.0", b"Host: a\r\nHost: b\r\n", 400),
        ("HTTP/1.1", b"Host: a b\r\n", 400),
        ("HTTP/1.1", b"Host: a@b\r\n", 400),
        ("HTTP/1.1", b"Host: a/b\r\n", 400),
        ("HTTP/1.1", b"Host: a, b\r\n", 400),
        ("HTTP/1.1", b"Host: \xa0a\r\n", 400),
        ("HTTP/1.1", b"Host: a:x\r\n", 400),
        ("HTTP/1.0", b"Transfer-Encoding: chunked\r\n", 400),
        ("HTTP/1.1", b"Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 400),
        ("HTTP/1.1", b"Host: a\r\nContent-Length: +1\r\n", 400),
        ("HTTP/1.1", b"Host: a\r\nContent-Length: 1,1\r\n", 400),
        ("HTTP/1.1", b"Host: a\r\nContent-Length: \xb2\r\n", 400),
        ("HTTP/1.1", b"Host: a\r\nContent-Length:\r\n", 400),
        ("HTTP/1.1", b"Host: a\r\nContent-Length: \xa01\r\n", 400),
        ("HTTP/1.1", b"Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 501),
    ],
)
def test_a_request_that_two_readers_could_take_differently_is_refused(version, lines, status):
    with pytest.raises(Refused) as refused:
        request_fields(lines, version)
    assert refused.value.status == status


@pytest.mark.parametrize("host", ["", "a", "a-b_c.d.:8088", "10.0.0.1:80", "[::1]", "[2001:db8::1]:8088", "a:"])
def test_hosts_of_all_kinds_are_taken(host):
    assert request_fields(f"Host: {host}\r\n".encode(), "HTTP/1.1").environ["HTTP_HOST"] == host


def test_only_space_and_tab_stand_around_the_options_of_a_connection():
    for options, closes in (("x, \tclose ", True), ("\xa0close", False), ("close\x85", False)):
        lines = f"Host: a\r\nConnection: {options}\r\n".encode("latin-1")
        assert request_fields(lines, "HTTP/1.1").framing.closes is closes


def test_the_host_of_a_target_in_absolute_form_is_told():
    assert request_line("GET HTTP://a:1/b?c HTTP/1.1") == RequestLine("GET", "/b?c", "HTTP/1.1", "a:1")
    assert request_line("GET http://a?c HTTP/1.0") == RequestLine("GET", "/?c", "HTTP/1.0", "a")
    assert request_line("GET /http://a/b HTTP/1.1") == RequestLine("GET", "/http://a/b", "HTTP/1.1", None)


@pytest.mark.parametrize(
    "line",
    ["GET http:///b HTTP/1.1", "GET http://u@a/ HTTP/1.1", "GET ftp://a/ HTTP/1.1", "GET * HTTP/1.1",
     "CONNECT a:1 HTTP/1.1", "GET /a\tb HTTP/1.1", "GET /a\rb HTTP/1.1", "GET /\x85 HTTP/1.1", "GET /\x00 HTTP/1.1",
     "GET /\xe4 HTTP/1.1", "GET\x0b/ HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET /  HTTP/1.1"],
)  # fmt: skip
def test_request_lines_with_other_characters_or_targets_are_refused(line):
    with pytest.raises(Refused) as refused:
        request_line(line)
    assert refused.value.status == 400
