# SPDX-License-Identifier: Apache-2.0
"""NAS messages of EPS (3GPP TS 24.301) as far as they tell who a UE is and which addresses it has.

A whole message takes a general decoder milliseconds; a dozen fields at known places take microseconds.
"""

from collections.abc import Iterator
from enum import IntEnum

from mec.controller.protocol import nas_session
from mec.controller.protocol.nas_message import OTHER, Kind, Nas, NasError, value_at


class _Emm(IntEnum):
    ATTACH_REQUEST = 0x41
    ATTACH_ACCEPT = 0x42
    ATTACH_REJECT = 0x44
    DETACH_REQUEST = 0x45
    DETACH_ACCEPT = 0x46
    AREA_UPDATE_REQUEST = 0x48
    AREA_UPDATE_ACCEPT = 0x49
    AREA_UPDATE_REJECT = 0x4B
    EXTENDED_SERVICE_REQUEST = 0x4C
    CONTROL_PLANE_SERVICE_REQUEST = 0x4D
    SERVICE_REJECT = 0x4E
    SERVICE_ACCEPT = 0x4F
    GUTI_REALLOCATION = 0x50
    AUTHENTICATION_REJECT = 0x54
    IDENTITY_RESPONSE = 0x56
    SECURITY_MODE = 0x5D


_EMM = 7
_EMM_TYPES = frozenset(range(0x41, 0x6A))
_SERVICE_REQUEST_HEADERS = range(12, 16)
_CIPHERED_HEADERS = (2, 4)
_GUTI_IEI, _BEARER_STATUS_IEI = 0x50, 0x57
# optional IEs of the EMM messages read here that are not type-length-value (24.301, 8.2): octets after the IEI
_FIXED = {0x13: 5, 0x53: 1, 0x17: 1, 0x59: 1, 0x5A: 1}
_NON_EPS_FROM_UE, _NON_EPS_FROM_NETWORK = 2, 3
_REJECTS = {
    _Emm.ATTACH_REJECT.value: Kind.ATTACH_REJECT,
    _Emm.AREA_UPDATE_REJECT.value: Kind.AREA_UPDATE_REJECT,
    _Emm.SERVICE_REJECT.value: Kind.SERVICE_REJECT,
}
_CIPHERED = Nas(Kind.CIPHERED)
_SERVICE_REQUEST = Nas(Kind.SERVICE_REQUEST)


def is_protected(data: bytes) -> bool:
    """Whether a NAS PDU has an integrity protection. Only UE and MME can check it."""
    return bool(data) and data[0] & 0x0F == _EMM and data[0] >> 4 != 0


def read(data: bytes, uplink: bool, ciphering: int | None) -> Nas:
    """The message of a NAS PDU, without its integrity protection. Raises NasError.

    `uplink`: the UE has sent it. A message that only the other side may send says nothing.
    `ciphering`: the algorithm that was chosen for this UE, None when that was not seen. Then a message in a ciphered
    envelope is taken as plain if it is well-formed: the null algorithm is ciphering too.
    """
    if len(data) < 2:
        raise NasError("a message that breaks off")
    header = data[0] >> 4
    if data[0] & 0x0F != _EMM or header == 0:
        return _plain(data, uplink)
    if header in _SERVICE_REQUEST_HEADERS:
        return _SERVICE_REQUEST if uplink else OTHER
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
    return data[0] & 0x0F == nas_session.ESM and len(data) > 2 and data[2] in nas_session.TYPES


def _plain(data: bytes, uplink: bool) -> Nas:
    try:
        if data[0] & 0x0F == nas_session.ESM:
            return nas_session.read_session(data, uplink)
        if data[0] != _EMM:
            return OTHER
        return _from_ue(data) if uplink else _from_network(data)
    except IndexError:
        raise NasError("a message that breaks off") from None


def _from_ue(data: bytes) -> Nas:
    kind = data[1]
    if kind == _Emm.ATTACH_REQUEST:
        return _with_identity(Kind.ATTACH_REQUEST, value_at(data, 3))
    if kind == _Emm.IDENTITY_RESPONSE:
        return _with_identity(Kind.IDENTITY_RESPONSE, value_at(data, 2))
    if kind == _Emm.DETACH_REQUEST:
        non_eps_only = data[2] & 0x07 == _NON_EPS_FROM_UE
        return _with_identity(Kind.DETACH_REQUEST, value_at(data, 3), non_eps_only)
    if kind == _Emm.AREA_UPDATE_REQUEST:
        return _with_identity(Kind.AREA_UPDATE_REQUEST, value_at(data, 3))
    if kind in (_Emm.EXTENDED_SERVICE_REQUEST, _Emm.CONTROL_PLANE_SERVICE_REQUEST):
        return _SERVICE_REQUEST
    return OTHER


def _from_network(data: bytes) -> Nas:
    kind = data[1]
    if kind == _Emm.ATTACH_ACCEPT:
        return _attach_accept(data)
    if kind == _Emm.SECURITY_MODE:
        return Nas(Kind.SECURITY_MODE, ciphering=data[2] >> 4 & 0x07)
    if kind == _Emm.AREA_UPDATE_ACCEPT:
        guti, active = _guti_and_bearers(data, 3)
        return Nas(Kind.AREA_UPDATE_ACCEPT, guti=guti, active=active)
    if kind == _Emm.GUTI_REALLOCATION:
        return _with_identity(Kind.GUTI_REALLOCATION, value_at(data, 2))
    if kind == _Emm.DETACH_REQUEST:
        return Nas(Kind.DETACH_REQUEST, non_eps_only=data[2] & 0x07 == _NON_EPS_FROM_NETWORK)
    if kind in _REJECTS:
        return Nas(_REJECTS[kind], cause=data[2])
    if kind == _Emm.SERVICE_ACCEPT:
        _, active = _guti_and_bearers(data, 2)
        return Nas(Kind.SERVICE_ACCEPT, active=active)
    return {
        _Emm.DETACH_ACCEPT.value: Nas(Kind.DETACH_ACCEPT),
        _Emm.AUTHENTICATION_REJECT.value: Nas(Kind.AUTHENTICATION_REJECT),
    }.get(kind, OTHER)


def _attach_accept(data: bytes) -> Nas:
    areas = value_at(data, 4)
    at = 5 + len(areas)
    size = data[at] << 8 | data[at + 1]
    container = data[at + 2 : at + 2 + size]
    if len(container) != size:
        raise NasError("an ESM message that breaks off")
    session = nas_session.read_session(container, uplink=False)
    guti, _ = _guti_and_bearers(data, at + 2 + size)
    return Nas(Kind.ATTACH_ACCEPT, guti=guti, bearer=session.bearer, addresses=session.addresses)


def _with_identity(kind: Kind, value: bytes, non_eps_only: bool = False) -> Nas:
    """24.301, 9.9.3.12 and 24.008, 10.5.1.4: an IMSI or GUTI; other identities tell nothing here."""
    what = value[0] & 0x07
    if what == 1:
        return Nas(kind, imsi=_digits(value), non_eps_only=non_eps_only)
    if what == 6 and kind is not Kind.IDENTITY_RESPONSE:
        if len(value) != 11:
            raise NasError("a GUTI of another length")
        return Nas(kind, guti=value[1:], non_eps_only=non_eps_only)
    return Nas(kind, non_eps_only=non_eps_only)


def _digits(value: bytes) -> str:
    digits = f"{value[0] >> 4:x}" + "".join(f"{octet & 0x0F:x}{octet >> 4:x}" for octet in value[1:])
    if not value[0] & 0x08:  # an even number of them: the last half octet is filled
        if digits[-1] != "f":
            raise NasError("an IMSI with an even number of digits that is not filled up")
        digits = digits[:-1]
    if not digits.isdecimal() or not 6 <= len(digits) <= 15:
        raise NasError("an IMSI that is not of 6 to 15 digits")
    return digits


def _guti_and_bearers(data: bytes, at: int) -> tuple[bytes | None, frozenset[int] | None]:
    """The GUTI and the active EPS bearer identities (24.301, 9.9.2.1), among the optional IEs from `at` on."""
    guti, active = None, None
    for name, value in _optional(data, at):
        if name == _GUTI_IEI and guti is None:
            if len(value) != 11 or value[0] & 0x07 != 6:
                raise NasError("a GUTI of another kind")
            guti = value[1:]
        elif name == _BEARER_STATUS_IEI and len(value) == 2:
            bits = int.from_bytes(value, "little")
            active = frozenset(bearer for bearer in range(16) if bits >> bearer & 1)
    return guti, active


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
            value = value_at(data, at + 1)
            yield name, value
            at += 2 + len(value)
