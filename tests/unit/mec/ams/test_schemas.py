# SPDX-License-Identifier: Apache-2.0
"""The JSON around the state of an application."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec.ams.model import StateError
from mec.ams.schemas import enveloped, found, state_in

values = st.recursive(
    st.none() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(["state", "a", "b"]), each, max_size=3),
)


@given(values)
def test_state_bare_or_wrapped(value: object) -> None:
    bare = msgspec.json.encode(value)
    assert bytes(state_in(b'{"state":' + bare + b"}")) == bare
    if not (isinstance(value, dict) and set(value) == {"state"}):
        assert bytes(state_in(bare)) == bare


def test_state_is_not_copied() -> None:
    body = b'{"state":' + b'"' + b"x" * 1000 + b'"}'
    assert state_in(body).obj is not None
    assert len(state_in(body)) == 1002


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"state":', b'{"state":1} x', b"nul", b'{"a":1,}', b'"\xff"'])
def test_what_is_no_state(body: bytes) -> None:
    with pytest.raises(StateError):
        state_in(body)


def test_a_large_state_is_found_in_the_same_place() -> None:
    large = b"[" + b",".join([b'"\xc3\xa4"'] * 200_000) + b"]"
    for body in (large, b' {"state": ' + large + b" }\n", b" " + large + b" "):
        assert bytes(state_in(body)) == large
    with pytest.raises(StateError, match="not JSON"):
        state_in(large[:-1])
    with pytest.raises(StateError, match="not JSON"):
        state_in(large.replace(b"\xa4", b"a"))


def test_envelopes() -> None:
    for make, value in ((enveloped, {"state": [1]}), (found, {"found": True, "state": [1]})):
        pieces, size = make(b"[1]")
        whole = b"".join(pieces)
        assert msgspec.json.decode(whole) == value and len(whole) == size
