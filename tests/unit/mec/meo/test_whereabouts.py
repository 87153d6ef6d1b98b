# SPDX-License-Identifier: Apache-2.0
"""Platforms that are in a wanted place, elsewhere, or do not say."""

from typing import Any

import pytest

from mec.meo.whereabouts import Whereabouts, constrains, in_any, whereabouts

THERE, UNKNOWN, ELSEWHERE = Whereabouts.THERE, Whereabouts.UNKNOWN, Whereabouts.ELSEWHERE


def area(*ring: tuple[float, float], holes: tuple[list[list[float]], ...] = ()) -> dict[str, Any]:
    return {"area": {"type": "Polygon", "coordinates": [[list(position) for position in ring], *holes]}}


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return area((west, south), (east, south), (east, north), (west, north), (west, south))


def civic(**values: str) -> dict[str, Any]:
    kinds = {"county": 1, "city": 3, "street": 6}
    elements = [{"caType": kinds[name], "caValue": value} for name, value in values.items()]
    return {"countryCode": "NO", "civicAddressElement": elements}


NORWAY = {"countryCode": "NO"}
OSLO = box(10.4, 59.8, 10.95, 60.0)
POINT = area((10.75, 59.91))
RING = area(
    (0, 0), (9, 0), (9, 9), (0, 9), holes=([[3.0, 3.0], [6.0, 3.0], [6.0, 6.0], [3.0, 6.0]],)
)  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "location", "found"),
    [
        (NORWAY, NORWAY, THERE),
        (NORWAY, {"countryCode": "SE"}, ELSEWHERE),
        (NORWAY, None, UNKNOWN),
        (NORWAY, OSLO, UNKNOWN),
        (NORWAY, {"zone": "a"}, UNKNOWN),
        (NORWAY, civic(city="Oslo"), THERE),
        ({"zone": "a"}, {"countryCode": "SE"}, THERE),
        (civic(city="Oslo"), civic(city="OSLO", street="Karl Johans gate"), THERE),
        (civic(city="Oslo"), civic(city="Bergen"), ELSEWHERE),
        (civic(city="Oslo"), NORWAY, UNKNOWN),
        (civic(city="Oslo", county="Viken"), civic(city="Bergen"), ELSEWHERE),
        (OSLO, OSLO, THERE),
        (OSLO, POINT, THERE),
        (POINT, OSLO, THERE),
        (POINT, POINT, THERE),
        (OSLO, box(5.0, 60.0, 5.5, 60.5), ELSEWHERE),
        (OSLO, NORWAY, UNKNOWN),
        (OSLO, box(4.0, 57.0, 31.0, 71.0), THERE),
        (RING, area((1, 1)), THERE),
        (RING, area((4, 4)), ELSEWHERE),
        ({**OSLO, **NORWAY}, {**POINT, "countryCode": "SE"}, ELSEWHERE),
        (area((10**400, 0), (0, 1)), OSLO, UNKNOWN),
    ],
)
def test_whereabouts(wanted: dict[str, Any], location: dict[str, Any] | None, found: Whereabouts) -> None:
    assert whereabouts(wanted, location) is found


def test_one_of_several_wanted_places_is_enough() -> None:
    assert in_any([{"countryCode": "SE"}, NORWAY], civic(city="Oslo")) is THERE
    assert in_any([{"countryCode": "SE"}, OSLO], NORWAY) is UNKNOWN
    assert in_any([{"countryCode": "SE"}], NORWAY) is ELSEWHERE


def test_a_zone_excludes_nothing() -> None:
    assert not constrains({"zone": "a"})
    assert constrains({"zone": "a", "countryCode": "NO"})
    assert constrains(OSLO)
