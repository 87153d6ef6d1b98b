# SPDX-License-Identifier: Apache-2.0
"""Wraps application states into JSON answers and unwraps them. The states themselves are passed on unread."""

from mec.ams import state_text
from mec.ams.model import StateError
from submgr.platform.beside import BesideError, run_beside

MAX_STATE = 16 * 1024 * 1024
"""Bytes of an answer with a state; states have up to 10 MB."""

_LARGE = 1 << 19
"""Bytes that are read in some milliseconds, whatever they are."""
_SECONDS = 2.0

Pieces = list[bytes | memoryview]


def state_in(body: bytes) -> memoryview:
    """The state in an application's answer, as a view of `body`.

    An answer `{"state": …}` without other members holds the state; any other answer is the state itself. A large answer
    is read by a process of its own: 16 MB take up to 0.2 s, and nothing else would run meanwhile. Raises StateError
    when `body` is not JSON.
    """
    try:
        begin, end = state_text.place(body) if len(body) <= _LARGE else _place_beside(body)
    except state_text.NotJson as exc:
        raise StateError(f"not JSON: {exc}") from exc
    return memoryview(body)[begin:end]


def _place_beside(body: bytes) -> tuple[int, int]:
    try:
        told = run_beside(state_text.__file__, body, _SECONDS).decode().strip()
    except BesideError as exc:
        raise StateError(f"not read: {exc}") from exc
    begin, _, end = told.partition(" ")
    if not (begin.isdigit() and end.isdigit()):
        raise StateError(told)
    return int(begin), int(end)


def enveloped(state: bytes | memoryview) -> tuple[Pieces, int]:
    """`{"state": …}` in pieces, and its size."""
    return _around(b'{"state":', state)


def found(state: bytes | memoryview) -> tuple[Pieces, int]:
    """`{"found": true, "state": …}` in pieces, and its size."""
    return _around(b'{"found":true,"state":', state)


def _around(head: bytes, state: bytes | memoryview) -> tuple[Pieces, int]:
    return [head, state, b"}"], len(head) + len(state) + 1
