# SPDX-License-Identifier: Apache-2.0
"""Times of answers in words."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"))


def age(text: str | None, now: datetime | None = None) -> str | None:
    """How long ago a time was, such as 90s, 15m, 3h, 2d; the text itself when it is no time. None for None."""
    if text is None:
        return None
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return text
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return span(((now or datetime.now(UTC)) - then).total_seconds())


def span(seconds: float) -> str:
    """A time span in its largest unit of which there are two."""
    seconds = max(seconds, 0.0)
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"
