# SPDX-License-Identifier: Apache-2.0
"""The lease: which one of several processes acts. It calls no database and reads no clock.

The record of the lease is one value in the database (`LeaseRecord`). Every change of it is a compare-and-set of the
whole value, so that the epoch can only grow and a command that the database carries out late changes nothing.

The holder may act until `renewed + seconds - margin` on its own clock, where `renewed` is the time *before* it sent the
last renewal that was answered. Another process takes the lease when it has seen the same value for `seconds` on its own
clock, which began *after* the holder's renewal. No two clocks are ever compared: `margin` covers that they run at
slightly different rates, and the moment between the holder's look at its clock and its last byte on the wire.

A holder whose time is over acts no more. It takes part in the next acquisition like everybody else, but waits less
long than the others when the record got lost, because it knows what it has done and they do not.

What is assumed: one redis server is the master at a time, and a failover that loses writes takes longer than `GAP`
leases to be over. Whoever could not look for that long begins to wait anew.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from submgr.platform.lease.record import Holder, LeaseRecord, State, record_of, written_by

MARGIN = 0.1
"""Of the lease: the holder stops acting so much earlier than others may begin."""
RENEWALS = 3
"""So many times in a lease its holder renews it."""
LOOKS = 12
"""So many times in a lease the others look at the record."""
GAP = 1 / 3
"""Of the lease: after so long without a look the record may have changed back and forth, so the wait begins anew."""
AFTER_AN_OUTAGE = 1.5
"""Leases. After an outage of the database everybody begins to wait at the same time, and the holder is to be first."""
LOST_RECORD = 2.0
"""Leases that the others wait when there is no record: the holder, if there is one, writes it again before."""


class Purpose(enum.Enum):
    LOOK = "look"
    CLAIM = "claim"
    """Note that there is no record, so that whoever holds the lease notices, and the wait has a beginning."""
    TAKE = "take"
    RENEW = "renew"
    RELEASE = "release"


class Request(Struct, frozen=True):
    """Asks the database to set the record to `new` if it is `expected` (None: there is none). LOOK only reads it."""

    purpose: Purpose
    expected: bytes | None = None
    new: bytes | None = None


class Found(Struct, frozen=True):
    """The answer: whether the record was changed as asked, and what it is now."""

    changed: bool
    value: bytes | None


class Lease:
    """One process's part in it. The owner sends what `next` says, one request at a time, and reports what came of it.

    Times are seconds of a clock that never stops or goes back, also while the machine sleeps.
    `epoch`: of the last acquisition by this process, 0 before. `lost`: why this process must not go on as the holder,
    None while it may; from then on it never acts again.
    """

    def __init__(self, me: Holder, seconds: float, new_token: Callable[[], str] = lambda: uuid4().hex) -> None:
        self.me = me
        self.seconds = seconds
        self.epoch = 0
        self.lost: str | None = None
        self._new_token = new_token
        self._known = 0
        self._renewed: float | None = None
        self._beat = 0
        self._written: bytes | None = None
        """What the holder has written last."""
        self._at_key: bytes | None = None
        """What the record is, as far as the holder knows."""
        self._seen: bytes | None = None
        """What the record is, as far as somebody knows who watches it."""
        self._since: float | None = None
        """Since when it has been so; None: the watch has not begun."""
        self._outage = False
        """Whether the database did not answer when it was last asked."""
        self._last_look = 0.0
        self._leases = 1.0
        """So many leases it has to be so, until it may be changed."""

    # --- may this process act?

    @property
    def holding(self) -> bool:
        """Whether the last acquisition was this process's, as far as it knows. Its time may be over."""
        return self._renewed is not None and self.lost is None

    def may_act(self, now: float) -> bool:
        """Whether this process, and no other one, acts at this moment."""
        return self.lost is None and self._in_time(now)

    def _in_time(self, now: float) -> bool:
        return self._renewed is not None and now < self._renewed + self.seconds * (1 - MARGIN)

    def age(self, now: float) -> float | None:
        """Seconds since the last renewal; None when this process has not the lease."""
        return now - self._renewed if self._renewed is not None and self.lost is None else None

    def holder(self) -> Holder | None:
        """Whom the record names as holding the lease, when it was last seen; None: nobody."""
        if self.holding:
            return self.me
        record = self._record()
        return record.by if record is not None and record.state is State.HELD else None

    def give_up(self, why: str) -> None:
        """This process acts no more, whatever the record says, and gives nothing back."""
        self.lost = self.lost or why
        self._at_key = None

    # --- what to ask the database, and when

    def next(self, now: float) -> Request:
        """The next request. Not to be called any more once `lost` is set."""
        if self.may_act(now):
            record = written_by(self.me, self.epoch, State.HELD, self._beat + 1)
            return Request(Purpose.RENEW, self._at_key, record.encode())
        since = self._since
        if since is None or self._gap(now) or now - since < self._leases * self.seconds:
            return Request(Purpose.LOOK)
        if self._seen is None:
            claim = replace(written_by(self.me, self._known, State.VACANT), token=self._new_token())
            return Request(Purpose.CLAIM, None, claim.encode())
        record = written_by(self.me, self._known + 1, State.HELD)
        return Request(Purpose.TAKE, self._seen, record.encode())

    def note_epoch(self, epoch: int) -> None:
        """An epoch that was in use somewhere: the next acquisition has a higher one."""
        self._known = max(self._known, epoch)

    def release(self, now: float) -> Request | None:
        """Gives the lease back: this process acts no more. None when it has nothing to give back (any more)."""
        mine = self._at_key if self._in_time(now) else None
        self.lost = self.lost or "given back"
        if mine is None or not self._is_mine(record_of(mine)):
            return None
        return Request(Purpose.RELEASE, mine, written_by(self.me, self.epoch, State.RELEASED).encode())

    def pause(self, now: float, answered: bool) -> float:
        """Seconds until the next request, after one that was `answered` or not."""
        if not answered or not self.may_act(now):
            return self.seconds / LOOKS
        return self.seconds / RENEWALS if self._at_key == self._written else 0.0

    # --- what came of it

    def unanswered(self, request: Request) -> None:
        """No answer came: the database may carry the request out at any later time, or never."""
        if request.purpose is not Purpose.RENEW:
            self._since, self._outage = None, True

    def answered(self, request: Request, sent: float, now: float, found: Found) -> None:
        """The answer to a request of `next` or `release`, which was sent at `sent`, came at `now`."""
        if request.purpose is Purpose.RELEASE:
            self._at_key = found.value
        elif self.lost is not None:
            return
        elif request.purpose is Purpose.RENEW:
            # an answer that comes after the end may be about a record that was lost and taken in between
            if self.may_act(now):
                self._renewal(request, sent, found)
        elif request.purpose is Purpose.TAKE and found.changed and not self._gap(now):
            self._taken(request, sent)
        else:
            self._watch(sent, now, found.value)

    def _taken(self, request: Request, sent: float) -> None:
        assert request.new is not None
        self.epoch, self._beat = record_of(request.new).epoch, 0
        self.note_epoch(self.epoch)
        self._renewed, self._at_key, self._written = sent, request.new, request.new
        self._since = None

    def _renewal(self, request: Request, sent: float, found: Found) -> None:
        self._at_key = found.value
        record = None if found.value is None else record_of(found.value)
        if found.changed:
            self._renewed, self._written = sent, request.new
            self._beat += 1
        elif record is not None and self._displaces(record):
            self.give_up(f"{record.by} has taken the lease")
        elif record is not None and self._is_mine(record):
            self._beat = record.beat  # an earlier renewal was carried out, its answer got lost

    def _watch(self, sent: float, now: float, value: bytes | None) -> None:
        record = None if value is None else record_of(value)
        if record is not None and self.holding and self._displaces(record):
            self.give_up(f"{record.by} has taken the lease")
            return
        gap = self._since is None or self._gap(now)
        if gap or value != self._seen:
            before = None if gap or self._seen is None else record_of(self._seen)
            self._leases = self._wait(record, before)
            self._seen, self._since, self._outage = value, now, False
        if record is not None:
            self.note_epoch(record.epoch)
        self._last_look = sent

    def _wait(self, record: LeaseRecord | None, before: LeaseRecord | None) -> float:
        """Leases until a record that was just found may be changed. `before`: the one that it followed, if seen."""
        if record is None:
            return 0.0
        released = record.state is State.RELEASED
        if released and before == replace(record, state=State.HELD, beat=before.beat if before else 0):
            return 0.0
        if self.holding:
            return 1.0
        if record.state is State.VACANT:
            return LOST_RECORD
        return AFTER_AN_OUTAGE if self._outage and not released else 1.0

    def _gap(self, now: float) -> bool:
        """Whether the record may have changed back and forth since the last look, which was sent at `_last_look`."""
        return now - self._last_look > GAP * self.seconds

    def _displaces(self, record: LeaseRecord) -> bool:
        """Whether this record says that another process has held the lease after this one."""
        if record.token == self.me.token and record.epoch == self.epoch:
            return False
        return record.epoch > self.epoch or (record.epoch == self.epoch and record.state is not State.VACANT)

    def _is_mine(self, record: LeaseRecord) -> bool:
        return record.token == self.me.token and record.epoch == self.epoch and record.state is State.HELD

    def _record(self) -> LeaseRecord | None:
        return None if self._seen is None else record_of(self._seen)
