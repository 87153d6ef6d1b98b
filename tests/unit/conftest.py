# SPDX-License-Identifier: Apache-2.0
"""In unit tests time is a number: a test here that sleeps fails.

The sleep functions are replaced when this file is read, which is before any test file is, so that neither
`from time import sleep` nor a sleep in a greenlet of its own goes unseen. Greenlets of the product sleep as they like.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import gevent.hub
import pytest

TESTS = str(Path(__file__).parents[1])
A_TURN = 0.001
"""Seconds; what is shorter gives others their turn and is no waiting."""

_slept: list[str] | None = None
"""Where the unit test that runs now has slept; None while none runs."""


def _watched(sleep: Callable[..., None]) -> Callable[..., None]:
    def watched(seconds: float = 0, *more: Any, **options: Any) -> None:
        if _slept is not None and seconds > A_TURN:
            try:
                frame = sys._getframe(1)
            except ValueError:
                _slept.append(f"a greenlet of its own: {seconds} s")
            else:
                if frame.f_code.co_filename.startswith(TESTS):
                    _slept.append(f"{frame.f_code.co_filename}:{frame.f_lineno}: {seconds} s")
        sleep(seconds, *more, **options)

    return watched


time.sleep = _watched(time.sleep)
gevent.sleep = gevent.hub.sleep = _watched(gevent.sleep)


@pytest.fixture(autouse=True)
def _nobody_sleeps() -> Iterator[None]:
    global _slept
    slept = _slept = []
    yield
    _slept = None
    if slept:
        pytest.fail("a unit test slept: " + ", ".join(dict.fromkeys(slept)), pytrace=False)
