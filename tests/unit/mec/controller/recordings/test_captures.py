# SPDX-License-Identifier: Apache-2.0
"""Recordings: lines of hexadecimal digits, and packet captures with SCTP."""

from __future__ import annotations

import struct
from pathlib import Path

import dpkt
import pytest

from mec.controller.recordings import pdus as pdu
from mec.controller.recordings.captures import CaptureError, recorded
from mec.controller.recordings.report import Report

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


def ethernet(kind: int, content: bytes, tags: bytes = b"") -> bytes:
    return b"\2" * 6 + b"\1" * 6 + tags + kind.to_bytes(2, "big") + content


def v4_of(number: int, offset: int, more: bool, content: bytes) -> bytes:
    """A fragment of an IPv4 packet with SCTP."""
    flags = offset // 8 | (0x2000 if more else 0)
    return ethernet(
        0x0800, struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(content), number, flags, 64, 132, 0) + ENB + MME + content
    )


def v6_of(content: bytes, extension: bytes = b"") -> bytes:
    head = struct.pack(">IHBB", 6 << 28, len(extension + content), 44 if extension else 132, 64)
    return ethernet(0x86DD, head + ENB * 4 + MME * 4 + extension + content)


def sctp_of(*chunks: bytes) -> bytes:
    return struct.pack(">HHII", 36412, 36412, 7, 0) + b"".join(chunks)


def read(path: Path) -> tuple[list[bytes], Report]:
    report = Report()
    return [each.pdu for each in recorded(path, report)], report


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_ip_fragments_are_put_together(tmp_path: Path, order: tuple[int, ...]) -> None:
    whole = sctp_of(chunk(1, THREE))
    parts = [v4_of(7, 0, True, whole[:32]), v4_of(7, 32, True, whole[32:64]), v4_of(7, 64, False, whole[64:])]
    assert read(capture(tmp_path / "x.pcap", [parts[at] for at in order])) == (
        [THREE],
        Report(senders={"1": {(ENB, 36412)}}),
    )


def test_ipv6_fragments_and_vlan_tags(tmp_path: Path) -> None:
    whole = sctp_of(chunk(1, THREE))
    parts = [
        v6_of(whole[:32], struct.pack(">BBHI", 132, 0, 1, 99)),
        v6_of(whole[32:], struct.pack(">BBHI", 132, 0, 32, 99)),
        ethernet(0x0800, v4_of(8, 0, False, sctp_of(chunk(2, ONE)))[14:], b"\x88\xa8\x00\x05\x81\x00\x00\x07"),
    ]
    assert read(capture(tmp_path / "x.pcap", parts))[0] == [THREE, ONE]


def test_fragment_that_is_missing_is_named(tmp_path: Path) -> None:
    whole = sctp_of(chunk(1, THREE))
    pdus, report = read(capture(tmp_path / "x.pcap", [packet(ENB, MME, chunk(1, ONE)), v4_of(7, 0, True, whole[:32])]))
    assert pdus == [ONE]
    assert report.lost == ["packet 2: other fragments of its IP packet are missing"]


@pytest.mark.parametrize("snap", [13, 20, 40, 60, 100])
def test_packet_that_the_recorder_has_cut_is_named(tmp_path: Path, snap: int) -> None:
    pdus, report = read(
        capture(tmp_path / "x.pcap", [packet(ENB, MME, chunk(1, ONE)), packet(ENB, MME, chunk(2, THREE))[:snap]])
    )
    assert pdus == [ONE]
    assert len(report.lost) == 1 and report.lost[0].startswith("packet 2 is cut")


def test_message_whose_parts_are_missing_is_named(tmp_path: Path) -> None:
    pdus, report = read(
        capture(tmp_path / "x.pcap", [packet(ENB, MME, chunk(1, THREE[:20], 2)), packet(MME, ENB, chunk(1, ONE))])
    )
    assert pdus == [ONE]
    assert report.lost == ["packet 1: other parts of its message are missing"]


@pytest.mark.parametrize("protocol", [0, 18 << 24])
def test_payload_protocol_that_is_not_sure_is_s1ap_if_the_payload_is(tmp_path: Path, protocol: int) -> None:
    packets = [
        packet(ENB, MME, chunk(1, ONE, protocol=protocol)),
        packet(ENB, MME, chunk(2, b"HELLO", protocol=protocol)),
    ]
    pdus, report = read(capture(tmp_path / "x.pcap", packets))
    assert pdus == [ONE]
    assert report.skipped_in_words() == "1 SCTP messages of other protocols"


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    packets = [
        packet(ENB, MME, chunk(1, ONE)),
        packet(ENB, MME, chunk(1, ONE)),
        packet(ENB, MME, chunk(2, b"other", protocol=3)),
        ethernet(0x0806, bytes(28)),
        bytes(dpkt.ethernet.Ethernet(type=0x0800, data=bytes(dpkt.ip.IP(src=ENB, dst=MME, p=17, data=b"x" * 8)))),
    ]
    _, report = read(capture(tmp_path / "x.pcap", packets))
    assert report.skipped == {
        "packets of other traffic": 2,
        "messages that were sent again": 1,
        "SCTP messages of other protocols": 1,
    }
    assert not report.lost and report.one_way == ["1"]


@pytest.mark.parametrize("link", [150, 252])
@pytest.mark.parametrize("header", [b"", struct.pack(">HH4sHH", 12, 4, b"s1ap", 0, 0)], ids=["bare", "with metadata"])
def test_captures_without_lower_layers(tmp_path: Path, link: int, header: bytes) -> None:
    path = tmp_path / "x.pcap"
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, linktype=link)
        for each in (header + ONE, header + TWO, b"not S1AP"):
            writer.writepkt(each, ts=1.0)
    pdus, report = read(path)
    assert pdus == [ONE, TWO]
    assert report.skipped_in_words() == "1 packets that are not S1AP"


@pytest.mark.parametrize("between", [" ", ":", "  "])
@pytest.mark.parametrize("name", ["", "eNB 2: ", "a ", "00 "])
def test_digits_may_be_apart(tmp_path: Path, between: str, name: str) -> None:
    path = tmp_path / "x.hex"
    path.write_text("\ufeff" + name + ONE.hex(between[0]).replace(between[0], between) + "\n")
    assert [(each.association, each.pdu) for each in recorded(path)] == [(name.strip(": "), ONE)]
