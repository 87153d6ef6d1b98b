# SPDX-License-Identifier: Apache-2.0
"""Uses and states: which state may be served, in memory and after a restart."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec.ams.model import ANY_APP, StateError, Use
from mec.ams.schemas import enveloped, found, state_in
from mec.ams.uses import Registry
from submgr.platform.store.memory import MemoryStore

IMSI = "001010000000001"


def use_of(registry: Registry, app: str = "1") -> Use:
    use = registry.find(IMSI, app)
    assert use is not None
    return use


def test_state_is_served_until_a_newer_notification(store: MemoryStore) -> None:
    registry = Registry(store, 5)
    registry.notified(IMSI, "1", 9)
    assert registry.state_of(use_of(registry)) is None
    assert registry.keep_state(use_of(registry), b'{"count":8}')
    assert registry.state_of(use_of(registry)) == b'{"count":8}'
    registry.notified(IMSI, "1", 9)
    assert registry.state_of(use_of(registry)) is None


def test_overtaken_state_is_not_kept(store: MemoryStore) -> None:
    registry = Registry(store, 5)
    registry.notified(IMSI, "1", 9)
    old = use_of(registry)
    registry.notified(IMSI, "1", 7)
    assert not registry.keep_state(old, b"1")
    assert registry.state_of(use_of(registry)) is None


def test_restart_keeps_uses_and_states(store: MemoryStore) -> None:
    registry = Registry(store, 5)
    registry.notified(IMSI, "1", 9)
    registry.notified(IMSI, "2", 9)
    registry.keep_state(use_of(registry), b'"s"')
    registry.notified(IMSI, "3", 9)
    again = Registry(store, 5)
    again.load()
    assert again.state_of(use_of(again)) == b'"s"'
    assert (use_of(again, "2").mec_id, use_of(again, "2").stored) == (9, False)
    assert Registry(store, 6).find(IMSI, "1") is None


def test_state_that_was_dropped_does_not_come_back_with_a_restart(store: MemoryStore) -> None:
    registry = Registry(store, 5)
    registry.notified(IMSI, "1", 9)
    registry.keep_state(use_of(registry), b'"s"')
    registry.notified(IMSI, "1", 9)
    again = Registry(store, 5)
    again.load()
    assert again.state_of(use_of(again)) is None
    assert not [key for key in store.keys("mec_ues") if "/state/" in key]


def test_notification_without_an_application_holds_for_all(store: MemoryStore) -> None:
    registry = Registry(store, 5)
    registry.notified(IMSI, "1", 9)
    registry.keep_state(use_of(registry), b'"s"')
    registry.notified(IMSI, None, 7)
    assert (use_of(registry, "1").mec_id, use_of(registry, "1").stored) == (7, False)
    assert use_of(registry, "unheard-of").mec_id == 7
    assert sorted(use.app_id for use in registry.of_ue(IMSI)) == [ANY_APP, "1"]


def test_state_found_through_a_general_notification_is_kept(store: MemoryStore) -> None:
    registry = Registry(store, 5)
    registry.notified(IMSI, None, 7)
    assert registry.keep_state(use_of(registry, "4"), b"4")
    assert registry.state_of(use_of(registry, "4")) == b"4"
    assert registry.state_of(use_of(registry, "5")) is None


def test_spelling_of_the_imsi_makes_no_difference(store: MemoryStore) -> None:
    registry = Registry(store, 5)
    registry.notified("1010000000001", "1", 9)
    assert use_of(registry).mec_id == 9


def test_memory_for_states_is_bounded(store: MemoryStore) -> None:
    registry = Registry(store, 5, cache_size=1000)
    for app in map(str, range(20)):
        registry.notified(IMSI, app, 9)
        registry.keep_state(use_of(registry, app), b"x" * 300)
    assert registry._cached <= 1000
    assert all(registry.state_of(use_of(registry, str(app))) == b"x" * 300 for app in range(20))


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


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"state":', b'{"state":1} x', b"nul", b'{"a":1,}'])
def test_what_is_no_state(body: bytes) -> None:
    with pytest.raises(StateError):
        state_in(body)


def test_envelopes() -> None:
    for make, value in ((enveloped, {"state": [1]}), (found, {"found": True, "state": [1]})):
        pieces, size = make(b"[1]")
        whole = b"".join(pieces)
        assert msgspec.json.decode(whole) == value and len(whole) == size
