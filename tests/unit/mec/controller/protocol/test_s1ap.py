# SPDX-License-Identifier: Apache-2.0
"""PDUs out of a stream, and IEs out of PDUs, against what pycrate encodes and decodes."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mec import s1ap_pdus
from support.mec.calls import detach, release, service

from mec.controller.model import Area, Association, Cell
from mec.controller.procedures import Identities
from mec.controller.protocol import framing, s1ap
from mec.controller.protocol import s1ap_ies as s1ap_types
from mec.controller.protocol.framing import Framer, FramingError
from mec.controller.protocol.s1ap import Ie, S1apError
from mec.controller.recordings import nas_messages as nas
from mec.controller.recordings import pdus as pdu
from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.pdus import Place

CALL = Call(5, 100, "001010000000001", ["192.168.3.2", "fe80::1"])
LARGE = pdu.uplink(1, 2, bytes(5000))
ALL = [
    *set_up(),
    *attach(CALL),
    *release(CALL),
    *service(CALL),
    *detach(CALL),
    s1ap_pdus.path_switch(100, 9, Place()),
    s1ap_pdus.path_switch_acknowledge(100, 9),
    s1ap_pdus.handover_required(100, 5, b"box" * 50),
    s1ap_pdus.handover_request(100, b"box" * 50),
    s1ap_pdus.handover_request_acknowledge(100, 9),
    s1ap_pdus.handover_failure(100),
    s1ap_pdus.handover_cancel(100, 5),
    s1ap_pdus.handover_notify(100, 9, Place()),
    s1ap_pdus.bearer_setup(100, 5, {6: nas.default_bearer(["10.0.0.1"], 6)}),
    s1ap_pdus.bearer_release(100, 5, [6]),
    s1ap_pdus.bearer_release_indication(100, 5, [6]),
    s1ap_pdus.reset(),
    s1ap_pdus.reset([(100, 5), (None, 6), (7, None)]),
    pdu.initial_ue(1, nas.attach_request(b"\x01" * 10), Place(), b"\x01\x02\x03\x04\x05"),
    LARGE,
]


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], list[bytes]]:
    """PDUs, and their octets cut into pieces of any size."""
    pdus = draw(st.lists(st.sampled_from(ALL), max_size=12))
    return pdus, draw(cuts(b"".join(pdus)))


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=20)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@given(streams())
def test_pdus_however_they_are_cut_and_joined(stream: tuple[list[bytes], list[bytes]]) -> None:
    pdus, pieces = stream
    framer = Framer()
    assert [found for piece in pieces for found in framer.feed(piece)] == pdus
    assert framer.pending == 0


@given(st.lists(st.sampled_from(ALL), max_size=8), st.data())
def test_pdus_behind_their_lengths_however_they_are_cut(pdus: list[bytes], data: st.DataObject) -> None:
    framer = Framer(lengths=True)
    stream = b"".join(len(each).to_bytes(4, "big") + each for each in pdus)
    assert [found for piece in data.draw(cuts(stream)) for found in framer.feed(piece)] == pdus


def test_octet_by_octet() -> None:
    framer = Framer()
    stream = b"".join(ALL)
    assert [found for octet in stream for found in framer.feed(bytes([octet]))] == ALL


@pytest.mark.parametrize(
    "header",
    [b"\x60\x0c\x40\x05", b"\x01\x0c\x40\x05", b"\x80\x0c\x40\x05", b"\x00\x0c\xc0\x05", b"\x00\x0c\x41\x05",
     b"\x00\x0c\x40\xc1", b"GET ", b"\x16\x03\x01\x02"],
)  # fmt: skip
def test_impossible_header_after_the_pdus_before_it(header: bytes) -> None:
    found: list[bytes] = []
    with pytest.raises(FramingError):
        for each in Framer().feed(ALL[0] + header):
            found.append(each)
    assert found == [ALL[0]]


@pytest.mark.parametrize("size", [framing.MAX_FRAME + 1, 0xFFFFFFFF])
def test_impossible_length(size: int) -> None:
    with pytest.raises(FramingError):
        list(Framer(lengths=True).feed(size.to_bytes(4, "big")))


@given(st.lists(st.tuples(st.sampled_from(ALL), st.integers(0, 100)), max_size=8), st.data())
def test_zero_octets_behind_a_pdu_are_skipped_however_the_stream_is_cut(
    padded: list[tuple[bytes, int]], data: st.DataObject
) -> None:
    framer = Framer()
    stream = b"".join(each + bytes(zeros) for each, zeros in padded) + ALL[0]
    found = [found for piece in data.draw(cuts(stream)) for found in framer.feed(piece)]
    assert found == [each for each, _ in padded] + [ALL[0]]
    assert framer.skipped == sum(zeros for _, zeros in padded)
    assert framer.pending == 0


@given(st.lists(st.tuples(st.sampled_from(ALL), st.integers(0, 100)), max_size=8), st.data())
def test_octets_behind_a_pdu_within_its_size_are_skipped(padded: list[tuple[bytes, int]], data: st.DataObject) -> None:
    framer = Framer(lengths=True)
    stream = b"".join((len(each) + more).to_bytes(4, "big") + each + b"\x55" * more for each, more in padded)
    assert [found for piece in data.draw(cuts(stream)) for found in framer.feed(piece)] == [each for each, _ in padded]
    assert framer.skipped == sum(more for _, more in padded)


def test_zero_octets_behind_the_last_pdu_are_no_beginning_of_another() -> None:
    framer = Framer()
    assert list(framer.feed(LARGE + bytes(3))) == [LARGE]
    assert not framer.unfinished
    assert list(framer.feed(LARGE[:100])) == []
    assert framer.unfinished


def test_a_size_that_no_pdu_has_is_skipped() -> None:
    framer = Framer(lengths=True)
    short = b"".join(size.to_bytes(4, "big") + bytes(size) for size in range(4))
    stream = short + len(LARGE).to_bytes(4, "big") + LARGE + short
    assert [found for octet in stream for found in framer.feed(bytes([octet]))] == [LARGE]
    assert (framer.short, framer.skipped, framer.pending) == (8, 0, 0)


def test_wrong_framing_is_noticed() -> None:
    with pytest.raises(FramingError):
        list(Framer(lengths=True).feed(ALL[0]))
    with pytest.raises(FramingError):
        list(Framer().feed(len(LARGE).to_bytes(4, "big") + LARGE))


@pytest.mark.parametrize("number", range(len(ALL)))
def test_every_ie_is_found_as_pycrate_finds_it(number: int) -> None:
    _, content = s1ap_types.decode(ALL[number])
    ids = [ie["id"] for ie in content["value"][1]["protocolIEs"]]
    assert list(s1ap.ies_of(ALL[number])) == ids


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**24 - 1))
def test_ue_ids(mme: int, enb: int) -> None:
    ies = s1ap.ies_of(s1ap_pdus.release_complete(mme, enb))
    assert (s1ap.whole_number(ies, Ie.MME_UE_S1AP_ID), s1ap.whole_number(ies, Ie.ENB_UE_S1AP_ID)) == (mme, enb)
    ies = s1ap.ies_of(s1ap_pdus.release_command(mme, enb))
    assert s1ap_types.released_context(ies[Ie.UE_S1AP_IDS]) == (mme, enb)
    ies = s1ap.ies_of(s1ap_pdus.path_switch(mme, enb, Place()))
    assert s1ap.whole_number(ies, Ie.SOURCE_MME_UE_S1AP_ID) == mme


@given(st.integers(0, 2**28 - 1), st.integers(0, 2**16 - 1), st.binary(min_size=5, max_size=5))
def test_places_and_s_tmsi(cell: int, tac: int, s_tmsi: bytes) -> None:
    place = Place(plmn=b"\x62\xf2\x10", cell=cell, tac=tac)
    ies = s1ap.ies_of(pdu.initial_ue(1, b"nas", place, s_tmsi))
    assert s1ap.cell_of(ies[Ie.EUTRAN_CGI]) == Cell("262", "01", cell)
    assert s1ap.area_of(ies[Ie.TAI]) == Area("262", "01", tac)
    assert s1ap.s_tmsi_of(ies[Ie.S_TMSI]) == s_tmsi


@given(st.binary(min_size=1, max_size=3000))
def test_nas_pdu_of_any_size(message: bytes) -> None:
    ies = s1ap.ies_of(pdu.downlink(1, 2, message))
    assert s1ap.octets(ies[Ie.NAS_PDU]) == message


def test_three_digit_mnc() -> None:
    assert s1ap.plmn_of(b"\x13\x00\x62") == ("310", "260")
    with pytest.raises(S1apError):
        s1ap.plmn_of(b"\xab\xcd\xef")


@pytest.mark.parametrize("number", range(len(ALL)))
def test_pdu_cut_at_any_octet_is_undecodable_or_incomplete(number: int) -> None:
    whole = ALL[number][:400]
    for end in range(4, len(whole)):
        with pytest.raises(S1apError):
            s1ap.ies_of(whole[:end])


def test_octets_after_the_last_ie_are_refused() -> None:
    body = s1ap_pdus.release_complete(1, 2)[4:] + b"\x00"
    with pytest.raises(S1apError):
        s1ap.ies_of(b"\x20\x17\x00" + bytes([len(body)]) + body)


@given(st.sampled_from(ALL), st.data())
def test_garbage_in_any_pdu_harms_nothing_and_others_go_on(original: bytes, data: st.DataObject) -> None:
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 6))):
        mutated[data.draw(st.integers(4, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    identities, association = Identities(), Association(1, "x")
    identities.take(association, bytes(mutated), 1.0)
    identities.take(association, s1ap_pdus.reset(), 1.0)
    other = Call(0xFFFF, 0xFFFFFF, "262011234567890", ["10.66.66.66"], b"\x09" * 10)
    told: list[Any] = [effect for each in attach(other) for effect in identities.take(association, each, 2.0)]
    ue = identities.ues.find("262011234567890")
    assert told and ue is not None and ue.addresses == ["10.66.66.66"]


@given(st.binary(max_size=200))
def test_any_octets_behind_a_length_are_taken_without_an_error(octets: bytes) -> None:
    Identities().take(Association(1, "x"), b"\x00\x0c\x40" + octets if len(octets) else b"\x00\x0c\x40\x00", 1.0)


@given(st.lists(st.integers(0, 15), min_size=1, max_size=16))
def test_bearer_ids_of_every_list_of_bearers(bearers: list[int]) -> None:
    for name, message in [
        (s1ap.Ie.E_RABS_TO_BE_RELEASED, s1ap_pdus.bearer_release(100, 5, bearers)),
        (s1ap.Ie.E_RABS_NOT_SET_UP, s1ap_pdus.bearer_setup_response(100, 5, bearers)),
        (s1ap.Ie.E_RABS_SWITCHED, s1ap_pdus.path_switch(100, 5, Place(), bearers)),
        (s1ap.Ie.E_RABS_NOT_ADMITTED, s1ap_pdus.handover_request_acknowledge(100, 5, bearers)),
    ]:
        assert s1ap.bearer_ids(s1ap.ies_of(message)[name]) == bearers


@given(st.binary(max_size=60))
def test_any_octets_are_bearer_ids_or_an_error(octets: bytes) -> None:
    with contextlib.suppress(S1apError):
        assert all(0 <= bearer < 16 for bearer in s1ap.bearer_ids(octets))


def test_cause_of_a_release() -> None:
    for cause in ("normal-release", "authentication-failure", "detach", "unspecified"):
        ies = s1ap.ies_of(s1ap_pdus.release_command(100, 5, cause))
        assert s1ap.is_detach(ies[s1ap.Ie.CAUSE]) == (cause == "detach")
    assert not s1ap.is_detach(b"")
