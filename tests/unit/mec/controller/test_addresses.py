# SPDX-License-Identifier: Apache-2.0
"""An address is a UE's until the network takes it, in whichever of many ways; identity providers are told."""

from __future__ import annotations

from typing import Any

import pytest
from support.mec import nas_messages, s1ap_pdus
from support.mec.calls import detach, release, service

from mec.controller.model import Keep
from mec.controller.recordings import nas_messages as nas
from mec.controller.recordings import pdus as pdu
from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.pdus import Place
from mec.controller.schemas import fed_addresses, record_of, ue_of

IMSI = "001010000000001"
OTHER = "001010000000002"
CALL = Call(5, 100, IMSI, ["192.168.3.2"])
TARGET = Place(cell=0xB20, tac=2, enb=0xB2)
SECOND = "10.2.0.1"
GONE = [f"released {IMSI} {SECOND} eNB 5"]
UNKNOWN = b"\x00\xf1\x10\x80\x01\x01\xde\xad\xbe\xef"


@pytest.fixture
def two(s1: Any) -> Any:
    """A UE with two bearers: 5, and 6 with SECOND."""
    s1.play("A", *set_up(), *attach(CALL))
    s1.play("A", s1ap_pdus.bearer_setup(100, 5, {6: nas.protected(nas.default_bearer([SECOND], 6), 2)}))
    assert s1.addresses(IMSI) == ["192.168.3.2", SECOND]
    return s1


@pytest.mark.parametrize(
    "ending",
    [
        s1ap_pdus.bearer_release(100, 5, [6]),
        s1ap_pdus.bearer_release_indication(100, 5, [6, 7]),
        s1ap_pdus.bearer_setup_response(100, 5, [6]),
        s1ap_pdus.context_setup_response(100, 5, [6]),
        s1ap_pdus.bearer_modification_confirm(100, 5, [6]),
        pdu.uplink(100, 5, nas.protected(nas_messages.bearer_reject(6), 2)),
        pdu.downlink(100, 5, nas.protected(nas_messages.bearer_deactivation(6), 2)),
        pdu.downlink(100, 5, nas.protected(nas_messages.area_update_accept(CALL.guti, [5]), 2)),
    ],
    ids=["command", "indication", "not set up", "no context", "modification", "refused by the UE", "ended", "status"],
)
def test_bearer_that_has_ended_takes_its_address(two: Any, ending: bytes) -> None:
    assert two.play("A", ending) == GONE
    assert two.addresses(IMSI) == ["192.168.3.2"]
    assert two.identities.ues.holder(SECOND) is None


def test_bearer_that_did_not_come_along_at_a_path_switch(two: Any) -> None:
    two.play("B", *set_up(TARGET))
    assert two.play("B", s1ap_pdus.path_switch(100, 9, TARGET, [5])) == [
        f"moved {IMSI} 192.168.3.2 eNB 9",
        f"moved {IMSI} {SECOND} eNB 9",
        f"released {IMSI} {SECOND} eNB 9",
    ]
    assert two.addresses(IMSI) == ["192.168.3.2"]


def test_bearer_that_the_mme_releases_at_a_path_switch(two: Any) -> None:
    two.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET, [5, 6]))
    acknowledge = s1ap_pdus.path_switch_acknowledge(100, 9, [6])
    assert two.play("B", acknowledge) == [f"released {IMSI} {SECOND} eNB 9"]


def test_bearer_that_the_target_of_a_handover_does_not_take(two: Any) -> None:
    two.play("B", *set_up(TARGET))
    two.play("A", s1ap_pdus.handover_required(100, 5, b"container"))
    two.play("B", s1ap_pdus.handover_request(100, b"container"))
    assert two.play("B", s1ap_pdus.handover_request_acknowledge(100, 12, [6])) == []
    assert two.addresses(IMSI) == ["192.168.3.2", SECOND]
    told = two.play("B", s1ap_pdus.handover_notify(100, 12, TARGET))
    assert told[-1] == f"released {IMSI} {SECOND} eNB 12"
    assert two.addresses(IMSI) == ["192.168.3.2"]


def test_path_switch_that_fails_is_undone(two: Any) -> None:
    two.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET, [5]))
    assert two.play("B", s1ap_pdus.path_switch_failure(100, 9)) == [
        f"moved {IMSI} 192.168.3.2 eNB 5",
        f"moved {IMSI} {SECOND} eNB 5",
    ]
    ue = two.identities.ues.find(IMSI)
    assert (ue.enb_ue_id, ue.cell.cell_id, ue.addresses) == (5, 0xA10, ["192.168.3.2", SECOND])
    two.play("B", s1ap_pdus.release_command(100, 9))
    assert two.state(IMSI) == "moved"
    two.play("A", *release(CALL))
    assert two.state(IMSI) == "idle"


def test_path_switch_that_fails_after_the_source_is_gone_leaves_the_ue_idle(two: Any) -> None:
    two.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET, [5, 6]))
    two.close("A")
    assert two.state(IMSI) == "moved"
    assert two.play("B", s1ap_pdus.path_switch_failure(100, 9)) == []
    assert two.state(IMSI) == "idle"


def test_source_of_a_path_switch_is_gone_once_the_mme_has_agreed(two: Any) -> None:
    two.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET, [5, 6]))
    assert 5 in two.association("A").connections
    two.play("B", s1ap_pdus.path_switch_acknowledge(100, 9))
    assert two.association("A").connections == {}
    assert two.state(IMSI) == "moved"


def test_handover_that_the_mme_does_not_prepare_is_called_off(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    s1.play("B", *set_up(TARGET))
    s1.play("A", s1ap_pdus.handover_required(100, 5, b"container"))
    s1.play("B", s1ap_pdus.handover_request(100, b"container"))
    s1.play("A", s1ap_pdus.handover_preparation_failure(100, 5))
    assert s1.play("B", s1ap_pdus.handover_notify(100, 12, TARGET)) == []
    assert s1.state(IMSI) == "attached"


@pytest.mark.parametrize("how", ["attach", "second bearer"])
def test_address_that_is_given_to_somebody_unknown_is_no_longer_the_former_ones(s1: Any, how: str) -> None:
    s1.play("A", *attach(CALL), *release(CALL))
    s1.play("A", pdu.initial_ue(9, nas.attach_request(UNKNOWN)))
    given = nas.default_bearer(CALL.addresses, 5)
    if how == "attach":
        told = s1.play("A", pdu.context_setup(300, 9, {5: nas.protected(nas.attach_accept(given), 2)}))
    else:
        s1.play("A", pdu.context_setup(300, 9, {5: None}))
        told = s1.play("A", s1ap_pdus.bearer_setup(300, 9, {5: nas.protected(given, 2)}))
    assert told == [f"released {IMSI} 192.168.3.2 eNB 5"]
    assert s1.identities.ues.holder("192.168.3.2") is None
    assert s1.addresses(IMSI) == []


def test_two_attaches_with_one_address(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", *attach(Call(6, 101, OTHER, CALL.addresses, b"\x02" * 10))) == [
        f"released {IMSI} 192.168.3.2 eNB 5",
        f"attached {OTHER} 192.168.3.2 eNB 6",
    ]
    assert (s1.state(IMSI), s1.state(OTHER)) == ("waiting", "attached")
    assert any(isinstance(effect, Keep) and effect.ue.imsi == IMSI for effect in s1.effects)


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1", "0.1.2.3"])
def test_address_that_no_ue_can_have_is_none(s1: Any, address: str) -> None:
    assert s1.play("A", *attach(Call(5, 100, IMSI, [address]))) == []
    assert (s1.state(IMSI), s1.addresses(IMSI)) == ("waiting", [])
    assert s1.feed(IMSI, "10.0.0.1") == [f"attached {IMSI} 10.0.0.1 eNB 5"]


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"])
def test_side_feed_takes_no_such_address(address: str) -> None:
    with pytest.raises(ValueError, match="not an address that a UE can have"):
        fed_addresses(["10.0.0.1", address])


def test_replaced_address_is_told(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    s1.feed(IMSI, "10.0.0.1")
    assert s1.feed(IMSI, "10.0.0.2") == [f"released {IMSI} 10.0.0.1 eNB 5", f"attached {IMSI} 10.0.0.2 eNB 5"]


def test_address_of_before_a_restart_is_told_when_it_ends(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    stored = ue_of(record_of(s1.identities.ues.find(IMSI)))
    after = type(s1)()
    after.identities.load([stored])
    assert after.feed(OTHER, *CALL.addresses)[0] == f"released {IMSI} 192.168.3.2 eNB None"


def test_ue_that_uses_the_control_plane_only(s1: Any) -> None:
    accept = nas.protected(nas.attach_accept(nas.default_bearer(CALL.addresses), CALL.guti), 2)
    s1.play("A", *set_up(), pdu.initial_ue(5, nas.attach_request(IMSI)))
    assert s1.play("A", pdu.downlink(100, 5, accept)) == [f"attached {IMSI} 192.168.3.2 eNB 5"]
    s1.play("A", *release(CALL))
    request = b"\x07\x4d\x00" + b"\x57\x02\x20\x00"
    s1.play("A", pdu.initial_ue(6, nas.protected(request, 1), s_tmsi=CALL.guti[5:]))
    told = s1.play("A", pdu.downlink(101, 6, nas.protected(nas_messages.service_accept(), 2)))
    assert told == [f"attached {IMSI} 192.168.3.2 eNB 6"]


def test_mme_that_changes_its_gummeis_stays_the_same_mme(s1: Any) -> None:
    new = b"\x00\xf1\x10\x90\x02\x02"
    s1.play("A", *set_up(), *attach(CALL), s1ap_pdus.mme_configuration_update(new))
    s1.play("B", *set_up(TARGET, new))
    assert s1.play("B", s1ap_pdus.path_switch(100, 9, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 9"]


def test_gummei_that_an_mme_has_given_away_is_another_ones(s1: Any) -> None:
    first, second = b"\x00\xf1\x10\x80\x01\x01", b"\x00\xf1\x10\x90\x02\x02"
    s1.play("A", *set_up(gummei=first), *attach(CALL), s1ap_pdus.mme_configuration_update(second))
    s1.play("B", *set_up(TARGET, first))
    assert s1.play("B", s1ap_pdus.path_switch(100, 9, TARGET)) == []
    assert s1.state(IMSI) == "attached"


def test_s_tmsi_is_looked_for_in_the_pool_that_the_mme_serves_now(s1: Any) -> None:
    again = Call(6, 101, IMSI, CALL.addresses)
    s1.play("A", *set_up(gummei=b"\x00\xf1\x10\x90\x02\x02"), *attach(CALL), *release(CALL))
    s1.play("A", s1ap_pdus.mme_configuration_update(b"\x00\xf1\x10\x80\x01\x01"))
    assert s1.play("A", *service(again)) == [f"attached {IMSI} 192.168.3.2 eNB 6"]
    assert s1.play("A", *detach(again))[0] == f"detached {IMSI} 192.168.3.2 eNB 6"
