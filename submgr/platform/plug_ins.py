# SPDX-License-Identifier: Apache-2.0
"""Has gevent patch the process without a look for plug-ins of other packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gevent import events


@contextmanager
def without_plug_ins() -> Iterator[None]:
    """Goes around `monkey.patch_all()`.

    gevent asks 25 times whether a package wants to be called, and reads the files of all installed packages each time,
    for which a fifth of what the standard library has is imported. The one plug-in there is, gevent's own, warns of
    what `patch_all()` never does. Who subscribes to the events in the process is told of them as ever.
    """
    call_plug_ins = events.notify_and_call_entry_points
    events.notify_and_call_entry_points = events.notify
    try:
        yield
    finally:
        events.notify_and_call_entry_points = call_plug_ins
