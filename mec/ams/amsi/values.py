# SPDX-License-Identifier: Apache-2.0
"""Reads the members of what MEC 021 requests carry. Each kind of value raises ValueError in words."""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mec.ams.amsi.model import ADJACENT, MOBILITY, Associate, AssociateType, MobilityStatus, TimeStamp
from mec.common.problem_details import bad_fields

T = TypeVar("T")

_MAX_LIST = 10_000
_MAX_TEXT = 2048


class Mistakes:
    """Reads members of nested objects; `check` names all that is wrong."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def take(self, values: Mapping[str, Any], path: str, convert: Callable[[Any], T], default: T) -> T:
        name = path.rpartition(".")[2]
        if values.get(name) is None:
            return default
        try:
            return convert(values[name])
        except ValueError as exc:
            self.found[path] = str(exc)
            return default

    def need(self, values: Mapping[str, Any], path: str, convert: Callable[[Any], T], otherwise: T) -> T:
        if values.get(path.rpartition(".")[2]) is None:
            self.found[path] = "is missing"
            return otherwise
        return self.take(values, path, convert, otherwise)

    def check(self) -> None:
        if self.found:
            raise bad_fields(self.found)


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError(f"must be a text of at most {_MAX_TEXT} characters")
    return value


def mapping(value: Any) -> dict[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


def mappings(value: Any) -> list[dict[str, Any]]:
    """A list of objects."""
    if not isinstance(value, list) or len(value) > _MAX_LIST or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"must be a list of at most {_MAX_LIST} objects")
    return value


def number(low: int, high: int) -> Callable[[Any], int | None]:
    """A whole number."""

    def convert(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return convert


def associate(value: Any) -> Associate:
    """An AssociateId."""
    kind, text = mapping(value).get("type"), value.get("value")
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
    """A list of AssociateIds."""
    return tuple(associate(each) for each in mappings(value))


def statuses(value: Any) -> tuple[int, ...]:
    """A list of MobilityStatus."""
    known = [each.value for each in MobilityStatus]
    given = value if isinstance(value, list) else [value]
    if any(isinstance(each, bool) or each not in known for each in given):
        raise ValueError("must be a list of 1, 2 and 3")
    return tuple(dict.fromkeys(given))


def subscription_type(value: Any) -> str:
    """A type of subscription."""
    if value not in (MOBILITY, ADJACENT):
        raise ValueError(f"must be {MOBILITY} or {ADJACENT}")
    return str(value)


def callback(value: Any) -> str:
    """An http or https URL."""
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
    """A TimeStamp."""
    stamp = mapping(value)
    seconds, nano_seconds = stamp.get("seconds"), stamp.get("nanoSeconds", 0)
    for each, most in ((seconds, 2**40), (nano_seconds, 999_999_999)):
        if isinstance(each, bool) or not isinstance(each, int) or not 0 <= each <= most:
            raise ValueError('must be {"seconds": …, "nanoSeconds": …} since 1970')
    return TimeStamp(int(seconds or 0), int(nano_seconds))
