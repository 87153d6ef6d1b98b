# SPDX-License-Identifier: Apache-2.0
"""S1AP out of recordings: text files of hexadecimal lines, and packet captures with SCTP or with S1AP alone."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dpkt

from mec.controller.protocol.s1ap import S1apError, ies_of
from mec.controller.recordings.packets import LINKS, Packets, Sctp
from mec.controller.recordings.report import Report

_S1AP = 18
"""Payload protocol identifier of S1AP in SCTP (36.412)."""
_UNSURE = (0, _S1AP << 24)
"""Those of senders that give none, or give it in the wrong order of octets."""
_CAPTURES = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", b"\x0a\x0d\x0d\x0a")
_S1AP_ALONE = (150, 252)
"""Link types of captures without lower layers: a user's own (srsRAN), and PDUs that Wireshark has exported."""
_LONGEST_HEADER = 512
"""Octets of metadata that a dissector may want before such a PDU."""
_DATA, _ENDING, _BEGINNING = 0, 1, 2
_DATA_HEADER = struct.Struct(">IHHI")

End = tuple[bytes, int]


class CaptureError(Exception):
    """A recording that cannot be read; the message says where."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A PDU, when it came (s, as the recording counts), and the association it belongs to, by any name."""

    at: float
    association: str
    pdu: bytes


def recorded(path: Path, report: Report | None = None) -> Iterator[Recorded]:
    """All PDUs of a recording in their order; what is left out is in `report` then. Raises CaptureError."""
    report = report or Report()
    try:
        with path.open("rb") as file:
            beginning = file.read(4)
            file.seek(0)
            if beginning in _CAPTURES:
                yield from _captured(file, path, report)
            else:
                yield from _lines(file, path)
    except OSError as exc:
        raise CaptureError(f"{path}: {exc.strerror or exc}") from exc


def _lines(file: Iterable[bytes], path: Path) -> Iterator[Recorded]:
    """A PDU a line, after the name of its association if there are several. "#" begins a comment."""
    for number, raw in enumerate(file, 1):
        try:
            words = raw.decode("utf-8-sig" if number == 1 else "ascii").partition("#")[0].replace(":", " ").split()
            name, pdu = _name_and_pdu(words)
        except ValueError as exc:
            raise CaptureError(f"{path}, line {number}: not a PDU in hexadecimal digits") from exc
        if pdu:
            yield Recorded(0.0, name, pdu)


def _name_and_pdu(words: list[str]) -> tuple[str, bytes]:
    """Octets may be apart, as in "00 11 00 2d". The name ends where the rest is a PDU. Raises ValueError."""
    for at in range(len(words)):
        if words[at][:2].lower() not in ("00", "20", "40"):
            continue
        try:
            pdu = bytes.fromhex("".join(words[at:]))
        except ValueError:
            continue
        if _is_pdu(pdu):
            return " ".join(words[:at]), pdu
    return " ".join(words[:-1]), bytes.fromhex(words[-1]) if words else b""


def _captured(file: Any, path: Path, report: Report) -> Iterator[Recorded]:
    try:
        reader = dpkt.pcap.UniversalReader(file)
        link = reader.datalink()
        if link in _S1AP_ALONE:
            yield from _exported(reader, report)
        elif link in LINKS:
            yield from _from_sctp(reader, link, report)
        else:
            raise CaptureError(f"{path}: packets of link type {link} are not known")
    except (dpkt.Error, ValueError, struct.error, EOFError) as exc:
        raise CaptureError(f"{path}: not a whole packet capture: {str(exc) or type(exc).__name__}") from exc


def _exported(packets: Iterable[tuple[float, bytes]], report: Report) -> Iterator[Recorded]:
    """A packet is a PDU, after the metadata of a dissector, if any. They are all of one association."""
    for at, packet in packets:
        starts = (start for start in range(min(len(packet), _LONGEST_HEADER)) if _is_pdu(packet[start:]))
        start = next(starts, None)
        if start is None:
            report.skipped["packets that are not S1AP"] += 1
        else:
            yield Recorded(at, "1", packet[start:])


def _from_sctp(packets: Iterable[tuple[float, bytes]], link: int, report: Report) -> Iterator[Recorded]:
    associations: dict[frozenset[End], _Association] = {}
    sctp_of = Packets(link, report)
    for number, (at, packet) in enumerate(packets, 1):
        sctp = sctp_of.take(number, packet)
        if sctp is None:
            continue
        if len(sctp.octets) < 12:
            report.lost.append(f"packet {number} is cut in its header")
            continue
        source_port, target_port = struct.unpack_from(">HH", sctp.octets)
        source, ends = (sctp.source, source_port), frozenset({(sctp.source, source_port), (sctp.target, target_port)})
        association = associations.get(ends)
        if association is None:
            association = associations[ends] = _Association(str(len(associations) + 1), report)
        for chunk in _data_chunks(sctp, report):
            for pdu in association.take(number, source, chunk):
                yield Recorded(at, association.name, pdu)
    sctp_of.finish()
    for association in associations.values():
        association.finish()


def _data_chunks(sctp: Sctp, report: Report) -> Iterator[tuple[int, bytes]]:
    """Flags and content of the DATA chunks that are complete (RFC 9260, 3.3.1)."""
    octets, at = sctp.octets, 12
    while at + 4 <= len(octets):
        kind, flags, size = struct.unpack_from(">BBH", octets, at)
        if size < 4:
            break
        if kind == _DATA and at + size > len(octets):
            break
        if kind == _DATA and size > 4 + _DATA_HEADER.size:
            yield flags, octets[at + 4 : at + size]
        at += size + -size % 4
    if at < len(octets) + sctp.missing:
        report.lost.append(f"packet {sctp.number} is cut" + (" by the recorder" if sctp.missing else ""))


@dataclass(slots=True)
class _Association:
    """Puts SCTP messages together (RFC 9260, 6.9). A message that is sent twice counts once."""

    name: str
    report: Report
    seen: dict[End, dict[int, None]] = field(default_factory=dict)
    parts: dict[End, dict[int, tuple[int, int, bytes]]] = field(default_factory=dict)

    def take(self, number: int, sender: End, chunk: tuple[int, bytes]) -> Iterator[bytes]:
        flags, data = chunk
        tsn, _, _, protocol = _DATA_HEADER.unpack_from(data)
        seen = self.seen.setdefault(sender, {})
        if tsn in seen:
            self.report.skipped["messages that were sent again"] += 1
            return
        seen[tsn] = None
        if len(seen) > 10_000:
            del seen[next(iter(seen))]
        content = self._put_together(number, sender, tsn, flags, data[_DATA_HEADER.size :])
        if content is None:
            return
        if protocol == _S1AP or (protocol in _UNSURE and _is_pdu(content)):
            self.report.senders.setdefault(self.name, set()).add(sender)
            yield content
        else:
            self.report.skipped["SCTP messages of other protocols"] += 1

    def finish(self) -> None:
        """Reports the messages that did not come wholly."""
        numbers = {number for parts in self.parts.values() for number, _, _ in parts.values()}
        self.report.lost += [f"packet {number}: other parts of its message are missing" for number in sorted(numbers)]

    def _put_together(self, number: int, sender: End, tsn: int, flags: int, content: bytes) -> bytes | None:
        """The message that is complete with this part of it."""
        if flags & (_BEGINNING | _ENDING) == _BEGINNING | _ENDING:
            return content
        parts = self.parts.setdefault(sender, {})
        parts[tsn] = (number, flags, content)
        first = tsn
        while first in parts and not parts[first][1] & _BEGINNING:
            first = (first - 1) & 0xFFFFFFFF
        last = first
        while last in parts and not parts[last][1] & _ENDING:
            last = (last + 1) & 0xFFFFFFFF
        if first not in parts or last not in parts:
            return None
        numbers = [(first + step) & 0xFFFFFFFF for step in range(((last - first) & 0xFFFFFFFF) + 1)]
        return b"".join(parts.pop(each)[2] for each in numbers)


def _is_pdu(octets: bytes) -> bool:
    """Whether octets are one S1AP PDU, up to its last IE."""
    if len(octets) < 7 or octets[0] not in (0x00, 0x20, 0x40) or octets[2] not in (0x00, 0x40, 0x80):
        return False
    try:
        ies_of(octets)
    except S1apError:
        return False
    return True
