# SPDX-License-Identifier: Apache-2.0
"""Header fields that two readers could read differently are refused."""

from __future__ import annotations

import pytest

from submgr.platform.http.request_head import Refused, framing, header_fields


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
