# SPDX-License-Identifier: Apache-2.0
"""NAS messages of EPS (3GPP TS 24.301) as far as they tell who a UE is and which addresses it has.

A whole message takes a general decoder milliseconds; a dozen fields at known places take microseconds.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum


class NasError(ValueError):
    """A message that breaks off or contradicts itself."""


class Kind(Enum):
    """What a message is about."""

    ATTACH_REQUEST = "attach request"
    ATTACH_ACCEPT = "attach accept"
    ATTACH_REJECT = "attach reject"
    DETACH_REQUEST = "detach request"
    DETACH_ACCEPT = "detach accept"
    AREA_UPDATE_REQUEST = "tracking area update request"
    AREA_UPDATE_ACCEPT = "tracking area update accept"
    GUTI_REALLOCATION = "GUTI reallocation command"
    IDENTITY_RESPONSE = "identity response"
    SECURITY_MODE = "security mode command"
    DEFAULT_BEARER = "activate default EPS bearer context request"
    SERVICE_REQUEST = "service request"
    OTHER = "other"
    CIPHERED = "ciphered"


@dataclass(frozen=True, slots=True)
class Nas:
    """A message. `guti`: PLMN, group, code, M-TMSI (10 octets). `addresses`: the PDN address of the default bearer
    that is activated; `bearer` its EPS bearer identity, which is its E-RAB id too. `ciphering`: the number of the
    EPS encryption algorithm that is chosen, 0 for none."""

    kind: Kind
    imsi: str | None = None
    guti: bytes | None = None
    bearer: int | None = None
    addresses: tuple[str, ...] = ()
    ciphering: int | None = None


class _Emm(IntEnum):
    ATTACH_REQUEST = 0x41
    ATTACH_ACCEPT = 0x42
    ATTACH_REJECT = 0x44
    DETACH_REQUEST = 0x45
    DETACH_ACCEPT = 0x46
    AREA_UPDATE_REQUEST = 0x48
    AREA_UPDATE_ACCEPT = 0x49
    EXTENDED_SERVICE_REQUEST = 0x4C
    GUTI_REALLOCATION = 0x50
    IDENTITY_RESPONSE = 0x56
    SECURITY_MODE = 0x5D


_EMM, _ESM = 7, 2
_ACTIVATE_DEFAULT_BEARER = 0xC1
_ESM_TYPES = frozenset(range(0xC1, 0xEC))
_EMM_TYPES = frozenset(range(0x41, 0x6A))
_SERVICE_REQUEST_HEADERS = range(12, 16)
_CIPHERED_HEADERS = (2, 4)
_GUTI_IEI = 0x50
# optional IEs of the EMM messages read here that are not type-length-value (24.301, 8.2): octets after the IEI
_FIXED = {0x13: 5, 0x53: 1, 0x17: 1, 0x59: 1, 0x5A: 1}
_OTHER = Nas(Kind.OTHER)
_CIPHERED = Nas(Kind.CIPHERED)
_SERVICE_REQUEST = Nas(Kind.SERVICE_REQUEST)


def read(data: bytes, uplink: bool, ciphering: int | None) -> Nas:
    """The message of a NAS PDU, without its integrity protection. Raises NasError.

    `ciphering`: the algorithm that was chosen for this UE, None when that was not seen. Then a message in a ciphered
    envelope is taken as plain if it is well-formed: the null algorithm is ciphering too.
    """
    if len(data) < 2:
        raise NasError("a message that breaks off")
    header = data[0] >> 4
    if data[0] & 0x0F != _EMM or header == 0:
        return _plain(data, uplink)
    if header in _SERVICE_REQUEST_HEADERS:
        return _SERVICE_REQUEST
    if len(data) < 8:
        raise NasError("a protected message that breaks off")
    inner = data[6:]
    if header not in _CIPHERED_HEADERS or ciphering == 0:
        return _plain(inner, uplink)
    if ciphering is not None or not _looks_plain(inner):
        return _CIPHERED
    try:
        return _plain(inner, uplink)
    except NasError:
        return _CIPHERED


def _looks_plain(data: bytes) -> bool:
    if data[0] == _EMM:
        return data[1] in _EMM_TYPES
    return data[0] & 0x0F == _ESM and len(data) > 2 and data[2] in _ESM_TYPES


def _plain(data: bytes, uplink: bool) -> Nas:
    try:
        if data[0] & 0x0F == _ESM:
            return _session(data)
        if data[0] != _EMM:
            return _OTHER
        return _mobility(data, uplink)
    except IndexError:
        raise NasError("a message that breaks off") from None


def _mobility(data: bytes, uplink: bool) -> Nas:
    kind = data[1]
    if kind == _Emm.ATTACH_REQUEST:
        return _with_identity(Kind.ATTACH_REQUEST, _value(data, 3))
    if kind == _Emm.ATTACH_ACCEPT:
        return _attach_accept(data)
    if kind == _Emm.IDENTITY_RESPONSE:
        return _with_identity(Kind.IDENTITY_RESPONSE, _value(data, 2))
    if kind == _Emm.DETACH_REQUEST:
        return _with_identity(Kind.DETACH_REQUEST, _value(data, 3)) if uplink else Nas(Kind.DETACH_REQUEST)
    if kind == _Emm.AREA_UPDATE_REQUEST:
        return _with_identity(Kind.AREA_UPDATE_REQUEST, _value(data, 3))
    if kind == _Emm.AREA_UPDATE_ACCEPT:
        return Nas(Kind.AREA_UPDATE_ACCEPT, guti=_optional_guti(data, 3))
    if kind == _Emm.GUTI_REALLOCATION:
        return _with_identity(Kind.GUTI_REALLOCATION, _value(data, 2))
    if kind == _Emm.SECURITY_MODE:
        return Nas(Kind.SECURITY_MODE, ciphering=data[2] >> 4 & 0x07)
    if kind == _Emm.EXTENDED_SERVICE_REQUEST:
        return _SERVICE_REQUEST
    return {
        _Emm.ATTACH_REJECT.value: Nas(Kind.ATTACH_REJECT),
        _Emm.DETACH_ACCEPT.value: Nas(Kind.DETACH_ACCEPT),
    }.get(kind, _OTHER)


def _attach_accept(data: bytes) -> Nas:
    areas = _value(data, 4)
    at = 5 + len(areas)
    size = data[at] << 8 | data[at + 1]
    container = data[at + 2 : at + 2 + size]
    if len(container) != size:
        raise NasError("an ESM message that breaks off")
    session = _session(container)
    guti = _optional_guti(data, at + 2 + size)
    return Nas(Kind.ATTACH_ACCEPT, guti=guti, bearer=session.bearer, addresses=session.addresses)


def _session(data: bytes) -> Nas:
    """An ESM message (24.301, 8.3)."""
    if data[0] & 0x0F != _ESM or len(data) < 3:
        raise NasError("not an ESM message")
    if data[2] != _ACTIVATE_DEFAULT_BEARER:
        return _OTHER
    at = 3
    for _ in range(2):  # quality of service, access point name
        at += 1 + len(_value(data, at))
    return Nas(Kind.DEFAULT_BEARER, bearer=data[0] >> 4, addresses=_pdn_address(_value(data, at)))


def _pdn_address(value: bytes) -> tuple[str, ...]:
    """24.301, 9.9.4.9. Of an IPv6 address only the interface identifier is given: it is the UE's link-local one."""
    kind = value[0] & 0x07
    if kind == 1 and len(value) >= 5:
        return (_v4(value[1:5]),)
    if kind == 2 and len(value) >= 9:
        return (_v6(value[1:9]),)
    if kind == 3 and len(value) >= 13:
        return (_v4(value[9:13]), _v6(value[1:9]))
    if kind in (1, 2, 3):
        raise NasError("a PDN address that breaks off")
    return ()


def _v4(octets: bytes) -> str:
    return f"{octets[0]}.{octets[1]}.{octets[2]}.{octets[3]}"


def _v6(interface: bytes) -> str:
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + interface))


def _with_identity(kind: Kind, value: bytes) -> Nas:
    """24.301, 9.9.3.12 and 24.008, 10.5.1.4: an IMSI or GUTI; other identities tell nothing here."""
    what = value[0] & 0x07
    if what == 1:
        return Nas(kind, imsi=_digits(value))
    if what == 6 and kind is not Kind.IDENTITY_RESPONSE:
        if len(value) != 11:
            raise NasError("a GUTI of another length")
        return Nas(kind, guti=value[1:])
    return Nas(kind)


def _digits(value: bytes) -> str:
    digits = f"{value[0] >> 4:x}" + "".join(f"{octet & 0x0F:x}{octet >> 4:x}" for octet in value[1:])
    if not value[0] & 0x08:  # an even number of them: the last half octet is filled
        if digits[-1] != "f":
            raise NasError("an IMSI with an even number of digits that is not filled up")
        digits = digits[:-1]
    if not digits.isdecimal() or not 6 <= len(digits) <= 15:
        raise NasError("an IMSI that is not of 6 to 15 digits")
    return digits


def _optional_guti(data: bytes, at: int) -> bytes | None:
    for name, value in _optional(data, at):
        if name == _GUTI_IEI:
            if len(value) != 11 or value[0] & 0x07 != 6:
                raise NasError("a GUTI of another kind")
            return value[1:]
    return None


def _optional(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The optional IEs from `at` on (24.007, 11.2.4)."""
    while at < len(data):
        name = data[at]
        if name & 0x80:  # one octet in all
            at += 1
        elif name in _FIXED:
            at += 1 + _FIXED[name]
        elif name & 0x78 == 0x78:  # two octets of length
            size = data[at + 1] << 8 | data[at + 2]
            at += 3 + size
        else:
            value = _value(data, at + 1)
            yield name, value
            at += 2 + len(value)


def _value(data: bytes, at: int) -> bytes:
    """The value of an IE whose length is the octet at `at`; at least one octet."""
    size = data[at]
    value = data[at + 1 : at + 1 + size]
    if not value or len(value) != size:
        raise NasError("an IE that breaks off")
    return value
