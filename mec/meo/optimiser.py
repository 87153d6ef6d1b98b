# SPDX-License-Identifier: Apache-2.0
"""Migrates contexts: rounds relieve platforms that are over the limits, evacuations empty platforms that are withdrawn.

Make before break: the application is deployed at the target, the context stored there, its device told, and only then
the application removed at the origin when nobody else uses it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random

import gevent
from gevent.lock import BoundedSemaphore

from mec.meo.context_changes import Moved
from mec.meo.events import Kind, Severity
from mec.meo.model import MAX_MOVES_KEPT, Context, Move, Pair
from mec.meo.notifications import Notifier, address_change, context_deleted
from mec.meo.overload import Overload
from mec.meo.period import Period
from mec.meo.placement import Choice, Rejection, Violation, violations
from mec.meo.service import Meo
from submgr.platform.health import Heartbeat
from submgr.platform.store.base import StoreError
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)

MIGRATION_TIME = 10.0
"""Seconds for one migration, in which several targets may be tried."""
EVACUATION_RETRY = 2.0
"""Seconds between two tries to empty a withdrawn platform while the store is away."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A context that was moved, or that a plan would move."""

    context_id: str
    origin: str
    target: str
    reason: str


class Optimiser:
    """Runs a round each `period` between `start` and `stop`, and whenever `round` is called."""

    def __init__(self, meo: Meo, notifier: Notifier, overload: Overload, heartbeat: Heartbeat | None = None) -> None:
        self._meo = meo
        self._notifier = notifier
        self._overload = overload
        self._heartbeat = heartbeat
        self.period = Period(lambda: meo.settings.period)
        self._turn = BoundedSemaphore()
        self._cool_until: dict[str, float] = {}
        self._evacuations: dict[str, SupervisedLoop] = {}
        self._loop = SupervisedLoop("optimisation", self._step)

    def start(self) -> None:
        """Begins with the periodic rounds, and with the evacuations of withdrawn platforms."""
        self._meo.inventory.evacuate = self.evacuate
        self._loop.start()

    def stop(self) -> None:
        """Ends the rounds in whatever step. The next start finishes or undoes that step."""
        for loop in (self._loop, *self._evacuations.values()):
            loop.stop()
        self._evacuations.clear()

    def why_not_running(self) -> str | None:
        """Why no rounds run, for readiness."""
        return self._loop.trouble

    def cool(self, context_id: str, seconds: float) -> None:
        """Keeps rounds from moving a context for so many seconds."""
        self._cool_until[context_id] = self._meo.clock() + seconds

    def round(self, on_move: Callable[[Migration], None] = lambda migration: None) -> list[Migration]:
        """Runs one round; rounds never overlap. Returns the migrations. `on_move` is told of each at once."""
        with self._turn:
            self._meo.metrics.rounds.inc()
            self._forget_cooled()
            done: list[Migration] = []
            for _ in range(self._meo.settings.migrations_per_round):
                migration = self._relieve()
                if migration is None:
                    break
                done.append(migration)
                on_move(migration)
            return done

    def plan(self) -> list[Migration]:
        """The migrations of a round, if it ran now and every deployment succeeded."""
        rng = Random()
        rng.setstate(self._meo.rng.getstate())
        planned: list[Migration] = []
        for _ in range(self._meo.settings.migrations_per_round):
            next_one = self._next({migration.context_id for migration in planned})
            if next_one is None:
                break
            bad, context = next_one
            choice = self._target(context, {context.platform: "the origin"}, rng)
            if isinstance(choice, Rejection):
                break
            planned.append(Migration(context.id, context.platform, choice.site.name, bad.reason))
        return planned

    def evacuate(self, platform: str) -> None:
        """Empties a withdrawn platform in the background."""
        if platform not in self._evacuations:
            loop = self._evacuations[platform] = SupervisedLoop("evacuation", partial(self._evacuate, platform))
            loop.start()

    def _step(self) -> None:
        self.period.wait()
        if not self._meo.inventory.ready:
            return
        if self._heartbeat is not None:
            self._heartbeat.beat()
        try:
            self.round()
        finally:
            if self._heartbeat is not None:
                self._heartbeat.rest()

    def _forget_cooled(self) -> None:
        now = self._meo.clock()
        self._cool_until = {
            context_id: until
            for context_id, until in self._cool_until.items()
            if until > now and context_id in self._meo.state.contexts
        }

    def _next(self, besides: set[str]) -> tuple[Violation, Context] | None:
        """The worst platform that has a context to move, and that context."""
        state, now = self._meo.state, self._meo.clock()
        if (broken := self._broken(besides)) is not None:
            return broken
        for bad in violations(state.all_sites(), self._meo.settings.rules, now):
            for context in state.contexts_at(bad.site.name):
                if context.id not in besides and self._cool_until.get(context.id, now) <= now:
                    return bad, context
        return None

    def _broken(self, besides: set[str]) -> tuple[Violation, Context] | None:
        """A context whose application is not there, since its deployment has failed. It need not cool down."""
        state, states = self._meo.state, self._meo.deployment_states
        for pair in states.failed():
            for context_id in sorted(state.users_of(pair) - besides):
                if not state.platforms[pair.platform].withdrawn:
                    reason = f"deployment failed: {states.of(pair).message}"
                    return Violation(state.site(pair.platform), 1.0, reason), state.contexts[context_id]
        return None

    def _relieve(self) -> Migration | None:
        """One migration; None when there is nothing to do or nothing can be done."""
        found = self._next(set())
        if found is None:
            self._overload.off()
            return None
        bad, context = found
        try:
            outcome = self._migrate(context, bad.reason)
        except StoreError as exc:
            self._count("limits", "failed")
            log.warning("migration not stored", extra={"context": context.id, "why": str(exc)})
            return None
        if isinstance(outcome, Rejection):
            self._count("limits", "no target")
            self._overload.on(bad.site.name, bad.reason, outcome.reasons)
        elif outcome is not None:
            self._count("limits", "done")
            self._overload.off()
        return outcome if isinstance(outcome, Migration) else None

    def _target(self, context: Context, without: dict[str, str], rng: Random | None = None) -> Choice | Rejection:
        return self._meo.place(self._meo.state.apps[context.app_key], context.wish.location, without, rng)

    def _migrate(self, context: Context, reason: str) -> Migration | Rejection | None:
        """Move a context; None when it has gone by itself. Raises StoreError."""
        meo, origin = self._meo, context.platform
        deadline = meo.clock() + MIGRATION_TIME
        without = {origin: "the origin"}
        while context.id in meo.state.contexts:
            choice = self._target(context, without)
            if context.id not in meo.state.contexts:
                break
            if isinstance(choice, Rejection):
                return choice
            pair = Pair(context.app_key, choice.site.name)
            why_not = meo.hold(pair, deadline)
            if why_not is not None:
                without[pair.platform] = why_not
                continue
            try:
                moved = meo.context_changes.move(context.id, origin, partial(self._moved, pair.platform, reason))
            except BaseException:
                meo.let_go(pair)
                raise
            if moved is None:
                meo.let_go(pair)
                return None
            return self._told(moved, origin, reason)
        return None

    def _moved(self, target: str, reason: str, context: Context) -> Moved:
        """The context as it is after the move, and what its device is told."""
        now, number = self._meo.wall(), self._meo.state.next_order()
        new = replace(context, platform=target, moved_at=now)
        notification = address_change(new, self._meo.state.platforms[target].endpoint_apps, number, context.pair)
        move = Move(number, now, context.platform, target, reason, "pending" if notification else "no callback")
        return replace(new, moves=(*context.moves, move)[-MAX_MOVES_KEPT:]), notification

    def _told(self, moved: Moved, origin: str, reason: str) -> Migration:
        context, notification = moved
        self.cool(context.id, self._meo.settings.cooldown)
        if notification is not None:
            self._notifier.post(notification)
        log.info(
            "context migrated",
            extra={"context": context.id, "origin": origin, "target": context.platform, "why": reason},
        )
        facts = {**self._meo.facts(context), "origin": origin, "target": context.platform, "reason": reason}
        self._meo.events.tell(Kind.MIGRATION, Severity.INFO, "moved", **facts)
        self._meo.moved_in(context.pair)
        self._meo.inventory.sweep_platform(origin)
        return Migration(context.id, origin, context.platform, reason)

    def _evacuate(self, platform: str) -> bool:
        """Moves the contexts out of a platform. Returns whether some are still there."""
        for context in self._meo.state.contexts_at(platform):
            try:
                self._move_out(context)
            except StoreError as exc:
                log.warning("evacuation waits", extra={"platform": platform, "why": str(exc)})
                gevent.sleep(EVACUATION_RETRY)
                return True
        if self._meo.state.contexts_at(platform):
            return True
        self._meo.inventory.sweep_platform(platform)
        self._evacuations.pop(platform, None)
        return False

    def _move_out(self, context: Context) -> None:
        reason = "the platform is withdrawn"
        outcome = self._migrate(context, reason)
        if isinstance(outcome, Migration):
            self._count("withdrawn", "done")
        if not isinstance(outcome, Rejection):
            return
        self._count("withdrawn", "no target")
        notification = context_deleted(context)
        ended = self._meo.context_changes.leave(context.id, notification, only_at=context.platform)
        if ended is not None:
            if notification is not None:
                self._notifier.post(notification)
            self._meo.ended(ended, "platform withdrawn")

    def _count(self, why: str, result: str) -> None:
        self._meo.metrics.migrations.labels(why, result).inc()
