# SPDX-License-Identifier: Apache-2.0
"""Recordings: lines of hexadecimal digits, and packet captures with SCTP."""

from __future__ import annotations

import struct
from pathlib import Path

import dpkt
import pytest

from mec.controller.recordings import pdus as pdu
from mec.controller.recordings.captures import CaptureError, recorded

ENB, MME, OTHER = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02", b"\x0a\x00\x00\x03"
ONE, TWO, THREE = pdu.s1_setup(), pdu.s1_setup_response(), pdu.uninteresting(1, 2)


def chunk(tsn: int, data: bytes, flags: int = 3, protocol: int = 18) -> bytes:
    body = struct.pack(">IHHI", tsn, 0, 0, protocol) + data
    return struct.pack(">BBH", 0, flags, 4 + len(body)) + body + bytes(-len(body) % 4)


def packet(source: bytes, target: bytes, *chunks: bytes) -> bytes:
    sctp = struct.pack(">HHII", 36412, 36412, 7, 0) + b"".join(chunks)
    ip = dpkt.ip.IP(src=source, dst=target, p=132, data=sctp)
    ip.len = len(ip)
    return bytes(dpkt.ethernet.Ethernet(src=b"\1" * 6, dst=b"\2" * 6, type=0x0800, data=bytes(ip)))


def capture(path: Path, packets: list[bytes], ng: bool = False) -> Path:
    with path.open("wb") as file:
        writer = dpkt.pcapng.Writer(file) if ng else dpkt.pcap.Writer(file)
        for at, each in enumerate(packets):
            writer.writepkt(each, ts=1000.0 + at)
    return path


@pytest.mark.parametrize("ng", [False, True])
def test_both_directions_of_an_association(tmp_path: Path, ng: bool) -> None:
    packets = [packet(ENB, MME, chunk(1, ONE)), packet(MME, ENB, chunk(1, TWO)), packet(ENB, MME, chunk(2, THREE))]
    found = list(recorded(capture(tmp_path / "x.pcap", packets, ng)))
    assert [each.pdu for each in found] == [ONE, TWO, THREE]
    assert {each.association for each in found} == {"1"}
    assert found[2].at - found[0].at == pytest.approx(2.0)


def test_several_associations_and_chunks_in_a_packet(tmp_path: Path) -> None:
    packets = [packet(ENB, MME, chunk(1, ONE), chunk(2, THREE)), packet(OTHER, MME, chunk(1, ONE))]
    found = list(recorded(capture(tmp_path / "x.pcap", packets)))
    assert [(each.association, each.pdu) for each in found] == [("1", ONE), ("1", THREE), ("2", ONE)]


def test_retransmissions_and_other_protocols_are_left_out(tmp_path: Path) -> None:
    packets = [
        packet(ENB, MME, chunk(1, ONE)),
        packet(ENB, MME, chunk(1, ONE)),
        packet(ENB, MME, chunk(2, b"other", protocol=3)),
        b"\x02" * 12 + b"\x08\x06" + bytes(28),
        bytes(dpkt.ethernet.Ethernet(type=0x0800, data=bytes(dpkt.ip.IP(src=ENB, dst=MME, p=17, data=b"x" * 8)))),
        b"short",
    ]
    assert [each.pdu for each in recorded(capture(tmp_path / "x.pcap", packets))] == [ONE]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_message_in_fragments(tmp_path: Path, order: tuple[int, ...]) -> None:
    parts = [chunk(2**32 - 1, THREE[:20], 2), chunk(0, THREE[20:50], 0), chunk(1, THREE[50:], 1)]
    packets = [packet(ENB, MME, parts[at]) for at in order]
    assert [each.pdu for each in recorded(capture(tmp_path / "x.pcap", packets))] == [THREE]


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.hex"
    path.write_text(f"# a comment\n\n{ONE.hex()}  # setup\neNB 2: {TWO.hex().upper()}\r\n")
    assert [(each.association, each.pdu) for each in recorded(path)] == [("", ONE), ("eNB 2", TWO)]


@pytest.mark.parametrize("content", [b"xyz\n", b"001\n", b"\xff\xfe\n", b"00 1z\n"])
def test_line_that_is_no_pdu(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.hex"
    path.write_bytes(ONE.hex().encode() + b"\n" + content)
    with pytest.raises(CaptureError, match="line 2"):
        list(recorded(path))


def test_capture_that_breaks_off(tmp_path: Path) -> None:
    path = capture(tmp_path / "x.pcap", [packet(ENB, MME, chunk(1, ONE))])
    path.write_bytes(path.read_bytes()[:10])
    with pytest.raises(CaptureError):
        list(recorded(path))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CaptureError):
        list(recorded(tmp_path / "nothing"))
