# SPDX-License-Identifier: Apache-2.0
"""How a UE becomes known: by its IMSI, a GUTI, an S-TMSI, an identity response, or an operator."""

from __future__ import annotations

from typing import Any

import pytest
from support.mec import nas_messages, s1ap_pdus
from support.mec.calls import detach, release, service

from mec.controller.recordings import nas_messages as nas
from mec.controller.recordings import pdus as pdu
from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.pdus import HOME, Place

IMSI = "001010000000001"
OTHER = "001010000000002"
CALL = Call(5, 100, IMSI, ["192.168.3.2"])
AGAIN = Call(6, 101, IMSI, ["192.168.3.2"])


def accept(*addresses: str, guti: bytes | None = CALL.guti) -> bytes:
    return nas.protected(nas.attach_accept(nas.default_bearer(addresses), guti), 2, 2)


def ciphered(message: bytes) -> bytes:
    """In an envelope that says it is ciphered, and is: no octet means what it seems to."""
    return nas.protected(bytes(octet ^ 0xA5 for octet in message), 2, 2)


def test_attach_by_imsi_is_told_once_imsi_and_address_are_known(s1: Any) -> None:
    pdus = attach(CALL)
    assert s1.play("A", *set_up(), *pdus[:5]) == []
    assert s1.play("A", pdus[5]) == [f"attached {IMSI} 192.168.3.2 eNB 5"]
    assert s1.play("A", *pdus[6:]) == []
    assert s1.state(IMSI) == "attached"


def test_ue_is_shown_where_it_is(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    ue = s1.identities.ues.find("1010000000001")
    assert (ue.enb_ue_id, ue.mme_ue_id, ue.cell.cell_id, ue.area.tac, ue.enb.id) == (5, 100, 0xA10, 1, 0xA1)
    assert (ue.cell.mcc, ue.cell.mnc) == ("001", "01")


def test_same_identity_again_on_the_connection_is_not_told_again(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", pdu.context_setup(100, 5, {5: None})) == []


def test_same_identity_with_another_enb_id_is_told_again(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", *attach(AGAIN)) == [f"attached {IMSI} 192.168.3.2 eNB 6"]


@pytest.mark.parametrize(
    ("addresses", "known"),
    [
        (["10.0.0.1"], ["10.0.0.1"]),
        (["fe80::1:2"], ["fe80::1:2"]),
        (["10.0.0.1", "fe80::1:2"], ["10.0.0.1", "fe80::1:2"]),
    ],
)
def test_addresses_of_each_pdn_type(s1: Any, addresses: list[str], known: list[str]) -> None:
    told = s1.play("A", *attach(Call(5, 100, IMSI, addresses)))
    assert told == [f"attached {IMSI} {address} eNB 5" for address in known]
    assert s1.addresses(IMSI) == known


def test_guti_of_the_attach_accept_stands_for_the_imsi_next_time(s1: Any) -> None:
    s1.play("A", *attach(CALL), *detach(CALL))
    again = Call(7, 102, IMSI, ["192.168.3.9"])
    assert s1.play("A", *attach(again, CALL.guti)) == [f"attached {IMSI} 192.168.3.9 eNB 7"]


def test_guti_is_forgotten_after_a_day(s1: Any) -> None:
    s1.play("A", *attach(CALL), *detach(CALL))
    s1.now += 24 * 3600 + 1
    assert s1.play("A", *attach(AGAIN, CALL.guti)) == []
    assert s1.identities.ues.counts["unknown temporary identities"] == 1


def test_guti_that_is_not_known_is_asked_for_by_the_mme(s1: Any) -> None:
    stranger = b"\x00\xf1\x10\x80\x01\x01\xde\xad\xbe\xef"
    assert s1.play("A", pdu.initial_ue(5, nas.attach_request(stranger))) == []
    s1.play("A", pdu.uplink(100, 5, nas_messages.identity_response(IMSI)))
    assert s1.play("A", pdu.context_setup(100, 5, {5: accept("10.0.0.1")})) == [f"attached {IMSI} 10.0.0.1 eNB 5"]


def test_identity_response_after_the_context_is_told_then(s1: Any) -> None:
    stranger = b"\x00\xf1\x10\x80\x01\x01\xde\xad\xbe\xef"
    s1.play("A", pdu.initial_ue(5, nas.attach_request(stranger)))
    assert s1.play("A", pdu.context_setup(100, 5, {5: accept("10.0.0.1")})) == []
    assert s1.play("A", pdu.uplink(100, 5, nas_messages.identity_response(IMSI))) == [f"attached {IMSI} 10.0.0.1 eNB 5"]


@pytest.mark.parametrize("imsi", ["001010000000001", "26201123456789", "310150123456789"])
def test_imsi_with_an_even_and_an_odd_number_of_digits(s1: Any, imsi: str) -> None:
    s1.play("A", pdu.initial_ue(5, nas.attach_request(b"\x00" * 10)))
    s1.play("A", pdu.uplink(100, 5, nas_messages.identity_response(imsi)))
    assert s1.play("A", pdu.context_setup(100, 5, {5: accept("10.0.0.1")})) == [f"attached {imsi} 10.0.0.1 eNB 5"]


def test_imsi_in_an_integrity_protected_attach_request(s1: Any) -> None:
    s1.play("A", pdu.initial_ue(5, nas.protected(nas.attach_request(IMSI), 1)))
    assert s1.play("A", pdu.context_setup(100, 5, {5: accept("10.0.0.1")})) == [f"attached {IMSI} 10.0.0.1 eNB 5"]


def test_service_request_is_known_by_its_s_tmsi(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL), *release(CALL))
    assert s1.state(IMSI) == "idle"
    assert s1.addresses(IMSI) == ["192.168.3.2"]
    assert s1.play("A", *service(AGAIN)) == [f"attached {IMSI} 192.168.3.2 eNB 6"]
    assert s1.state(IMSI) == "attached"


def test_s_tmsi_is_looked_for_in_the_pool_of_the_mme_only(s1: Any) -> None:
    elsewhere = b"\x00\xf1\x10\x99\x99\x01"
    s1.play("A", *set_up(), *attach(CALL), *release(CALL))
    assert s1.play("B", *set_up(gummei=elsewhere), *service(AGAIN)) == []


def test_s_tmsi_of_two_networks_is_not_guessed(s1: Any) -> None:
    twin = Call(5, 100, OTHER, ["10.9.9.9"], b"\x00\xf1\x10\x99\x99\x01" + CALL.guti[6:])
    s1.play("A", *attach(CALL), *release(CALL))
    s1.play("B", *attach(twin), *release(twin))
    assert s1.play("C", *service(AGAIN)) == []


@pytest.mark.parametrize(
    "message",
    [nas_messages.guti_reallocation(b"\x01" * 10), nas_messages.area_update_accept(b"\x01" * 10)],
    ids=["command", "accept"],
)
def test_new_guti_is_learnt(s1: Any, message: bytes) -> None:
    s1.play("A", *attach(CALL), pdu.downlink(100, 5, nas.protected(message, 1)), *detach(CALL))
    assert s1.play("A", *attach(AGAIN, b"\x01" * 10)) == [f"attached {IMSI} 192.168.3.2 eNB 6"]


def test_tracking_area_update_is_known_by_its_guti(s1: Any) -> None:
    s1.play("A", *attach(CALL), *release(CALL))
    request = nas.protected(nas_messages.area_update_request(CALL.guti), 1)
    assert s1.play("A", pdu.initial_ue(6, request), pdu.context_setup(101, 6, {5: None})) == [
        f"attached {IMSI} 192.168.3.2 eNB 6"
    ]


def test_new_attach_accept_replaces_the_addresses(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", *attach(Call(6, 101, IMSI, ["192.168.3.77"]))) == [
        f"released {IMSI} 192.168.3.2 eNB 5",
        f"attached {IMSI} 192.168.3.77 eNB 6",
    ]
    assert s1.addresses(IMSI) == ["192.168.3.77"]


def test_address_that_is_given_to_another_ue_is_no_longer_the_first_ones(s1: Any) -> None:
    s1.play("A", *attach(CALL), *release(CALL))
    s1.play("A", *attach(Call(6, 101, OTHER, CALL.addresses, b"\x02" * 10)))
    assert s1.addresses(IMSI) == []
    assert s1.identities.ues.holder("192.168.3.2").imsi == OTHER
    assert s1.identities.ues.counts["addresses taken over"] == 1


def test_ciphered_accept_waits_for_the_side_feed(s1: Any) -> None:
    s1.play("A", pdu.initial_ue(5, nas.attach_request(IMSI)))
    s1.play("A", pdu.downlink(100, 5, nas.protected(nas.security_mode(1), 3)))
    assert s1.play("A", pdu.context_setup(100, 5, {5: ciphered(accept("10.0.0.1"))})) == []
    assert s1.identities.ues.counts["ciphered NAS"] == 1
    assert s1.state(IMSI) == "waiting"
    assert s1.feed("1010000000001", "10.0.0.1") == [f"attached {IMSI} 10.0.0.1 eNB 5"]
    assert s1.state(IMSI) == "attached"


def test_ciphered_accept_makes_the_old_addresses_void(s1: Any) -> None:
    s1.play("A", *attach(CALL), *release(CALL))
    s1.play("A", pdu.initial_ue(6, nas.attach_request(IMSI)))
    assert s1.play("A", pdu.context_setup(101, 6, {5: ciphered(accept("10.0.0.1"))})) == [
        f"released {IMSI} 192.168.3.2 eNB 5"
    ]
    assert (s1.state(IMSI), s1.addresses(IMSI)) == ("waiting", [])


def test_side_feed_before_the_context_waits_for_it(s1: Any) -> None:
    s1.play("A", pdu.initial_ue(5, nas.attach_request(IMSI)))
    assert s1.feed(IMSI, "10.0.0.1") == []
    assert s1.play("A", pdu.context_setup(100, 5, {5: ciphered(b"\x07" * 30)})) == [f"attached {IMSI} 10.0.0.1 eNB 5"]


def test_side_feed_of_a_ue_that_s1ap_does_not_know_is_told(s1: Any) -> None:
    assert s1.feed(IMSI, "10.0.0.1", "10.0.0.2") == [
        f"attached {IMSI} 10.0.0.1 eNB None",
        f"attached {IMSI} 10.0.0.2 eNB None",
    ]


def test_null_ciphering_is_read_when_the_algorithm_was_not_seen(s1: Any) -> None:
    s1.play("A", pdu.initial_ue(5, nas.attach_request(IMSI)))
    assert s1.play("A", pdu.context_setup(100, 5, {5: accept("10.0.0.1")})) == [f"attached {IMSI} 10.0.0.1 eNB 5"]


def test_ue_that_is_only_attaching_is_not_a_ue_yet(s1: Any) -> None:
    s1.play("A", pdu.initial_ue(5, nas.attach_request(IMSI)))
    assert s1.state(IMSI) is None


def test_attach_that_is_not_completed_disturbs_nothing(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", pdu.initial_ue(9, nas.attach_request(IMSI)), *release(Call(9, 0, IMSI, []))) == []
    assert s1.state(IMSI) == "attached"
    assert s1.addresses(IMSI) == ["192.168.3.2"]


def test_further_bearers_and_their_release(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    more = nas.protected(nas.default_bearer(["10.2.0.1"], 6), 2)
    assert s1.play("A", s1ap_pdus.bearer_setup(100, 5, {6: more})) == [f"attached {IMSI} 10.2.0.1 eNB 5"]
    assert s1.addresses(IMSI) == ["192.168.3.2", "10.2.0.1"]
    assert s1.play("A", s1ap_pdus.bearer_release(100, 5, [6])) == [f"released {IMSI} 10.2.0.1 eNB 5"]
    assert s1.addresses(IMSI) == ["192.168.3.2"]
    assert s1.play(
        "A", s1ap_pdus.bearer_setup(100, 5, {6: more}), s1ap_pdus.bearer_release_indication(100, 5, [6])
    ) == [f"attached {IMSI} 10.2.0.1 eNB 5", f"released {IMSI} 10.2.0.1 eNB 5"]
    assert s1.identities.ues.holder("10.2.0.1") is None


def test_detach_is_told_and_takes_the_addresses(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", *detach(CALL)) == [f"detached {IMSI} 192.168.3.2 eNB 5"]
    assert (s1.state(IMSI), s1.addresses(IMSI)) == ("detached", [])


def test_detach_of_the_network_and_of_an_idle_ue(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    request = nas.protected(nas_messages.detach_request_of_network(), 1)
    assert s1.play("A", pdu.downlink(100, 5, request)) == [f"detached {IMSI} 192.168.3.2 eNB 5"]
    s1.play("A", *release(CALL), *attach(AGAIN), *release(AGAIN))
    leaving = pdu.initial_ue(8, nas.protected(nas_messages.detach_request(CALL.guti), 1), HOME, CALL.guti[5:])
    assert s1.play("A", leaving) == [f"detached {IMSI} 192.168.3.2 eNB 8"]


def test_late_detach_of_an_old_connection_does_not_detach_who_has_come_back(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    s1.play("B", *attach(AGAIN))
    assert s1.play("A", *detach(CALL)) == []
    assert s1.state(IMSI) == "attached"


@pytest.mark.parametrize("named", [None, [(100, 5)], [(None, 5)], [(100, None)]])
def test_reset_makes_idle(s1: Any, named: list[tuple[int | None, int | None]] | None) -> None:
    s1.play("A", *attach(CALL))
    s1.play("A", s1ap_pdus.reset(named))
    assert s1.state(IMSI) == "idle"


def test_reset_of_others_changes_nothing(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    s1.play("A", s1ap_pdus.reset([(7, 7)]))
    s1.play("B", s1ap_pdus.reset())
    assert s1.state(IMSI) == "attached"


def test_s1_setup_and_the_end_of_the_connection_drop_its_connections_only(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    s1.play("B", *attach(Call(5, 200, OTHER, ["10.9.9.9"], b"\x02" * 10)))
    s1.play("A", *set_up())
    assert (s1.state(IMSI), s1.state(OTHER)) == ("idle", "attached")
    s1.close("B")
    assert s1.state(OTHER) == "idle"


@pytest.mark.parametrize("both_ids", [True, False])
def test_release_by_both_ids_and_by_the_mmes(s1: Any, both_ids: bool) -> None:
    s1.play("A", *attach(CALL))
    s1.play("A", s1ap_pdus.release_command(100, 5 if both_ids else None))
    assert s1.state(IMSI) == "idle"


def test_enb_ids_are_those_of_one_connection(s1: Any) -> None:
    told = s1.play("A", *set_up(), *attach(CALL))
    told += s1.play("B", *set_up(Place(enb=2), b"\x00\xf1\x10\x80\x01\x02"),
                    *attach(Call(5, 100, OTHER, ["10.9.9.9"], b"\x02" * 10)))  # fmt: skip
    assert told == [f"attached {IMSI} 192.168.3.2 eNB 5", f"attached {OTHER} 10.9.9.9 eNB 5"]
    s1.play("B", *release(CALL))
    assert (s1.state(IMSI), s1.state(OTHER)) == ("attached", "idle")


def test_reused_enb_id_is_a_new_connection(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    s1.play("A", pdu.initial_ue(5, nas.attach_request(OTHER)))
    assert s1.state(IMSI) == "idle"
    assert s1.play("A", pdu.context_setup(101, 5, {5: accept("10.9.9.9", guti=None)})) == [
        f"attached {OTHER} 10.9.9.9 eNB 5"
    ]


def test_idle_ues_are_forgotten_after_a_day_and_present_ones_are_not(s1: Any) -> None:
    s1.play("A", *attach(CALL), *release(CALL))
    s1.play("A", *attach(Call(6, 101, OTHER, ["10.9.9.9"], b"\x02" * 10)))
    s1.now += 24 * 3600 + 60
    s1.identities.ues.now = s1.now
    s1.identities.ues.purge()
    assert s1.state(IMSI) is None
    assert s1.state(OTHER) == "attached"
