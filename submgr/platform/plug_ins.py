# SPDX-License-Identifier: Apache-2.0
"""Looks once which plug-ins are installed, where a library looks again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata


@contextmanager
def looked_up_once() -> Iterator[None]:
    """Goes around `monkey.patch_all()`.

    gevent asks 25 times for plug-ins, and each time the files of all installed packages are read: an eighth of a start.
    """
    look_up = metadata.entry_points
    installed = look_up()
    metadata.entry_points = installed.select
    try:
        yield
    finally:
        metadata.entry_points = look_up
