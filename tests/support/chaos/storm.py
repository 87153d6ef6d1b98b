# SPDX-License-Identifier: Apache-2.0
"""One storm after the other at one place: load, faults as planned, then quiet, in which all must be well."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence

import gevent
from gevent.pool import Group

from support.chaos.faults import possible
from support.chaos.front import Front
from support.chaos.load import RmrClient, clients
from support.chaos.place import HEALED, Place
from support.chaos.plan import Event, draw, in_order
from support.chaos.truth import Told, all_agree, busy, not_subscribed, only_one_sent
from support.processes.daemon import NODES

PACE = 0.4
"""Seconds at most between two requests of one xApp."""
DELETE_EVERY = 4
"""Storms after which everything is deleted, and nothing may be left."""
NOISE = ('"request refused"', '"resubscribe success"', "CONNECTED -> CONNECTED")
"""Lines of a log that say nothing about what went wrong."""


class Weather:
    """`storm(n)` is the same for the same seed, kind of place and number, as far as faults are concerned."""

    def __init__(self, place: Place, kind: str, seed: int, seconds: float) -> None:
        self._place, self._kind, self._seed, self._seconds = place, kind, seed, seconds
        self.faults: Counter[str] = Counter()
        self.accepted = self.told = self.kept = 0
        rng = random.Random(f"{seed} {kind} load")
        front = Front(place)
        self._xapps = clients(place.around, front, rng)
        self._older = RmrClient(place.around, front, rng)
        self._older.pace = PACE
        for number, xapp in enumerate(self._xapps):
            xapp.pace = PACE
            xapp.keeps = number % 2 == 0

    def storm(self, number: int) -> None:
        rng = random.Random(f"{self._seed} {self._kind} {number}")
        plan = draw(rng, possible(self._place), self._seconds)
        try:
            self._pass(plan)
            if number % DELETE_EVERY == 0:
                self._delete_all()
        except BaseException as failed:
            failed.add_note(self._how_again(number, plan))
            raise

    def _how_again(self, number: int, plan: Mapping[str, Sequence[Event]]) -> str:
        lines = "\n".join(f"  {event}" for event in in_order(plan)) or "  no faults"
        again = f"CHAOS_SEED={self._seed} CHAOS_KIND={self._kind} CHAOS_STORM={number} make chaos"
        return f"storm {number}, again by: {again}\n{lines}\n{last_words(self._place)}"

    def _pass(self, plan: Mapping[str, Sequence[Event]]) -> None:
        place = self._place
        place.settle()
        self._all_subscribed()
        told = Told(place, self._xapps)
        had, started = self._instances(), place.started
        events = in_order(plan)
        self.faults.update(event.fault.name for event in events)
        load = Group()
        for xapp in (*self._xapps, self._older):
            xapp.stop = False
            load.spawn(xapp.run)
        raging = [gevent.spawn(self._rage, events) for events in plan.values()]
        gevent.sleep(self._seconds)
        gevent.joinall(raging, raise_error=True)
        for xapp in (*self._xapps, self._older):
            xapp.stop = True
        load.join(timeout=HEALED, raise_error=True)
        self._quiet(told, had, started)
        told.check(once=place.started == started and not any(event.fault.again for event in events))
        only_one_sent(place)
        assert not place.surprises, place.surprises
        self.accepted += sum(sum(xapp.accepted.values()) for xapp in self._xapps)
        self.told += len(place.around.xapp.delivered)
        for simulator in (place.around.e2term, place.around.rtmgr, place.around.xapp):
            simulator.log.clear()

    def _rage(self, events: Sequence[Event]) -> None:
        """The faults of one part, one after the other."""
        began = time.monotonic()
        for event in events:
            gevent.sleep(max(0.0, began + event.at - time.monotonic()))
            undo = event.fault.apply(self._place, event.dice)
            try:
                gevent.sleep(event.lasts)
            finally:
                undo()

    def _quiet(self, told: Told, had: dict[str, set[int]], started: int) -> None:
        self._place.settle()
        all_agree(self._place)
        self._place.until(lambda: busy(self._place), "nothing is under way")
        self._nothing_lost(told, had, ended=self._place.started != started)
        self._all_subscribed()
        all_agree(self._place)

    def _all_subscribed(self) -> None:
        """Every xApp sends its request (again), and has heard of all that is to be told."""
        place = self._place
        place.until(lambda: busy(place), "nothing is under way")
        for xapp in self._xapps:
            place.until(lambda xapp=xapp: not xapp.send(), "accepted again")
        place.until(lambda: not_subscribed(place, self._xapps), "subscribed")
        place.until(lambda: busy(place), "all are told")

    def _instances(self) -> dict[str, set[int]]:
        """Instance ids of the xApps that keep what they have."""
        rests = self._place.rests()
        kept = [str(xapp.subscription_id) for xapp in self._xapps if xapp.keeps and xapp.subscription_id]
        return {subscription_id: set(rests[subscription_id]["InstanceIds"]) for subscription_id in kept}

    def _nothing_lost(self, told: Told, had: dict[str, set[int]], ended: bool) -> None:
        """What was subscribed before, and nobody deleted, is there with its instance ids, unless its xApp was told.

        A failed resubscription is told by the process that tried it, if that has not `ended` before.
        """
        rests = self._place.rests()
        for subscription_id, instances in had.items():
            assert subscription_id in rests, f"{subscription_id} is lost"
            lost = instances - set(rests[subscription_id]["InstanceIds"])
            failures = told.failures(subscription_id)
            assert ended or len(lost) <= failures, f"{subscription_id} lost {lost}, nobody was told"
            self.kept += len(instances) - len(lost)

    def _delete_all(self) -> None:
        """What is left is that of the older xApp, and of requests whose answer was lost."""
        place = self._place
        place.settle()
        for xapp in self._xapps:
            xapp.delete()
        for name in NODES:
            status, answer = place.now().platform("DELETE", f"delete_all_e2node_subscriptions/{name}")
            assert status == 200, answer
        place.until(lambda: not place.around.empty() or place.rests(), "nothing is left")
        all_agree(place)


def last_words(place: Place) -> str:
    """The ends of the daemons' logs, of this start and of the one before."""
    told = []
    for log in [log for each in place.daemons for log in sorted(each.path.glob("log*"))]:
        lines = [line for line in log.read_text().splitlines() if not any(noise in line for noise in NOISE)]
        told += [f"--- {log}", *lines[-100:]]
    return "\n".join(told)
