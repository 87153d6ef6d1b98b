# SPDX-License-Identifier: Apache-2.0
"""The seven messages through pycrate's ASN.1 runtime: the general codec, and in the tests the judge of the direct one.

pycrate's PDU objects are module globals that hold the value being coded. No function here lets another greenlet run
between setting and reading them, and no other module of the project uses them.
"""

from __future__ import annotations

from typing import Any

from pycrate_asn1dir.E2AP import E2AP_PDU_Contents, E2AP_PDU_Descriptions
from pycrate_core.utils import PycrateErr

from submgr.e2ap.aper_causes import read_refused
from submgr.e2ap.errors import DecodeError, EncodeError
from submgr.e2ap.messages import Message
from support.e2ap import pycrate_read, pycrate_write

_PDU = E2AP_PDU_Descriptions.E2AP_PDU
_REMOVED_LIST = E2AP_PDU_Contents.RICsubscription_List_withCause
_REMOVED_ITEM = E2AP_PDU_Contents.RICsubscription_withCause_Item

# Numbers that E2AP 2.00 gave to the list of RIC SUBSCRIPTION DELETE REQUIRED and to its items.
_REMOVED_LIST_OF_2_00 = 50
_REMOVED_ITEM_OF_2_00 = 51
# More information elements than this have never been in a subscription message. pycrate takes some 20 µs for
# each, and a PDU could claim 65535.
_MAX_ELEMENTS = 64


def encode(message: Message) -> bytes:
    """Aligned PER of a message.

    Raises:
        EncodeError: pycrate refuses the message; the text is pycrate's.
    """
    place, content = pycrate_write.to_tree(message)
    try:
        _PDU.set_val((place, content))
        return bytes(_PDU.to_aper())
    except (PycrateErr, TypeError, ValueError, OverflowError) as error:
        # pycrate prints the whole offending list after its own words.
        words, _, _ = str(error).partition(", [")
        raise EncodeError(words) from error


def decode(data: bytes, strict_order: bool) -> Message:
    """The message in these octets. Octets after the end of the PDU are ignored.

    Raises:
        DecodeError: the octets are no message, for whatever reason.
    """
    try:
        return _decode(data, strict_order)
    except DecodeError:
        raise
    except Exception as error:
        # The input is a stranger's and the runtime answers some of it with IndexError, KeyError,
        # RecursionError and the like: here every one of them means "cannot be decoded".
        raise DecodeError(f"{type(error).__name__}: {error}") from error


def _decode(data: bytes, strict_order: bool) -> Message:
    _bound_elements(data)
    _PDU.from_aper(data)
    place, content = _PDU.get_val()
    if not isinstance(content, dict):
        raise DecodeError(f"E2AP-PDU: alternative {place} is not known here")
    kind = (place, content["procedureCode"])
    if kind not in pycrate_read.ELEMENTS:
        raise DecodeError(f"{place} of procedure {content['procedureCode']} is not a subscription message")
    name, value = content["value"]
    if not isinstance(value, dict):
        raise DecodeError(f"{place} of procedure {content['procedureCode']} has a content of type {name}")
    elements = _elements(kind, value["protocolIEs"], strict_order)
    return pycrate_read.from_elements(kind, elements)


def _bound_elements(data: bytes) -> None:
    """Refuses a PDU with so many elements that pycrate would be busy for long. An element has at least 4 octets."""
    if len(data) <= 4 * _MAX_ELEMENTS:
        return
    # Head (three octets), length (two octets from 128 to 16383, else one), one octet, count.
    at = 6 if 0x80 <= data[3] < 0xC0 else 5
    count = int.from_bytes(data[at : at + 2], "big")
    if count > _MAX_ELEMENTS:
        raise DecodeError(f"{count} information elements, at most {_MAX_ELEMENTS} are read")


def _elements(kind: tuple[str, int], items: list[dict[str, Any]], strict_order: bool) -> dict[int, Any]:
    """Values of the known elements, by id. An unknown one is ignored unless its criticality is reject (E2AP 10.3)."""
    expected = list(pycrate_read.ELEMENTS[kind])
    found: dict[int, Any] = {}
    last = -1
    for item in items:
        name, value = item["value"]
        element = item["id"]
        if name == pycrate_write.UNKNOWN:
            element, value = _older_release(kind, element, value)
        if element not in expected:
            if item["criticality"] == "reject":
                raise DecodeError(f"information element {element} with criticality reject is not known")
            continue
        if element in found:
            raise DecodeError(f"information element {element} occurs twice")
        place = expected.index(element)
        if strict_order and place < last:
            raise DecodeError(f"information element {element} is out of order")
        last = place
        found[element] = value
    return found


def _older_release(kind: tuple[str, int], element: int, octets: bytes) -> tuple[int, Any]:
    """An element that earlier releases of E2AP have in this place, under its present id and decoded."""
    if kind == ("unsuccessfulOutcome", 8) and element == pycrate_read.NOT_ADMITTED_LIST:
        return element, read_refused(octets)
    if kind == ("initiatingMessage", 12) and element == _REMOVED_LIST_OF_2_00:
        _REMOVED_LIST.from_aper(octets)
        return pycrate_read.REMOVED_LIST, [_older_item(item) for item in _REMOVED_LIST.get_val()]
    return element, octets


def _older_item(item: dict[str, Any]) -> dict[str, Any]:
    name, octets = item["value"]
    if item["id"] != _REMOVED_ITEM_OF_2_00 or name != pycrate_write.UNKNOWN:
        return item
    _REMOVED_ITEM.from_aper(octets)
    return {"id": pycrate_read.REMOVED_ITEM, "value": (name, _REMOVED_ITEM.get_val())}
