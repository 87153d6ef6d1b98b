# SPDX-License-Identifier: Apache-2.0
"""The ESM messages of NAS (3GPP TS 24.301, 8.3) that begin or end a bearer, and the addresses in them."""

import ipaddress

from mec.controller.protocol.nas_message import OTHER, Kind, Nas, NasError, value_at

ESM = 2
"""The protocol discriminator."""
TYPES = frozenset(range(0xC1, 0xEC))
_ACTIVATE_DEFAULT_BEARER = 0xC1
_DEFAULT_BEARER_REJECT = 0xC3
_DEACTIVATE_BEARER = 0xCD


def read_session(data: bytes, uplink: bool) -> Nas:
    """An ESM message of the UE (`uplink`) or the network. Raises NasError, or IndexError when it breaks off."""
    if data[0] & 0x0F != ESM or len(data) < 3:
        raise NasError("not an ESM message")
    kind, bearer = data[2], data[0] >> 4
    if uplink:
        return Nas(Kind.DEFAULT_BEARER_REJECT, bearer=bearer) if kind == _DEFAULT_BEARER_REJECT else OTHER
    if kind == _ACTIVATE_DEFAULT_BEARER:
        at = 3
        for _ in range(2):  # quality of service, access point name
            at += 1 + len(value_at(data, at))
        return Nas(Kind.DEFAULT_BEARER, bearer=bearer, addresses=_pdn_address(value_at(data, at)))
    return Nas(Kind.DEACTIVATE_BEARER, bearer=bearer) if kind == _DEACTIVATE_BEARER else OTHER


def _pdn_address(value: bytes) -> tuple[str, ...]:
    """24.301, 9.9.4.9. Of an IPv6 address only the interface identifier is given: it is the UE's link-local one.

    0.0.0.0 says that the UE will get its address by DHCP: the UE has none yet.
    """
    kind = value[0] & 0x07
    if kind == 1 and len(value) >= 5:
        return _v4(value[1:5])
    if kind == 2 and len(value) >= 9:
        return _v6(value[1:9])
    if kind == 3 and len(value) >= 13:
        return _v4(value[9:13]) + _v6(value[1:9])
    if kind in (1, 2, 3):
        raise NasError("a PDN address that breaks off")
    return ()


def _v4(octets: bytes) -> tuple[str, ...]:
    if not is_host_v4(octets):
        return ()
    return (f"{octets[0]}.{octets[1]}.{octets[2]}.{octets[3]}",)


def _v6(interface: bytes) -> tuple[str, ...]:
    return (str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + interface)),) if any(interface) else ()


def is_host_v4(octets: bytes) -> bool:
    """Whether an IPv4 address can be that of one UE: not unspecified, not loopback, multicast or reserved."""
    return 0 < octets[0] < 224 and octets[0] != 127
