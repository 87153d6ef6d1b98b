# SPDX-License-Identifier: Apache-2.0
"""The order of work at one node: keys, slots, and who is next."""

from __future__ import annotations

from collections.abc import Hashable

from hypothesis import given
from hypothesis import strategies as st

from submgr.core.jobs import Job
from submgr.core.queue import Entry, JobQueue


class NamedJob(Job, frozen=True):
    """A job that a test moves through the queue itself."""

    name: str
    about: tuple[Hashable, ...]

    @property
    def keys(self) -> tuple[Hashable, ...]:
        return self.about


def work(name: str, *keys: Hashable) -> NamedJob:
    return NamedJob(name, keys)


def ready(queue: JobQueue) -> list[Entry]:
    found = []
    while (entry := queue.next(0)) is not None:
        found.append(entry)
    return found


def test_jobs_of_one_key_run_one_after_the_other_in_order() -> None:
    queue = JobQueue()
    a, b, c = (queue.add(job) for job in (work("a", "k"), work("b", "k"), work("c", "other")))
    assert ready(queue) == [a, c]
    queue.remove(a)
    assert ready(queue) == [b]
    queue.remove(b)
    queue.remove(c)
    assert len(queue) == 0 and ready(queue) == []


def test_a_job_waits_for_all_its_keys() -> None:
    queue = JobQueue()
    a, b, both = (queue.add(job) for job in (work("a", 1), work("b", 2), work("both", 1, 2)))
    assert ready(queue) == [a, b]
    queue.remove(a)
    assert ready(queue) == []
    queue.remove(b)
    assert ready(queue) == [both]


def test_one_that_waits_may_go_without_having_started() -> None:
    queue = JobQueue()
    a, b, c = (queue.add(work(name, "k")) for name in "abc")
    ready(queue)
    queue.remove(b)
    queue.remove(a)
    assert ready(queue) == [c]
    queue.remove(b)
    assert len(queue) == 1


def test_slots_are_given_in_the_order_the_jobs_came() -> None:
    queue = JobQueue()
    jobs = [queue.add(work(str(n), n)) for n in range(4)]
    for job in reversed(ready(queue)):
        queue.want_slot(job)
    assert queue.next(2) is jobs[0]
    assert queue.next(2) is jobs[1]
    assert queue.next(2) is None
    assert queue.slots_held == 2
    queue.release_slot(jobs[1])
    queue.release_slot(jobs[1])
    assert queue.next(2) is jobs[2]
    queue.remove(jobs[0])
    assert queue.next(2) is jobs[3]


def test_one_that_is_alone_has_its_slot_at_once() -> None:
    queue = JobQueue()
    a, b = queue.add(work("a", 1)), queue.add(work("b", 2))
    assert queue.next(1) is a
    assert not queue.take_slot(a, 1), "another one is ready, too, and may want a side slot"
    assert queue.next(1) is b and queue.take_side_slot(b) is False
    assert queue.next(1) is b and b.has_side_slot
    assert queue.next(1) is a and a.has_slot
    c, d = queue.add(work("c", 3)), queue.add(work("d", 4))
    assert queue.next(1) is c and queue.next(1) is d and queue.next(1) is None
    assert queue.take_side_slot(c) and c.has_side_slot
    assert not queue.take_slot(d, 1), "all are taken"
    queue.remove(a)
    assert queue.next(1) is d and d.has_slot and queue.slots_held == 1


def test_it_says_when_one_may_start_that_could_not_before() -> None:
    queue = JobQueue()

    def settle() -> list[Entry]:
        found = []
        while (entry := queue.next(1)) is not None:
            found.append(entry)
        assert not queue.unsettled
        return found

    assert not queue.unsettled
    a, behind, b = queue.add(work("a", 1)), queue.add(work("behind", 1)), queue.add(work("b", 2))
    assert queue.unsettled and settle() == [a, b]
    queue.want_slot(a)
    queue.want_slot(b)
    assert queue.unsettled and settle() == [a]
    queue.release_slot(b)
    assert not queue.unsettled, "it has none"
    queue.release_slot(a)
    assert queue.unsettled and settle() == [b]
    queue.remove(a)
    assert queue.unsettled and settle() == [behind]
    queue.remove(behind)
    assert not queue.unsettled and settle() == []
    queue.remove(b)
    c = queue.add(work("c", 3))
    assert queue.unsettled and queue.next(1) is c
    assert queue.take_slot(c, 1) and not queue.unsettled, "it was alone"


def test_one_that_has_gone_gets_no_slot() -> None:
    queue = JobQueue()
    a, b = queue.add(work("a", 1)), queue.add(work("b", 2))
    for job in ready(queue):
        queue.want_slot(job)
    queue.remove(a)
    assert queue.next(1) is b


def test_fewer_slots_by_a_new_setting_take_none_away() -> None:
    queue = JobQueue()
    jobs = [queue.add(work(str(n), n)) for n in range(3)]
    for job in ready(queue):
        queue.want_slot(job)
    assert queue.next(2) and queue.next(2)
    assert queue.next(1) is None
    queue.remove(jobs[0])
    assert queue.next(1) is None
    queue.remove(jobs[1])
    assert queue.next(1) is jobs[2]


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True), max_size=12), st.randoms())
def test_no_two_that_share_a_key_are_out_at_once_and_all_get_their_turn(keys: list[list[int]], rng) -> None:
    queue = JobQueue()
    jobs = [queue.add(work(str(n), *k)) for n, k in enumerate(keys)]
    out = ready(queue)
    done: list[Entry] = []
    while out:
        taken = [key for job in out for key in job.keys]
        assert len(taken) == len(set(taken))
        job = out.pop(rng.randrange(len(out)))
        queue.unsettled = False
        queue.remove(job)
        done.append(job)
        unsettled, fresh = queue.unsettled, ready(queue)
        assert unsettled or not fresh
        out += fresh
    assert len(queue) == 0 and len(done) == len(jobs)
    for key in range(4):
        order = [job.order for job in done if key in job.keys]
        assert order == sorted(order)
