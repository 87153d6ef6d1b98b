# SPDX-License-Identifier: Apache-2.0
"""Bodies of service models, mutated: nothing raises, and what is read can be written and read again."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from support.e2sm.samples import SAMPLES

from submgr.e2sm.decoding import Body, Decoded, decode, encode
from submgr.e2sm.outline import outline
from submgr.e2sm.shown import shown
from submgr.e2sm.words import words

OCTETS = [bytes.fromhex(sample.octets) for sample in SAMPLES]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sample with some octets changed, taken out or put in, or with the end of another one."""
    octets = bytearray(draw(st.sampled_from(OCTETS)))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(octets)))
        match draw(st.integers(0, 3)):
            case 0:
                octets[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                octets[at : at + draw(st.integers(1, 4))] = b""
            case 2:
                octets[at:at] = draw(st.binary(max_size=4))
            case _:
                octets[at:] = draw(st.sampled_from(OCTETS))[draw(st.integers(0, 60)) :]
    return bytes(octets)


@given(octets=mutated() | st.binary(max_size=300), body=st.sampled_from(Body))
def test_any_octets_can_be_looked_at(octets: bytes, body: Body) -> None:
    decoded = decode(octets, body)
    assert words(decoded)
    assert list(outline(shown(decoded)))
    if isinstance(decoded, Decoded):
        again = decode(encode(decoded.value, body, decoded.layout), body, [decoded.model])
        assert decoded.notes or (isinstance(again, Decoded) and repr(again.value) == repr(decoded.value))


@given(octets=st.sampled_from(OCTETS), times=st.integers(1, 400), body=st.sampled_from(Body))
def test_the_work_is_bounded(octets: bytes, times: int, body: Body) -> None:
    """As a rule it takes up to 5 ms. Garbage of a long run of such tests may be collected meanwhile, once."""
    assert any(_seconds(octets * times, body) < 0.5 for _ in range(2))


def _seconds(octets: bytes, body: Body) -> float:
    begin = time.thread_time()
    decode(octets, body)
    return time.thread_time() - begin
