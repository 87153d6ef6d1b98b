# SPDX-License-Identifier: Apache-2.0
"""S1AP as far as UE identities need it: the end of a PDU, its kind, its IEs undecoded (3GPP TS 36.413).

Decoding a whole PDU takes a hundred times as long as reading its procedure code and walking over the lengths of its
IEs. This module works on aligned PER (ITU-T X.691) by offsets; `s1ap_ies` reads the IEs of a more complicated
structure.
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache

from mec.controller.model import Area, Cell

_CHOICES = (0x00, 0x20, 0x40)
_CRITICALITIES = (0x00, 0x40, 0x80)
_ZEROS = re.compile(rb"\0*")
_SEEN = 8
"""Octets that `_begins_pdu` looks at."""
MAX_FRAME = 1024 * 1024
"""Bytes of one PDU behind a length of its own."""


_DETACH = 0x24
"""Cause: no extension, the third group (NAS), no extension, its third cause (detach), a bit of padding."""


class S1apError(ValueError):
    """A PDU or IE that is not what it should be."""


class FramingError(ValueError):
    """A stream in which the next PDU cannot be found any more."""


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


class Framer:
    """Cuts a stream into PDUs, which may arrive in pieces of any size and several at a time.

    Without `lengths` PDUs stand back to back and each delimits itself: choice, procedure code, criticality, then a
    length of one or two octets. Fragmented lengths (16 KiB and more) are refused. With `lengths` each PDU has its
    size before it, in four octets. What stands behind a PDU's own end is skipped: zero octets before the next PDU, or
    whatever is left of the size.

    `skipped` counts octets that were passed over, `short` sizes that no PDU has.
    """

    def __init__(self, lengths: bool = False) -> None:
        self._next = self._framed if lengths else self._self_delimiting
        self._buffer = bytearray()
        self._need = 4
        self.skipped = 0
        self.short = 0

    @property
    def pending(self) -> int:
        """Bytes that are kept: those of a PDU that is not complete."""
        return len(self._buffer)

    @property
    def unfinished(self) -> bool:
        """Whether a PDU has begun and not ended; zero octets may still turn out to be none."""
        zeros = _ZEROS.match(self._buffer)
        return zeros is not None and zeros.end() < len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The PDUs that are complete with `data`. Raises FramingError after those before the fault."""
        buffer = self._buffer
        buffer += data
        if len(buffer) < self._need:
            return
        whole = bytes(buffer)
        start = 0
        try:
            while len(whole) - start >= 4:
                begin, end, following = self._next(whole, start)
                if following > len(whole):
                    self._need = following - start
                    break
                start = following
                if end > begin:
                    yield whole[begin:end]
            else:
                self._need = 4
        finally:
            del buffer[:start]

    def _self_delimiting(self, data: bytes, start: int) -> tuple[int, int, int]:
        """Where the PDU at `start` begins and ends, and where the next one begins; an empty one is no PDU."""
        if data[start] == 0 and data[start + 1] in _CHOICES and (begun := _after_padding(data, start)) != start:
            if begun > len(data):
                return start, start, begun
            self.skipped += begun - start
            return start, start, begun
        criticality, length = data[start + 2], data[start + 3]
        if data[start] not in _CHOICES or criticality not in _CRITICALITIES:
            raise FramingError(f"no S1AP PDU begins with {data[start : start + 4].hex()}")
        if length >= 0xC0:
            raise FramingError("a PDU with a fragmented length (16 KiB or more)")
        end = start + _own_size(data, start)
        return start, end, end

    def _framed(self, data: bytes, start: int) -> tuple[int, int, int]:
        size = int.from_bytes(data[start : start + 4], "big")
        if size > MAX_FRAME:
            raise FramingError(f"a PDU of {size} bytes")
        begin, end = start + 4, start + 4 + size
        if size < 4:
            if end <= len(data):
                self.short += 1
            return begin, begin, end
        if end > len(data):
            return begin, end, end
        own = _own_size(data, begin)
        if own < size:
            self.skipped += size - own
            return begin, begin + own, end
        return begin, end, end


def _own_size(data: bytes, start: int) -> int:
    """The size of the PDU at `start` by its own length; at least five octets are there, or five are the least it is."""
    length = data[start + 3]
    if length < 0x80:
        return 4 + length
    if len(data) - start < 5:
        return 5  # not there yet: the least it can be
    return 5 + ((length & 0x3F) << 8 | data[start + 4])


def _after_padding(data: bytes, start: int) -> int:
    """Where the PDU behind zero octets begins; beyond `data` when that is not to be seen yet.

    A PDU may begin with zeros: none for a response, else one, up to three in a Handover Required.
    """
    zeros = _ZEROS.match(data, start)
    behind = zeros.end() if zeros is not None else start
    for at in range(max(start, behind - 3), behind + 1):
        if len(data) - at < _SEEN:
            return at if at > start else at + _SEEN
        if _begins_pdu(data, at):
            return at
    return behind - 1


def _begins_pdu(data: bytes, at: int) -> bool:
    """Whether the octets may begin a PDU: a header, then as many IEs as have room (at least four octets each)."""
    if data[at] not in _CHOICES or data[at + 2] not in _CRITICALITIES:
        return False
    length = data[at + 3]
    long = length >= 0x80
    size = (length & 0x3F) << 8 | data[at + 4] if long else length
    content = at + 5 if long else at + 4
    count = data[content + 1] << 8 | data[content + 2]
    return size >= 3 and data[content] & 0x7F == 0 and 4 * count <= size - 3


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
