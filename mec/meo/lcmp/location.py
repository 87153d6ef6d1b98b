# SPDX-License-Identifier: Apache-2.0
"""Reads LocationConstraints: an area, or a country with or without a civic address (MEC 016, 6.5.2), and a zone."""

import re
from typing import Any

from mec.meo.values import name, zone
from submgr.platform.http.json_fields import Fields, text, whole

_TWO_LETTERS = text(2)
_CIVIC_TYPE = whole(0, 255)
_CIVIC_VALUE = text(256)
_MOST_RINGS = 100
_MOST_POSITIONS = 1000
"""Of all rings of an area."""
_FARTHEST = 1_000_000
"""Of all numbers of a position: degrees, or metres of altitude."""
_COUNTRY = re.compile(r"[A-Z]{2}\Z")


def read_location(reader: Fields | None) -> dict[str, Any] | None:
    """The constraints as they were given, None for none; mistakes are noted in `reader`."""
    if reader is None:
        return None
    location: dict[str, Any] = {}
    country = reader.take("countryCode", _TWO_LETTERS, None)
    if country is not None:
        if not _COUNTRY.match(country):
            reader.wrong("countryCode", "must be two capital letters")
        location["countryCode"] = country
    if (given_zone := reader.take("zone", zone, None)) is not None:
        location["zone"] = given_zone
    area = reader.child("area")
    if area is not None:
        location["area"] = _area(area)
        if reader.present("civicAddressElement") is not None:
            reader.wrong("civicAddressElement", "must be absent when there is an area")
    elif country is None and given_zone is None:
        reader.wrong("countryCode", "is required when there is neither an area nor a zone")
    if elements := [_civic(element) for _, element in reader.children("civicAddressElement")]:
        location["civicAddressElement"] = elements
    return location


def _area(area: Fields) -> dict[str, Any]:
    """A polygon of GeoJSON (RFC 7946, 3.1.6): rings of positions."""
    kind = area.take("type", name, None)
    if kind not in (None, "Polygon"):
        area.wrong("type", "must be Polygon")
    rings = area.items("coordinates", required=True)
    if not all(_is_ring(ring) for ring in rings):
        area.wrong("coordinates", "must be a list of rings, each a list of [longitude, latitude]")
    elif len(rings) > _MOST_RINGS or sum(len(ring) for ring in rings) > _MOST_POSITIONS:
        area.wrong("coordinates", f"must not have more than {_MOST_RINGS} rings or {_MOST_POSITIONS} positions")
    return {"type": "Polygon", "coordinates": rings}


def _is_ring(ring: Any) -> bool:
    return isinstance(ring, list) and bool(ring) and all(_is_position(position) for position in ring)


def _is_position(position: Any) -> bool:
    return (
        isinstance(position, list)
        and 2 <= len(position) <= 3
        and all(
            isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= _FARTHEST
            for number in position
        )
    )


def _civic(element: Fields) -> dict[str, Any]:
    return {
        "caType": element.need("caType", _CIVIC_TYPE, None),
        "caValue": element.need("caValue", _CIVIC_VALUE, None),
    }
