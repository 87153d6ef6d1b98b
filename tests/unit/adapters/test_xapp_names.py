# SPDX-License-Identifier: Apache-2.0
"""Since when names do not resolve, by what the name service says."""

from __future__ import annotations

import socket

import pytest
from gevent.event import Event

from submgr.adapters import xapp_names
from submgr.adapters.xapp_names import AT_ONCE, UnresolvedNames
from submgr.platform.turns import turn


class NameService:
    """Knows the hosts in `known`, is silent about those in `silent`, and hangs over those in `hanging`."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.silent: set[str] = set()
        self.hanging: set[str] = set()
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0

    def __call__(self, host: str) -> bool:
        self.asked.append(host)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            turn()
            if host in self.hanging:
                Event().wait()
            if host in self.silent:
                raise socket.gaierror(socket.EAI_AGAIN, "try again")
            return host in self.known
        finally:
            self.at_once -= 1


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service() -> NameService:
    return NameService()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def names(service: NameService, clock: Clock) -> UnresolvedNames:
    return UnresolvedNames(service, clock)


def test_the_first_failure_counts_until_it_resolves(service: NameService, clock: Clock, names: UnresolvedNames) -> None:
    service.known = {"there"}
    names.check(["there", "gone"])
    clock.now = 110
    names.check(["there", "gone"])
    assert names.for_longer_than(10) == {"gone": 100.0}
    assert names.for_longer_than(10.5) == {}
    service.known.add("gone")
    names.check(["there", "gone"])
    assert names.for_longer_than(0) == {}


def test_a_silent_name_service_changes_nothing(service: NameService, names: UnresolvedNames) -> None:
    names.check(["gone"])
    service.silent = {"gone", "new"}
    names.check(["gone", "new"])
    assert names.for_longer_than(0) == {"gone": 100.0}


def test_what_the_name_service_said_before_its_silence_is_not_enough(
    service: NameService, clock: Clock, names: UnresolvedNames
) -> None:
    """An xApp had no name while it was restarted, then the name service was away for longer than `orphanAfter`."""
    names.check(["restarted"])
    service.silent = {"restarted"}
    clock.now = 4000
    names.check(["restarted"])
    assert names.for_longer_than(3600) == {}
    service.silent.clear()
    names.check(["restarted"])
    assert names.for_longer_than(3600) == {"restarted": 100.0}, "it says so again"


def test_names_nobody_uses_any_more_are_forgotten(names: UnresolvedNames) -> None:
    names.check(["gone", "also gone"])
    names.check(["also gone"])
    assert list(names.for_longer_than(0)) == ["also gone"]
    names.forget()
    assert names.for_longer_than(0) == {}


def test_a_few_at_a_time_each_once_and_no_addresses(service: NameService, names: UnresolvedNames) -> None:
    hosts = [f"host{i}" for i in range(20)]
    names.check([*hosts, *hosts, "10.0.2.20", "[::1]", "fe80::1"])
    assert sorted(service.asked) == sorted(hosts)
    assert service.most_at_once == AT_ONCE


def test_look_ups_that_hang_are_given_up(
    service: NameService, names: UnresolvedNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xapp_names, "LOOK_UP", 0.01)
    service.hanging = {f"a{i}" for i in range(2 * AT_ONCE)}
    names.check([*service.hanging, "gone"])
    assert names.for_longer_than(0) == {"gone": 100.0}
