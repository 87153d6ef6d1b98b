# SPDX-License-Identifier: Apache-2.0
"""A period that is renewed begins anew, with the length that is in force then."""

from __future__ import annotations

import gevent
import pytest

from mec.meo.period import Period


class Waits:
    """In the place of the event: tells how long it was waited for, and whether it was set meanwhile."""

    def __init__(self, *renewals: bool) -> None:
        self.seconds: list[float] = []
        self._renewals = list(renewals)

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return self._renewals.pop(0)

    def clear(self) -> None:
        pass


def test_each_renewal_takes_the_length_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = iter([86_400.0, 5.0, 1.0])
    period, waits = Period(lambda: next(lengths)), Waits(True, True, False)
    monkeypatch.setattr(period, "_changed", waits)
    period.wait()
    assert waits.seconds == [86_400.0, 5.0, 1.0]


def test_whoever_waits_goes_on_with_the_new_length() -> None:
    length = 86_400.0
    period = Period(lambda: length)
    waiting = gevent.spawn(period.wait)
    gevent.idle()
    length = 0.0
    period.renew()
    waiting.join(5)
    assert waiting.successful()


def test_a_renewal_while_nobody_waits_does_not_shorten_the_next_period() -> None:
    lengths: list[float] = []

    def seconds() -> float:
        lengths.append(0.0)
        return 0.0

    period = Period(seconds)
    period.renew()
    period.wait()
    assert len(lengths) == 2
