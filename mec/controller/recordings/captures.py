# SPDX-License-Identifier: Apache-2.0
"""S1AP out of recordings: text files of hexadecimal lines, and packet captures with SCTP."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dpkt

S1AP_PPID = 18
"""Payload protocol identifier of S1AP in SCTP (36.412)."""
_CAPTURES = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", b"\x0a\x0d\x0d\x0a")
_LINKS: dict[int, Any] = {
    dpkt.pcap.DLT_NULL: dpkt.loopback.Loopback,
    dpkt.pcap.DLT_LOOP: dpkt.loopback.Loopback,
    dpkt.pcap.DLT_EN10MB: dpkt.ethernet.Ethernet,
    dpkt.pcap.DLT_LINUX_SLL: dpkt.sll.SLL,
    dpkt.pcap.DLT_LINUX_SLL2: dpkt.sll2.SLL2,
}
_RAW_IP = (12, 14, 101, 228, 229)
_ENDING, _BEGINNING = 1, 2
_DATA_HEADER = struct.Struct(">IHHI")


class CaptureError(Exception):
    """A recording that cannot be read; the message says where."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A PDU, when it came (s, as the recording counts), and the association it belongs to, by any name."""

    at: float
    association: str
    pdu: bytes


def recorded(path: Path) -> Iterator[Recorded]:
    """All PDUs of a recording in their order. Raises CaptureError."""
    try:
        with path.open("rb") as file:
            beginning = file.read(4)
            file.seek(0)
            if beginning in _CAPTURES:
                yield from _captured(file, path)
            else:
                yield from _lines(file, path)
    except OSError as exc:
        raise CaptureError(f"{path}: {exc.strerror or exc}") from exc


def _lines(file: Iterable[bytes], path: Path) -> Iterator[Recorded]:
    """A PDU a line, after the name of its association if there are several. "#" begins a comment."""
    for number, raw in enumerate(file, 1):
        try:
            line = raw.decode("ascii").partition("#")[0]
            *name, digits = line.replace(":", " ").split() or [""]
            pdu = bytes.fromhex(digits)
        except ValueError as exc:
            raise CaptureError(f"{path}, line {number}: not a PDU in hexadecimal digits") from exc
        if pdu:
            yield Recorded(0.0, " ".join(name), pdu)


def _captured(file: Any, path: Path) -> Iterator[Recorded]:
    try:
        reader = dpkt.pcap.UniversalReader(file)
        link = reader.datalink()
        if link not in _LINKS and link not in _RAW_IP:
            raise CaptureError(f"{path}: packets of link type {link} are not known")
        associations: dict[frozenset[tuple[bytes, int]], _Association] = {}
        for at, packet in reader:
            for ends, chunk in _data_chunks(link, packet):
                association = associations.setdefault(frozenset(ends), _Association(str(len(associations) + 1)))
                for pdu in association.take(ends[0], chunk):
                    yield Recorded(at, association.name, pdu)
    except (dpkt.Error, ValueError, struct.error, EOFError) as exc:
        raise CaptureError(f"{path}: not a whole packet capture: {str(exc) or type(exc).__name__}") from exc


def _data_chunks(link: int, packet: bytes) -> Iterator[tuple[tuple[tuple[bytes, int], ...], Any]]:
    try:
        frame: Any = packet
        if link in _LINKS:
            frame = _LINKS[link](packet).data
        else:
            frame = dpkt.ip.IP(packet) if packet[:1] and packet[0] >> 4 == 4 else dpkt.ip6.IP6(packet)
        if not isinstance(frame, dpkt.ip.IP | dpkt.ip6.IP6) or not isinstance(frame.data, dpkt.sctp.SCTP):
            return
        sctp = frame.data
    except dpkt.Error:  # other traffic, or a packet that was cut by the recorder
        return
    for chunk in sctp.chunks:
        if chunk.type == dpkt.sctp.DATA and len(chunk.data) > _DATA_HEADER.size:
            yield ((frame.src, sctp.sport), (frame.dst, sctp.dport)), chunk


@dataclass(slots=True)
class _Association:
    """Puts SCTP messages together (RFC 9260, 6.9). A message that is sent twice counts once."""

    name: str
    seen: dict[tuple[bytes, int], dict[int, None]] = field(default_factory=dict)
    parts: dict[tuple[bytes, int], dict[int, tuple[int, bytes]]] = field(default_factory=dict)

    def take(self, sender: tuple[bytes, int], chunk: Any) -> Iterator[bytes]:
        tsn, _, _, protocol = _DATA_HEADER.unpack_from(chunk.data)
        seen = self.seen.setdefault(sender, {})
        if protocol != S1AP_PPID or tsn in seen:
            return
        seen[tsn] = None
        if len(seen) > 10_000:
            del seen[next(iter(seen))]
        content = bytes(chunk.data[_DATA_HEADER.size :])
        if chunk.flags & (_BEGINNING | _ENDING) == _BEGINNING | _ENDING:
            yield content
            return
        parts = self.parts.setdefault(sender, {})
        parts[tsn] = (chunk.flags, content)
        first = tsn
        while first in parts and not parts[first][0] & _BEGINNING:
            first = (first - 1) & 0xFFFFFFFF
        last = first
        while last in parts and not parts[last][0] & _ENDING:
            last = (last + 1) & 0xFFFFFFFF
        if first in parts and last in parts:
            numbers = [(first + step) & 0xFFFFFFFF for step in range(((last - first) & 0xFFFFFFFF) + 1)]
            yield b"".join(parts.pop(number)[1] for number in numbers)
