# SPDX-License-Identifier: Apache-2.0
"""SCTP out of the packets of a capture: past the link layer, with IP fragments put together (RFC 791, RFC 8200).

A capture may have been made with a short snap length. What is missing there is reported, with the number of its packet.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from mec.controller.recordings.report import Report

_IPV4, _IPV6 = 0x0800, 0x86DD
_VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
_SCTP = 132
_FRAGMENT = 44
_EXTENSIONS = (0, 43, 60, 135)
"""IPv6 extension headers before the upper layer: hop by hop, routing, destination options, mobility."""
_WAITING = 1000
"""Packets whose fragments may be incomplete at a time."""
_OTHER = "packets of other traffic"


@dataclass(frozen=True, slots=True)
class Sctp:
    """An SCTP packet, and its packet number in the capture. `missing`: octets that the recorder has cut off."""

    number: int
    source: bytes
    target: bytes
    octets: bytes
    missing: int


@dataclass(slots=True)
class _Fragments:
    """`total` is known once the last fragment is there."""

    number: int
    parts: dict[int, bytes] = field(default_factory=dict)
    total: int | None = None
    cut: bool = False

    def whole(self) -> bytes | None:
        end, found = 0, []
        for offset, part in sorted(self.parts.items()):
            if offset > end:
                return None
            found.append(part[end - offset :])
            end = max(end, offset + len(part))
        return b"".join(found)[: self.total] if self.total is not None and end >= self.total else None


def _two(packet: bytes, at: int) -> int:
    """Raises IndexError."""
    return packet[at] << 8 | packet[at + 1]


def _ethernet(packet: bytes) -> bytes | None:
    at = 12
    kind = _two(packet, at)
    while kind in _VLAN_TAGS:
        at += 4
        kind = _two(packet, at)
    return packet[at + 2 :] if kind in (_IPV4, _IPV6) else None


def _cooked(header: int, kind_at: int) -> Callable[[bytes], bytes | None]:
    def content(packet: bytes) -> bytes | None:
        kind = _two(packet, kind_at)
        return packet[header:] if kind in (_IPV4, _IPV6) else None

    return content


LINKS: dict[int, Callable[[bytes], bytes | None]] = {
    0: lambda packet: packet[4:],  # BSD loopback
    108: lambda packet: packet[4:],
    1: _ethernet,
    113: _cooked(16, 14),  # Linux cooked capture
    276: _cooked(20, 0),  # the same, version 2
    **dict.fromkeys((12, 14, 101, 228, 229), lambda packet: packet),  # raw IP
}
"""By link type of the capture: the IP packet in a packet, None for other traffic."""


class Packets:
    """Takes the packets of a capture in their order."""

    def __init__(self, link: int, report: Report) -> None:
        self._content = LINKS[link]
        self._report = report
        self._fragments: dict[tuple[bytes, bytes, int], _Fragments] = {}

    def take(self, number: int, packet: bytes) -> Sctp | None:
        """The SCTP packet that is complete with a packet of the capture."""
        try:
            ip = self._content(packet)
            version = ip[0] >> 4 if ip is not None else 0
            if ip is not None and version == 4:
                return self._v4(number, ip)
            if ip is not None and version == 6:
                return self._v6(number, ip)
            self._report.skipped[_OTHER] += 1
        except (IndexError, struct.error):
            self._report.lost.append(f"packet {number} is cut in its header")
        return None

    def finish(self) -> None:
        """Reports the packets whose fragments did not all come."""
        for fragments in self._fragments.values():
            self._report.lost.append(f"packet {fragments.number}: other fragments of its IP packet are missing")

    def _v4(self, number: int, ip: bytes) -> Sctp | None:
        length, identification, offset = struct.unpack_from(">HHH", ip, 2)
        header, protocol = (ip[0] & 0x0F) * 4, ip[9]
        source, target = ip[12:16], ip[16:20]
        length = length or len(ip)  # 0: the sender left it to its network card
        fragment = ((offset & 0x1FFF) * 8, bool(offset & 0x2000), identification)
        return self._upper(number, source, target, protocol, ip[header:length], length - len(ip), fragment)

    def _v6(self, number: int, ip: bytes) -> Sctp | None:
        length, protocol = int.from_bytes(ip[4:6], "big"), ip[6]
        source, target = ip[8:24], ip[24:40]
        rest, missing = ip[40 : 40 + length], 40 + length - len(ip)
        fragment = (0, False, 0)
        while protocol in _EXTENSIONS or protocol == _FRAGMENT:
            if protocol == _FRAGMENT:
                offset, identification = struct.unpack_from(">HI", rest, 2)
                fragment = (offset & 0xFFF8, bool(offset & 1), identification)
                protocol, rest = rest[0], rest[8:]
            else:
                protocol, rest = rest[0], rest[8 + rest[1] * 8 :]
        return self._upper(number, source, target, protocol, rest, missing, fragment)

    def _upper(
        self,
        number: int,
        source: bytes,
        target: bytes,
        protocol: int,
        octets: bytes,
        missing: int,
        fragment: tuple[int, bool, int],
    ) -> Sctp | None:
        if protocol != _SCTP:
            self._report.skipped[_OTHER] += 1
            return None
        offset, more, identification = fragment
        if not offset and not more:
            return Sctp(number, source, target, octets, max(missing, 0))
        key = (source, target, identification)
        fragments = self._fragments.setdefault(key, _Fragments(number))
        fragments.parts[offset] = octets + bytes(max(missing, 0))
        fragments.cut = fragments.cut or missing > 0
        if not more:
            fragments.total = offset + len(fragments.parts[offset])
        whole = fragments.whole()
        if whole is not None:
            del self._fragments[key]
            if not fragments.cut:
                return Sctp(fragments.number, source, target, whole, 0)
            self._report.lost.append(f"packet {fragments.number}: a fragment of its IP packet is cut by the recorder")
        if len(self._fragments) > _WAITING:
            oldest = self._fragments.pop(next(iter(self._fragments)))
            self._report.lost.append(f"packet {oldest.number}: other fragments of its IP packet are missing")
        return None
