# SPDX-License-Identifier: Apache-2.0
"""The kinds of JSON values in requests of the mobility API: converters for `json_fields` (MEC 021 v2.2.1, clause 6)."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from mec.ams.amsi.model import ADJACENT, MOBILITY, Associate, AssociateType, MobilityStatus, TimeStamp
from submgr.platform.http.json_fields import an_object

_MAX_LIST = 10_000
_MAX_TEXT = 2048


def text(value: Any) -> str:
    """Converts a string of up to 2048 characters, which may be empty."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError(f"must be a text of at most {_MAX_TEXT} characters")
    return value


def objects(value: Any) -> list[dict[str, Any]]:
    """Converts a list of up to 10,000 objects."""
    if not isinstance(value, list) or len(value) > _MAX_LIST or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"must be a list of at most {_MAX_LIST} objects")
    return value


def associate(value: Any) -> Associate:
    """Converts an AssociateId: an identifier of a UE or a group; IP addresses in their canonical spelling."""
    kind, text = an_object(value).get("type"), value.get("value")
    if isinstance(kind, bool) or kind not in [each.value for each in AssociateType]:
        raise ValueError("the type of an identifier is 1 to 4")
    if not isinstance(text, str) or not 0 < len(text) <= _MAX_TEXT:
        raise ValueError("the value of an identifier is a text")
    if kind in (AssociateType.UE_IPV4_ADDRESS, AssociateType.UE_IPV6_ADDRESS):
        version = 4 if kind == AssociateType.UE_IPV4_ADDRESS else 6
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            address = None
        if address is None or address.version != version:
            raise ValueError(f"{text[:60]!r} is not an IPv{version} address")
        text = str(address)
    return Associate(kind, text)


def associates(value: Any) -> tuple[Associate, ...]:
    """Converts a list of AssociateIds."""
    return tuple(associate(each) for each in objects(value))


def statuses(value: Any) -> tuple[int, ...]:
    """Converts one MobilityStatus or a list of them; each is kept once."""
    known = [each.value for each in MobilityStatus]
    given = value if isinstance(value, list) else [value]
    if any(isinstance(each, bool) or each not in known for each in given):
        raise ValueError("must be a list of 1, 2 and 3")
    return tuple(dict.fromkeys(given))


def subscription_type(value: Any) -> str:
    """Converts the type of a subscription."""
    if value not in (MOBILITY, ADJACENT):
        raise ValueError(f"must be {MOBILITY} or {ADJACENT}")
    return str(value)


def callback(value: Any) -> str:
    """Converts the http or https URL of a subscriber."""
    url = text(value)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not url.isascii() or " " in url:
        raise ValueError("is not an http or https URL")
    return url


def time_stamp(value: Any) -> TimeStamp:
    """Converts a TimeStamp: seconds and nanoseconds since 1970."""
    stamp = an_object(value)
    seconds, nano_seconds = stamp.get("seconds"), stamp.get("nanoSeconds", 0)
    for each, most in ((seconds, 2**40), (nano_seconds, 999_999_999)):
        if isinstance(each, bool) or not isinstance(each, int) or not 0 <= each <= most:
            raise ValueError('must be {"seconds": …, "nanoSeconds": …} since 1970')
    return TimeStamp(int(seconds or 0), int(nano_seconds))
