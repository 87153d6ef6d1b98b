# SPDX-License-Identifier: Apache-2.0
"""Whether a platform is where an application is to run: compares LocationConstraints (MEC 016, 6.5.2).

`zone` is an addition of this orchestrator: the zone where a UE or a platform is. It excludes nothing, but tells who is
near to whom.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

Location = Mapping[str, Any]
_Position = Sequence[float]


class Whereabouts(IntEnum):
    """Whether a platform is in the wanted place. UNKNOWN: its location does not say so, nor that it is not."""

    THERE = 0
    UNKNOWN = 1
    ELSEWHERE = 2


def constrains(wanted: Location) -> bool:
    """Whether a wanted location excludes any platform."""
    return any(name in wanted for name in ("countryCode", "area", "civicAddressElement"))


def whereabouts(wanted: Location, location: Location | None) -> Whereabouts:
    """Where a platform with this location is, seen from the wanted one.

    Countries and civic addresses must be the same as far as both tell them. Of two areas one must have the middle of
    the other.
    """
    if location is None:
        return Whereabouts.UNKNOWN
    if location == wanted:
        return Whereabouts.THERE
    return max(
        _same(wanted.get("countryCode"), location.get("countryCode")),
        _civic(wanted.get("civicAddressElement", ()), location.get("civicAddressElement", ())),
        _area(wanted.get("area"), location.get("area")),
    )


def in_any(wanted: Iterable[Location], location: Location | None) -> Whereabouts:
    """As `whereabouts`, for the nearest of several wanted locations."""
    return min(whereabouts(each, location) for each in wanted)


def _same(wanted: object, given: object) -> Whereabouts:
    if wanted is None:
        return Whereabouts.THERE
    if given is None:
        return Whereabouts.UNKNOWN
    return Whereabouts.THERE if wanted == given else Whereabouts.ELSEWHERE


def _civic(wanted: Iterable[Mapping[str, Any]], given: Iterable[Mapping[str, Any]]) -> Whereabouts:
    """A type that is given several times is there when one of its values is the wanted one (RFC 4776)."""
    values: dict[int, set[str]] = {}
    for element in given:
        values.setdefault(element["caType"], set()).add(element["caValue"].casefold())
    found = Whereabouts.THERE
    for element in wanted:
        here = values.get(element["caType"])
        if here is None:
            found = max(found, Whereabouts.UNKNOWN)
        elif element["caValue"].casefold() not in here:
            return Whereabouts.ELSEWHERE
    return found


def _area(wanted: Mapping[str, Any] | None, given: Mapping[str, Any] | None) -> Whereabouts:
    if wanted is None:
        return Whereabouts.THERE
    if given is None:
        return Whereabouts.UNKNOWN
    ours, theirs = wanted["coordinates"], given["coordinates"]
    try:
        there = _inside(_middle(theirs), ours) or _inside(_middle(ours), theirs) or _middle(ours) == _middle(theirs)
    except OverflowError:  # a number of an old record that is no place on earth
        return Whereabouts.UNKNOWN
    return Whereabouts.THERE if there else Whereabouts.ELSEWHERE


def _middle(rings: Sequence[Sequence[_Position]]) -> tuple[float, float]:
    """The middle of the box round the outer ring, as longitude and latitude."""
    longitudes = [position[0] for position in rings[0]]
    latitudes = [position[1] for position in rings[0]]
    return (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2


def _inside(point: tuple[float, float], rings: Sequence[Sequence[_Position]]) -> bool:
    """Whether a point is in a polygon and not in one of its holes: a ray from it crosses an odd number of edges."""
    x, y = point
    odd = False
    for ring in rings:
        before = ring[-1]
        for position in ring:
            (x1, y1), (x2, y2) = before[:2], position[:2]
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                odd = not odd
            before = position
    return odd
