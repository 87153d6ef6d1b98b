# SPDX-License-Identifier: Apache-2.0
"""What fits on a platform, and why the rest does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec.meo.resources import Capacity, Resources, Used, fits, needed, one_more, shortages, total

AMOUNTS = st.integers(0, 2**32 - 1)
CORES = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)


@pytest.mark.parametrize(
    ("capacity", "used", "more", "reasons"),
    [
        (Capacity(), Used(10**9, 1e6, 10**9, 10**9, 10**9), Used(1, 1.0, 1, 1, 1), []),
        (Capacity(contexts=3), Used(2), Used(1), []),
        (Capacity(contexts=3), Used(3), Used(1), ["no room: it has 3 of 3 contexts"]),
        (Capacity(contexts=0), Used(), Used(1), ["no room: it has 0 of 0 contexts"]),
        (Capacity(memory=512), Used(1, memory=512), Used(1), []),
        (
            Capacity(memory=512),
            Used(1, memory=300),
            Used(1, memory=256),
            ["no room: memory 256 MB asked for, 212 of 512 free"],
        ),
        (Capacity(cpu=0.3), Used(1, cpu=0.2), Used(1, cpu=0.1), []),
        (Capacity(cpu=2), Used(1, cpu=1.5), Used(1, cpu=1), ["no room: cpu 1 cores asked for, 0.5 of 2 free"]),
        (
            Capacity(storage=1, bandwidth=1000),
            Used(1, bandwidth=2000),
            Used(1, storage=2, bandwidth=1),
            ["no room: storage 2 MB asked for, 1 of 1 free", "no room: bandwidth 1 kbit/s asked for, 0 of 1000 free"],
        ),
    ],
)
def test_shortages(capacity: Capacity, used: Used, more: Used, reasons: list[str]) -> None:
    assert shortages(capacity, used, more) == reasons
    assert fits(capacity, used, more) == (not reasons)


@given(
    st.builds(Capacity, *[st.none() | AMOUNTS], *[st.none() | CORES], *[st.none() | AMOUNTS] * 3),
    st.builds(Used, AMOUNTS, CORES, AMOUNTS, AMOUNTS, AMOUNTS),
    st.builds(Used, st.just(1), CORES, AMOUNTS, AMOUNTS, AMOUNTS),
)
def test_what_does_not_fit_has_a_reason(capacity: Capacity, used: Used, more: Used) -> None:
    assert fits(capacity, used, more) == (not shortages(capacity, used, more))


def test_an_application_is_there_once_and_each_context_has_its_bandwidth() -> None:
    needs = Resources(0.1, 100, 10, 5)
    apps = {f"app{number}": (needs, number + 1) for number in range(3)}
    assert total(apps) == Used(6, 0.3, 300, 30, 30)
    assert one_more(needs, deployed=True) == Used(1, bandwidth=5)
    assert one_more(needs, deployed=False) == Used(1, 0.1, 100, 10, 5)


def test_what_the_resources_leave_out_is_in_the_characteristics() -> None:
    characteristics = {"memory": 1, "storage": 2, "bandwidth": 3, "latency": 4}
    assert needed(Resources(), characteristics) == Resources(None, 1, 2, 3)
    assert needed(Resources(1.5, 0, None, 30), characteristics) == Resources(1.5, 0, 2, 30)
