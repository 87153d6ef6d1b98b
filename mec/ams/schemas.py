# SPDX-License-Identifier: Apache-2.0
"""Wraps application states into JSON answers and unwraps them. The states themselves are passed on unread."""

import msgspec

from mec.ams.model import StateError

MAX_STATE = 16 * 1024 * 1024
"""Bytes of an answer with a state; states have up to 10 MB."""

Pieces = list[bytes | memoryview]


class _Wrapped(msgspec.Struct, forbid_unknown_fields=True):
    state: msgspec.Raw


def state_in(body: bytes) -> memoryview:
    """The state in an application's answer, as a view of `body`.

    An answer `{"state": …}` without other members holds the state; any other answer is the state itself. Raises
    StateError when `body` is not JSON.
    """
    try:
        return memoryview(msgspec.json.decode(body, type=_Wrapped).state)
    except msgspec.ValidationError:
        pass  # JSON of another form, so far
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise StateError(f"not JSON: {exc}") from exc
    try:
        return memoryview(msgspec.json.decode(body, type=msgspec.Raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise StateError(f"not JSON: {exc}") from exc


def enveloped(state: bytes | memoryview) -> tuple[Pieces, int]:
    """`{"state": …}` in pieces, and its size."""
    return _around(b'{"state":', state)


def found(state: bytes | memoryview) -> tuple[Pieces, int]:
    """`{"found": true, "state": …}` in pieces, and its size."""
    return _around(b'{"found":true,"state":', state)


def _around(head: bytes, state: bytes | memoryview) -> tuple[Pieces, int]:
    return [head, state, b"}"], len(head) + len(state) + 1
