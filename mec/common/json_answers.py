# SPDX-License-Identifier: Apache-2.0
"""Checks large JSON answers of peers, which are passed on as they are, without holding up the event loop."""

import msgspec

from submgr.platform.turns import Budget, turn

MOST_ELEMENTS = 500_000
"""Commas, colons and opening brackets of one answer: what the parser needs 20 ms for."""
_SLICE = 1024 * 1024


def check_json(data: bytes) -> None:
    """Raises ValueError when `data` is not JSON in UTF-8, is nested too deeply, or has too many elements."""
    left, budget = MOST_ELEMENTS, Budget()
    for start in range(0, len(data), _SLICE):
        piece = data[start : start + _SLICE]
        left -= len(piece) - len(piece.translate(None, b",:[{"))
        if left < 0:
            raise ValueError(f"JSON of more than {MOST_ELEMENTS} elements")
        budget.spend()
    str(data, "utf-8")
    turn()
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise ValueError(str(exc)) from exc
    turn()
