# SPDX-License-Identifier: Apache-2.0
"""S1AP as far as UE identities need it: the kind of a PDU, its IEs undecoded (3GPP TS 36.413).

Decoding a whole PDU takes a hundred times as long as reading its procedure code and walking over the lengths of its
IEs. This module works on aligned PER (ITU-T X.691) by offsets; `s1ap_ies` reads the IEs of a more complicated
structure.
"""

from enum import IntEnum
from functools import lru_cache

from mec.controller.model import Area, Cell

_DETACH = 0x24
"""Cause: no extension, the third group (NAS), no extension, its third cause (detach), a bit of padding."""


class S1apError(ValueError):
    """A PDU or IE that is not what it should be."""


class Outcome(IntEnum):
    """The alternative of S1AP-PDU, as the first octet of its encoding."""

    INITIATING = 0x00
    SUCCESSFUL = 0x20
    UNSUCCESSFUL = 0x40


class Procedure(IntEnum):
    """Elementary procedures (36.413, 9.3.6) that say something about a UE."""

    HANDOVER_PREPARATION = 0
    HANDOVER_RESOURCE_ALLOCATION = 1
    HANDOVER_NOTIFICATION = 2
    PATH_SWITCH_REQUEST = 3
    HANDOVER_CANCEL = 4
    E_RAB_SETUP = 5
    E_RAB_RELEASE = 7
    E_RAB_RELEASE_INDICATION = 8
    INITIAL_CONTEXT_SETUP = 9
    DOWNLINK_NAS_TRANSPORT = 11
    INITIAL_UE_MESSAGE = 12
    UPLINK_NAS_TRANSPORT = 13
    RESET = 14
    S1_SETUP = 17
    UE_CONTEXT_RELEASE = 23
    MME_CONFIGURATION_UPDATE = 30
    E_RAB_MODIFICATION_INDICATION = 50
    UE_CONTEXT_RESUME = 56


class Ie(IntEnum):
    """Protocol IE ids (36.413, 9.3.6)."""

    MME_UE_S1AP_ID = 0
    CAUSE = 2
    ENB_UE_S1AP_ID = 8
    E_RABS_TO_BE_SETUP_BEARER = 16
    E_RABS_NOT_ADMITTED = 19
    E_RABS_SWITCHED = 22
    E_RABS_TO_BE_SETUP_CONTEXT = 24
    NAS_PDU = 26
    E_RABS_NOT_SET_UP = 29
    E_RABS_TO_BE_RELEASED = 33
    E_RABS_NOT_SET_UP_CONTEXT = 48
    GLOBAL_ENB_ID = 59
    TAI = 67
    SOURCE_MME_UE_S1AP_ID = 88
    RESET_TYPE = 92
    S_TMSI = 96
    UE_S1AP_IDS = 99
    EUTRAN_CGI = 100
    SOURCE_TO_TARGET_CONTAINER = 104
    SERVED_GUMMEIS = 105
    E_RABS_RELEASED = 110
    E_RABS_RELEASED_AT_MODIFICATION = 210
    E_RABS_NOT_RESUMED = 235
    E_RABS_NOT_RESUMED_BY_MME = 237


def ies_of(pdu: bytes) -> dict[int, bytes]:
    """The IEs of a PDU by id, undecoded; of equal ones the first. Raises S1apError."""
    try:
        at = 4
        size = pdu[3]
        if size >= 0xC0:
            raise S1apError("fragmented length")
        if size >= 0x80:
            size = (size & 0x3F) << 8 | pdu[4]
            at = 5
        end = at + size
        if end != len(pdu):
            raise S1apError(f"a PDU of {end} bytes in {len(pdu)}")
        extended = pdu[at] & 0x80
        count = pdu[at + 1] << 8 | pdu[at + 2]
        at += 3
        found: dict[int, bytes] = {}
        for _ in range(count):
            name = pdu[at] << 8 | pdu[at + 1]
            size = pdu[at + 3]
            at += 4
            if size >= 0x80:
                if size >= 0xC0:
                    raise S1apError("fragmented length")
                size = (size & 0x3F) << 8 | pdu[at]
                at += 1
            if at + size > end:
                raise S1apError(f"IE {name} goes beyond the PDU")
            if name not in found:
                found[name] = pdu[at : at + size]
            at += size
    except IndexError:
        raise S1apError("the PDU breaks off") from None
    if at != end and not extended:
        raise S1apError(f"{end - at} bytes after the last IE")
    return found


def whole_number(ies: dict[int, bytes], name: int) -> int:
    """The value of an IE that is an INTEGER of up to four octets, as UE ids are. Raises S1apError."""
    value = optional_number(ies, name)
    if value is None:
        raise S1apError(f"IE {name} is missing")
    return value


def optional_number(ies: dict[int, bytes], name: int) -> int | None:
    """As `whole_number`; None when there is no such IE."""
    value = ies.get(name)
    if value is None:
        return None
    if not value or len(value) != (value[0] >> 6) + 2:
        raise S1apError(f"IE {name} is no number")
    return int.from_bytes(value[1:], "big")


def octets(value: bytes) -> bytes:
    """The content of an OCTET STRING of any length (NAS-PDU). Raises S1apError."""
    if not value:
        raise S1apError("an octet string without a length")
    size, at = value[0], 1
    if size >= 0x80:
        if size >= 0xC0 or len(value) < 2:
            raise S1apError("an octet string in fragments")
        size, at = (size & 0x3F) << 8 | value[1], 2
    if len(value) != at + size:
        raise S1apError(f"an octet string of {size} bytes in {len(value) - at}")
    return value[at:]


def is_detach(cause: bytes) -> bool:
    """Whether a Cause (36.413, 9.2.1.3) is "detach" of the NAS causes."""
    return bool(cause) and cause[0] & 0xFE == _DETACH


def bearer_ids(value: bytes) -> list[int]:
    """The E-RAB ids of a list whose items begin with one (E-RABList and the lists of failed bearers; 36.413, 9.1.3).

    Raises S1apError.
    """
    found, at = [], 1
    try:
        for _ in range(value[0] + 1):
            size = value[at + 3]  # after the id of the item and its criticality
            at += 4
            if size >= 0x80:
                if size >= 0xC0:
                    raise S1apError("fragmented length")
                size = (size & 0x3F) << 8 | value[at]
                at += 1
            first = value[at]
            if not size or first & 0x20:
                raise S1apError("an E-RAB id that is no number of 0 to 15")
            found.append(first >> 1 & 0x0F)  # after three bits: extension, optional IEs, extension of the id
            at += size
    except IndexError:
        raise S1apError("a list of E-RABs that breaks off") from None
    if at != len(value):
        raise S1apError(f"{len(value) - at} octets after the last E-RAB")
    return found


@lru_cache(maxsize=4096)
def cell_of(value: bytes) -> Cell:
    """A EUTRAN-CGI. Raises S1apError."""
    if len(value) < 8:
        raise S1apError("a cell identity that breaks off")
    return Cell(*plmn_of(value[1:4]), int.from_bytes(value[4:8], "big") >> 4)


@lru_cache(maxsize=4096)
def area_of(value: bytes) -> Area:
    """A TAI. Raises S1apError."""
    if len(value) < 6:
        raise S1apError("a tracking area identity that breaks off")
    return Area(*plmn_of(value[1:4]), value[4] << 8 | value[5])


def s_tmsi_of(value: bytes) -> bytes:
    """MME code (1 octet) and M-TMSI (4) of an S-TMSI. Raises S1apError."""
    if len(value) < 6:
        raise S1apError("an S-TMSI that breaks off")
    # the code follows two bits of preamble without alignment, the M-TMSI is aligned
    return bytes(((value[0] << 2 | value[1] >> 6) & 0xFF,)) + value[2:6]


def plmn_of(octets_: bytes) -> tuple[str, str]:
    """MCC and MNC of a PLMN identity (36.413, 9.2.3.8). Raises S1apError."""
    digits = octets_.hex()
    mcc = digits[1] + digits[0] + digits[3]
    mnc = digits[5] + digits[4] + (digits[2] if digits[2] != "f" else "")
    if not (mcc + mnc).isdigit():
        raise S1apError("a PLMN identity with letters")
    return mcc, mnc
