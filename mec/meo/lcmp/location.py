# SPDX-License-Identifier: Apache-2.0
"""LocationConstraints of MEC 016, 6.5.2: an area, or a country with or without a civic address."""

import re
from typing import Any

from mec.meo.reading import Reader

_COUNTRY = re.compile(r"[A-Z]{2}\Z")


def read_location(reader: Reader | None) -> dict[str, Any] | None:
    """The constraints as they were given; mistakes are noted."""
    if reader is None:
        return None
    location: dict[str, Any] = {}
    country = reader.text("countryCode", 2)
    if country is not None:
        if not _COUNTRY.match(country):
            reader.wrong("countryCode", "must be two capital letters")
        location["countryCode"] = country
    area = reader.child("area")
    if area is not None:
        location["area"] = _area(area)
        if reader.present("civicAddressElement") is not None:
            reader.wrong("civicAddressElement", "must be absent when there is an area")
    elif country is None:
        reader.wrong("countryCode", "is required when there is no area")
    if elements := [_civic(element) for element in reader.children("civicAddressElement")]:
        location["civicAddressElement"] = elements
    return location


def _area(area: Reader) -> dict[str, Any]:
    """A polygon of GeoJSON (RFC 7946, 3.1.6): rings of positions."""
    kind = area.text("type")
    if kind not in (None, "Polygon"):
        area.wrong("type", "must be Polygon")
    rings = area.items("coordinates", required=True)
    if not all(_is_ring(ring) for ring in rings):
        area.wrong("coordinates", "must be a list of rings, each a list of [longitude, latitude]")
    return {"type": "Polygon", "coordinates": rings}


def _is_ring(ring: Any) -> bool:
    return isinstance(ring, list) and bool(ring) and all(_is_position(position) for position in ring)


def _is_position(position: Any) -> bool:
    return (
        isinstance(position, list)
        and 2 <= len(position) <= 3
        and all(isinstance(number, int | float) and not isinstance(number, bool) for number in position)
    )


def _civic(element: Reader) -> dict[str, Any]:
    element.present("caType", required=True)
    return {
        "caType": element.whole("caType", 0, 255),
        "caValue": element.text("caValue", 256, required=True),
    }
