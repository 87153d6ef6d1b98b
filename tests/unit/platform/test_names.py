# SPDX-License-Identifier: Apache-2.0
"""Look-ups of names when the name service is quick, wrong or silent."""

from __future__ import annotations

import socket
import time
from collections import Counter
from typing import Any

import gevent
import pytest
from gevent.event import Event
from support.waiting import turns_until

from submgr.platform.names import Names
from submgr.platform.turns import pause

TOLD = [
    (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fd00::5", 0, 0, 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 0)),
]
FOR_EVER = 1e6


class NameService:
    """Knows names that begin with "good", is silent about "hang" until `speaks`, and denies all others."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.at_once = 0
        self.most = 0
        self.speaks = Event()
        self.denial: Exception = socket.gaierror(socket.EAI_NONAME, "no such name")

    def __call__(self, name: str) -> list[tuple[Any, ...]]:
        self.asked[name] += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            if name.startswith("hang"):
                self.speaks.wait()
        finally:
            self.at_once -= 1
        if name.startswith("good"):
            return TOLD
        raise self.denial


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service() -> NameService:
    return NameService()


def refused(names: Names, name: str, timeout: float = FOR_EVER) -> OSError:
    with pytest.raises(OSError) as raised:
        names.resolve(name, 80, timeout)
    return raised.value


def test_addresses_in_the_order_of_the_name_service_with_the_port(service: NameService) -> None:
    assert Names(service, at_once=1).resolve("good", 4560, FOR_EVER) == [
        (socket.AF_INET6, ("fd00::5", 4560, 0, 0)),
        (socket.AF_INET, ("10.1.2.3", 4560)),
    ]


@pytest.mark.parametrize(("number", "family"), [("10.0.0.1", socket.AF_INET), ("fd00::7", socket.AF_INET6)])
def test_a_number_is_not_looked_up(service: NameService, number: str, family: int) -> None:
    assert Names(service, at_once=1).resolve(number, 1, 0.0) == [(family, (number, 1))]
    assert not service.asked


def test_all_who_ask_for_a_name_share_one_look_up(service: NameService) -> None:
    names = Names(service, at_once=8)
    asking = [gevent.spawn(refused, names, name) for name in ("hang", "HANG", "hang") * 20]
    turns_until(lambda: service.asked)
    service.speaks.set()
    errors = [greenlet.get() for greenlet in asking]
    assert service.asked == {"hang": 1}
    assert len({id(error) for error in errors}) == 60, "each has an error of its own"


def test_names_that_hang_do_not_delay_a_good_one(service: NameService) -> None:
    names = Names(service, at_once=31)
    for number in range(30):
        gevent.spawn(refused, names, f"hang-{number}")
    turns_until(lambda: service.at_once == 30)
    assert names.resolve("good", 80, FOR_EVER)


def test_no_more_than_the_bound_at_the_same_time_and_the_rest_in_turn(service: NameService) -> None:
    names = Names(service, at_once=3, known=0, queue=7)
    asking = [gevent.spawn(refused, names, f"hang-{number}") for number in range(10)]
    turns_until(lambda: service.at_once == 3)
    assert "too many names" in str(refused(names, "one-more"))
    assert names.resolve("10.0.0.1", 80, FOR_EVER), "a number needs no room"
    service.speaks.set()
    gevent.joinall(asking, raise_error=True)
    assert (service.most, len(service.asked)) == (3, 10)
    assert names.resolve("good", 80, FOR_EVER)


def test_a_name_that_resolved_the_last_time_does_not_wait_for_those_that_did_not(service: NameService) -> None:
    names = Names(service, at_once=2, known=1, queue=9)
    assert names.resolve("good", 80, FOR_EVER)
    hanging = [gevent.spawn(refused, names, f"hang-{number}") for number in range(10)]
    turns_until(lambda: service.at_once == 2)
    assert names.resolve("good", 80, FOR_EVER)
    new = gevent.spawn(names.resolve, "good-and-new", 80, FOR_EVER)
    late = refused(names, "one-more", 0.0)
    assert isinstance(late, TimeoutError)
    assert "too many names" in str(refused(names, "two-more", 0.0))
    assert names.resolve("good", 80, FOR_EVER), "it is not refused either"
    assert service.asked["good-and-new"] == 0, "it waits"
    service.speaks.set()
    gevent.joinall([*hanging, new], raise_error=True)


def test_who_waits_too_long_is_told_and_a_name_nobody_waits_for_is_not_looked_up(service: NameService) -> None:
    names = Names(service, at_once=1, failures=60.0)
    asking = gevent.spawn(refused, names, "hang")
    turns_until(lambda: service.asked["hang"])
    late = [refused(names, name, 0.0) for name in ("hang", "never", "never")]
    assert [type(error) for error in late] == [TimeoutError] * 3
    assert str(late[0]) == "the name service did not answer for hang within 0 s"
    service.speaks.set()
    asking.get()
    assert names.resolve("good", 80, FOR_EVER)
    assert service.asked == {"hang": 1, "good": 1}
    assert isinstance(refused(names, "never"), socket.gaierror), "giving up is no failure of the name"


def test_a_failure_is_remembered_for_a_short_time(service: NameService) -> None:
    clock = Clock()
    names = Names(service, at_once=1, failures=2.0, clock=clock)
    errors = [refused(names, "bad") for _ in range(3)]
    assert service.asked == {"bad": 1}
    assert {(type(error), error.errno) for error in errors} == {(socket.gaierror, socket.EAI_NONAME)}
    clock.now += 2.0
    refused(names, "bad")
    assert service.asked == {"bad": 2}


def test_few_failures_are_remembered_and_no_success(service: NameService) -> None:
    names = Names(service, at_once=1, failures=2.0, remembered=2, clock=Clock())
    for name in ("a", "b", "c", "c", "b", "a"):
        refused(names, name)
    assert service.asked == {"a": 2, "b": 1, "c": 1}
    for _ in range(2):
        names.resolve("good", 80, FOR_EVER)
    assert service.asked["good"] == 2


def test_without_a_time_for_failures_none_is_remembered(service: NameService) -> None:
    names = Names(service, at_once=1)
    for _ in range(2):
        refused(names, "redis")
    assert service.asked == {"redis": 2}


def test_what_cannot_be_a_name_is_a_value_error(service: NameService) -> None:
    service.denial = UnicodeError("label empty or too long")
    names = Names(service, at_once=1, failures=60.0)
    for _ in range(2):
        with pytest.raises(UnicodeError, match="label"):
            names.resolve("a..b", 80, FOR_EVER)


def test_a_bug_of_a_look_up_leaves_nobody_waiting(service: NameService, capfd: pytest.CaptureFixture[str]) -> None:
    service.denial = ZeroDivisionError("a bug")
    names = Names(service, at_once=1)
    assert "failed" in str(refused(names, "bad"))
    assert "a bug" in capfd.readouterr().err
    assert names.resolve("good", 80, FOR_EVER)


@pytest.mark.parametrize(
    ("denial", "expected"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no such name"), False),
        (socket.gaierror(socket.EAI_NODATA, "no address"), False),
        (UnicodeError("label too long"), False),
        (socket.gaierror(socket.EAI_AGAIN, "later"), None),
        (OSError("no more files"), None),
    ],
)
def test_whether_a_name_resolves(service: NameService, denial: Exception, expected: bool | None) -> None:
    service.denial = denial
    names = Names(service, at_once=1)
    assert names.resolves("good", FOR_EVER)
    assert names.resolves("10.0.0.1", 0.0)
    if expected is None:
        with pytest.raises(OSError, match=r"later|no more"):
            names.resolves("bad", FOR_EVER)
    else:
        assert names.resolves("bad", FOR_EVER) is expected
    with pytest.raises(TimeoutError):
        names.resolves("hang", 0.0)


def test_thousands_of_look_ups_are_no_queue_for_the_long_work_of_others() -> None:
    done: list[str] = []

    def look_up(name: str) -> list[tuple[Any, ...]]:
        until = time.monotonic() + 0.0003
        while time.monotonic() < until:
            pass
        done.append(name)
        return TOLD

    names = Names(look_up, at_once=1000, known=0)
    asking = [gevent.spawn(names.resolve, f"good-{number}", 80, FOR_EVER) for number in range(500)]
    turns_until(lambda: done)
    pause()
    pause()
    assert len(done) < 400, "other work waited until nearly all names were found"
    gevent.joinall(asking)
    assert len(done) == 500
