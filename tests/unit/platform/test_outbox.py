# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import event

from submgr.platform.http.errors import HttpConnectError
from submgr.platform.outbox import Outbox, Outcome, Result, RetryPolicy
from submgr.platform.turns import turn

POLICY = RetryPolicy(tries=3, delay=10)


class Time:
    """A clock that stands still, and what is to be done later; it moves on when nothing else happens."""

    def __init__(self) -> None:
        self.now = 0.0
        self._planned: list[tuple[float, gevent.Greenlet]] = []

    def clock(self) -> float:
        return self.now

    def later(self, seconds: float, function: Any, *args: Any) -> gevent.Greenlet:
        planned = gevent.Greenlet(function, *args)
        self._planned.append((self.now + seconds, planned))
        return planned

    def settle(self) -> None:
        """Until every greenlet waits for something: the longest chain of wake-ups here is shorter."""
        for _ in range(10):
            turn()

    def until(self, condition: Any) -> None:
        while True:
            self.settle()
            self._planned = [each for each in self._planned if not each[1].dead]
            if condition():
                return
            assert self._planned, "nothing will ever happen"
            first = min(self._planned, key=lambda each: each[0])
            self._planned.remove(first)
            self.now = first[0]
            first[1].start()


class Peer:
    """Takes deliveries as told: `answers` per name, the last one for ever; keeps the order in which they came."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.answers: dict[str, list[Any]] = {}
        self.ended: list[tuple[str, Outcome, int]] = []

    def send(self, name: str):
        def send() -> bool | None:
            self.seen.append(name)
            answers = self.answers.get(name, [True])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, event.Event):
                answer.wait()
                return True
            if isinstance(answer, Exception):
                raise answer
            return answer

        return send

    def done(self, name: str):
        def done(result: Result) -> None:
            self.ended.append((name, result.outcome, result.tries))

        return done


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def outbox(time: Time) -> Iterator[Outbox]:
    outbox = Outbox(policy=POLICY, places=5, at_once=3, clock=time.clock, later=time.later)
    yield outbox
    outbox.stop()


def taken(outbox: Outbox, group: str) -> int:
    """Places of a group that have a delivery."""
    known = outbox._groups.get(group)
    return known.taken if known else 0


def test_one_key_is_delivered_in_order_and_each_is_finished_before_the_next(outbox, peer, time):
    peer.answers["a"] = [False, HttpConnectError("refused"), True]
    for name in "abc":
        assert outbox.put("g", "k", peer.send(name), peer.done(name))
    time.until(lambda: len(peer.ended) == 3)
    assert peer.seen == ["a", "a", "a", "b", "c"]
    assert peer.ended == [("a", Outcome.DELIVERED, 3), ("b", Outcome.DELIVERED, 1), ("c", Outcome.DELIVERED, 1)]
    assert (outbox.waiting, taken(outbox, "g"), outbox.oldest()) == (0, 0, 0.0)


def test_keys_of_one_group_and_groups_do_not_wait_for_each_other(outbox, peer, time):
    hang = event.Event()
    peer.answers["hangs"] = [hang]
    outbox.put("g", "1", peer.send("hangs"), peer.done("hangs"))
    outbox.put("g", "1", peer.send("behind"), peer.done("behind"))
    outbox.put("g", "2", peer.send("beside"), peer.done("beside"))
    outbox.put("h", "3", peer.send("other"), peer.done("other"))
    time.until(lambda: len(peer.ended) == 2)
    assert peer.ended == [("beside", Outcome.DELIVERED, 1), ("other", Outcome.DELIVERED, 1)]
    hang.set()
    time.until(lambda: len(peer.ended) == 4)
    assert peer.ended[2:] == [("hangs", Outcome.DELIVERED, 1), ("behind", Outcome.DELIVERED, 1)]


def test_after_the_last_try_it_is_given_up_and_the_next_goes_on(outbox, peer, time):
    results: list[Result] = []
    peer.answers["a"] = [OSError(113, "No route to host")]
    outbox.put("g", "k", peer.send("a"), results.append)
    outbox.put("g", "k", peer.send("b"), peer.done("b"))
    time.until(lambda: peer.ended)
    assert peer.seen == ["a", "a", "a", "b"]
    assert (results[0].outcome, results[0].tries) == (Outcome.GIVEN_UP, 3)
    assert "No route to host" in results[0].error
    assert results[0].age == 20


def test_places_are_bounded_per_group_and_come_back(outbox, peer, time):
    hang = event.Event()
    for n in range(5):
        peer.answers[str(n)] = [hang]
        assert outbox.put("g", n, peer.send(str(n)), peer.done(str(n)))
    assert not outbox.put("g", "k", peer.send("no place"))
    assert outbox.put("h", "k", peer.send("other group"), peer.done("other group"))
    assert taken(outbox, "g") == 5
    hang.set()
    time.until(lambda: len(peer.ended) == 6)
    assert "no place" not in peer.seen
    assert taken(outbox, "g") == 0
    assert outbox.put("g", "k", peer.send("now"), peer.done("now"))
    time.until(lambda: len(peer.ended) == 7)


def test_tries_at_the_same_time_are_bounded_per_group(outbox, peer, time):
    hang = event.Event()
    for n in range(5):
        peer.answers[str(n)] = [hang]
        outbox.put("g", n, peer.send(str(n)), peer.done(str(n)))
    time.settle()
    assert peer.seen == ["0", "1", "2"]
    outbox.put("h", "x", peer.send("x"), peer.done("x"))
    time.until(lambda: peer.ended)
    hang.set()
    time.until(lambda: len(peer.ended) == 6)
    assert peer.seen == ["0", "1", "2", "x", "3", "4"]


def test_drop_forgets_what_waits_and_lets_the_try_under_way_be_the_last(outbox, peer, time):
    hang = event.Event()
    peer.answers["a"] = [hang]
    for name in "abc":
        outbox.put("g", "k", peer.send(name), peer.done(name))
    time.settle()
    outbox.put("g", "other", peer.send("o"), peer.done("o"))
    assert outbox.drop("k") == 2
    assert peer.ended == [("b", Outcome.DROPPED, 0), ("c", Outcome.DROPPED, 0)]
    outbox.put("g", "k", peer.send("d"), peer.done("d"))  # the same id is used again
    hang.set()
    time.until(lambda: len(peer.ended) == 5)
    assert ("a", Outcome.DELIVERED, 1) in peer.ended
    assert peer.seen == ["a", "o", "d"]
    assert outbox.drop("k") == 0
    assert taken(outbox, "g") == 0


def test_a_failed_try_is_not_repeated_after_drop(outbox, peer, time):
    gate = event.Event()

    def send() -> bool:
        peer.seen.append("a")
        gate.wait()
        return False

    outbox.put("g", "k", send, peer.done("a"))
    time.settle()
    outbox.drop("k")
    gate.set()
    time.until(lambda: peer.ended)
    assert peer.ended == [("a", Outcome.DROPPED, 1)]
    time.settle()
    assert peer.seen == ["a"]


def test_drop_between_two_tries(peer, time):
    outbox = Outbox(policy=POLICY, places=5, clock=time.clock, later=time.later)
    peer.answers["a"] = [False]
    outbox.put("g", "k", peer.send("a"), peer.done("a"))
    time.until(lambda: peer.seen)
    time.settle()
    assert outbox.drop("k") == 1
    assert peer.ended == [("a", Outcome.DROPPED, 1)]
    assert (taken(outbox, "g"), outbox.waiting) == (0, 0)
    assert outbox.put("g", "k", peer.send("b"), peer.done("b"))
    time.until(lambda: len(peer.ended) == 2)
    assert outbox.stop() == 0


def test_drop_of_a_key_that_waits_for_its_turn_in_the_group(outbox, peer, time):
    hang = event.Event()
    for n in range(4):
        peer.answers[str(n)] = [hang]
        outbox.put("g", n, peer.send(str(n)), peer.done(str(n)))
    time.settle()
    assert outbox.drop(3) == 1
    hang.set()
    time.until(lambda: len(peer.ended) == 4)
    assert "3" not in peer.seen


def test_a_key_may_move_to_another_group(outbox, peer, time):
    peer.answers["old"] = [False, True]
    outbox.put("g", "k", peer.send("old"), peer.done("old"))
    outbox.put("h", "k", peer.send("new"), peer.done("new"))
    time.until(lambda: len(peer.ended) == 2)
    assert peer.seen == ["old", "old", "new"]
    assert (taken(outbox, "g"), taken(outbox, "h")) == (0, 0)


def test_a_bug_in_send_gives_up_that_delivery_only(outbox, peer, caplog, time):
    peer.answers["a"] = [ZeroDivisionError("bug")]
    outbox.put("g", "k", peer.send("a"), peer.done("a"))
    outbox.put("g", "k", peer.send("b"), peer.done("b"))
    time.until(lambda: len(peer.ended) == 2)
    assert peer.ended == [("a", Outcome.GIVEN_UP, 1), ("b", Outcome.DELIVERED, 1)]
    assert "ZeroDivisionError" in caplog.text  # it is not swallowed


def test_stop_waits_for_the_try_under_way_and_forgets_the_rest(peer, time):
    outbox = Outbox(policy=POLICY, clock=time.clock, later=time.later)
    gate = event.Event()
    peer.answers["a"] = [gate]
    peer.answers["fails"] = [False]
    outbox.put("g", "k", peer.send("a"), peer.done("a"))
    outbox.put("g", "k", peer.send("b"), peer.done("b"))
    outbox.put("g", "l", peer.send("fails"), peer.done("fails"))
    time.settle()
    gevent.spawn(gate.set)
    assert outbox.stop(5) == 2
    assert peer.ended == [("a", Outcome.DELIVERED, 1)]
    assert "b" not in peer.seen
    assert outbox.waiting == 0


def test_stop_cuts_off_a_try_that_takes_too_long_without_calling_it_finished(peer, time):
    outbox = Outbox(policy=POLICY, clock=time.clock, later=time.later)
    peer.answers["a"] = [event.Event()]
    outbox.put("g", "k", peer.send("a"), peer.done("a"))
    time.settle()
    assert outbox.stop(0.01) == 1
    assert peer.ended == []


def test_back_off_grows_to_its_bound():
    policy = RetryPolicy(tries=9, delay=1, backoff=2, max_delay=5)
    assert [policy.pause(n) for n in (1, 2, 3, 4, 5000)] == [1, 2, 4, 5, 5]
    assert [RetryPolicy().pause(n) for n in (1, 9)] == [5, 5]


def test_nothing_is_left_when_nothing_is_under_way(outbox, peer, time):
    for n in range(5):
        outbox.put("g", n, peer.send(str(n)), peer.done(str(n)))
    time.until(lambda: len(peer.ended) == 5)
    time.settle()
    assert not outbox._crew.working
    assert not outbox._queues
    assert not outbox._groups


@pytest.fixture
def narrow(time: Time) -> Iterator[Outbox]:
    """Four tries at the same time of the groups that take deliveries, and four of the others."""
    outbox = Outbox(policy=POLICY, places=100, at_once=3, lane=4, clock=time.clock, later=time.later)
    yield outbox
    outbox.stop()


def dead(outbox: Outbox, peer: Peer, group: str, count: int) -> None:
    """Deliveries to a group that never answers."""
    for n in range(count):
        peer.answers[f"{group}{n}"] = [event.Event()]
        outbox.put(group, (group, n), peer.send(f"{group}{n}"), peer.done(f"{group}{n}"))


def test_dead_groups_hold_up_neither_those_that_take_deliveries_nor_a_new_one(narrow, peer, time):
    narrow.put("alive", "k", peer.send("first"), peer.done("first"))
    time.until(lambda: peer.ended)
    for group in ("a", "b"):
        dead(narrow, peer, group, 10)
    time.settle()
    # from the half of the lane on each has one try
    assert peer.seen == ["first", "a0", "a1", "b0"]
    narrow.put("new", "n", peer.send("new"), peer.done("new"))
    time.until(lambda: len(peer.ended) == 2)
    for group in ("c", "d", "e"):
        dead(narrow, peer, group, 10)
    for n in range(10):
        narrow.put("alive", n, peer.send("more"), peer.done("more"))
    time.until(lambda: len(peer.ended) == 12)
    assert peer.seen[4:] == ["new", "c0", *["more"] * 10]
    assert narrow._crew.working == 4


def test_groups_that_wait_for_room_have_a_turn_each(narrow, peer, time):
    gates = {group: event.Event() for group in "abcdef"}
    for group, gate in gates.items():
        for n in range(3):
            peer.answers[f"{group}{n}"] = [gate]
            narrow.put(group, (group, n), peer.send(f"{group}{n}"), peer.done(f"{group}{n}"))
    time.settle()
    assert peer.seen == ["a0", "a1", "b0", "c0"]
    gates["b"].set()
    time.until(lambda: len(peer.ended) == 3)
    # b took a delivery, so that its others are no longer in the way of d, e and f
    assert peer.seen[4:] == ["d0", "b1", "b2"]
    gates["a"].set()
    time.until(lambda: len(peer.ended) == 6)
    assert peer.seen[7:] == ["e0", "a2", "f0"]
    for gate in gates.values():
        gate.set()
    time.until(lambda: len(peer.ended) == 18)
    assert not narrow._unproven.waiting
    assert (narrow._proven.under_way, narrow._unproven.under_way) == (0, 0)


def test_who_fails_is_proven_no_longer(narrow, peer, time):
    narrow.put("g", "k", peer.send("a"), peer.done("a"))
    time.until(lambda: peer.ended)
    assert list(narrow._took) == ["g"]
    peer.answers["b"] = [False]
    narrow.put("g", "k", peer.send("b"), peer.done("b"))
    time.until(lambda: len(peer.ended) == 2)
    assert list(narrow._took) == []


def test_what_was_dropped_while_its_group_waited_for_room_is_not_tried(narrow, peer, time):
    gate = event.Event()
    for group in "abcde":
        peer.answers[group] = [gate]
        narrow.put(group, group, peer.send(group), peer.done(group))
    time.settle()
    assert narrow.drop("e") == 1
    gate.set()
    time.until(lambda: len(peer.ended) == 5)
    time.settle()
    assert peer.seen == ["a", "b", "c", "d"]
    assert not narrow._groups
