# SPDX-License-Identifier: Apache-2.0
"""A UE leaves the network when the network says so, and not when somebody says so in its name."""

from __future__ import annotations

from typing import Any

import pytest
from support.mec import nas_messages, s1ap_pdus
from support.mec.calls import release, service

from mec.controller.recordings import nas_messages as nas
from mec.controller.recordings import pdus as pdu
from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.pdus import Place

IMSI = "001010000000001"
CALL = Call(5, 100, IMSI, ["192.168.3.2"])
AGAIN = Call(6, 101, IMSI, ["192.168.3.2"])
STRANGER = Place(cell=0x666, tac=6, enb=0x66)
HERE = ("attached", ["192.168.3.2"], 0xA10)


def shown(s1: Any) -> tuple[str, list[str], int]:
    ue = s1.identities.ues.find(IMSI)
    return ue.state.value, ue.addresses, ue.cell.cell_id


def stranger(s1: Any, message: bytes) -> None:
    """Somebody at another eNB sends a message as its first one."""
    s1.play("B", *set_up(STRANGER))
    assert s1.play("B", pdu.initial_ue(9, message, STRANGER)) == []


@pytest.mark.parametrize("switched_off", [0, 8])
def test_detach_of_non_eps_services_only_leaves_the_ue_in_eps(s1: Any, switched_off: int) -> None:
    s1.play("A", *attach(CALL))
    request = nas.protected(nas_messages.detach_request(CALL.guti, 2 | switched_off), 2, 3)
    accept = nas.protected(nas_messages.detach_accept(), 2, 3)
    assert s1.play("A", pdu.uplink(100, 5, request), pdu.downlink(100, 5, accept)) == []
    assert shown(s1) == HERE


def test_network_ends_non_eps_services_only(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    request = nas.protected(nas_messages.detach_request_of_network(3), 2, 3)
    accept = nas.protected(nas_messages.detach_accept(), 2, 3)
    assert s1.play("A", pdu.downlink(100, 5, request), pdu.uplink(100, 5, accept)) == []
    assert shown(s1) == HERE


@pytest.mark.parametrize("kind", [1, 3, 9, 11, 0, 7])
def test_detach_from_eps_is_one_of_every_other_kind(s1: Any, kind: int) -> None:
    s1.play("A", *attach(CALL))
    request = nas.protected(nas_messages.detach_request(CALL.guti, kind), 2, 3)
    assert s1.play("A", pdu.uplink(100, 5, request)) == [f"detached {IMSI} 192.168.3.2 eNB 5"]


@pytest.mark.parametrize("identity", [IMSI, CALL.guti], ids=["imsi", "guti"])
@pytest.mark.parametrize("header", [0, 1], ids=["plain", "with a protection that nobody has checked"])
def test_foreign_detach_of_a_ue_that_is_here_detaches_nobody(s1: Any, identity: str | bytes, header: int) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    request = nas_messages.detach_request(identity)
    stranger(s1, nas.protected(request, header) if header else request)
    reject = pdu.downlink(200, 9, nas_messages.authentication_reject())
    assert s1.play("B", reject, s1ap_pdus.release_command(200, 9, "detach")) == []
    assert shown(s1) == HERE


def test_plain_detach_of_an_idle_ue_counts_when_the_mme_accepts_it(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL), *release(CALL))
    stranger(s1, nas_messages.detach_request(IMSI))
    assert s1.state(IMSI) == "idle"
    accept = pdu.downlink(200, 9, nas_messages.detach_accept())
    assert s1.play("B", accept) == [f"detached {IMSI} 192.168.3.2 eNB 9"]


def test_plain_detach_counts_when_the_mme_releases_for_it(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL), *release(CALL))
    stranger(s1, nas_messages.detach_request(IMSI, 9))
    assert s1.play("B", s1ap_pdus.release_command(200, 9, "detach")) == [f"detached {IMSI} 192.168.3.2 eNB 9"]


def test_ciphered_detach_is_known_by_the_cause_of_the_release(s1: Any) -> None:
    s1.play("A", *attach(CALL), pdu.downlink(100, 5, nas.protected(nas.security_mode(2), 3)))
    assert s1.play("A", s1ap_pdus.release_command(100, 5, "detach")) == [f"detached {IMSI} 192.168.3.2 eNB 5"]


def test_accept_that_the_ue_sends_says_nothing(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", pdu.uplink(100, 5, nas_messages.detach_accept())) == []
    assert shown(s1) == HERE


@pytest.mark.parametrize(
    "message",
    [
        nas.attach_accept(nas.default_bearer(["10.6.6.6"]), CALL.guti),
        nas.default_bearer(["10.6.6.6"], 6),
        nas_messages.area_update_accept(CALL.guti, ()),
        nas_messages.service_reject(10),
        nas_messages.bearer_deactivation(5),
        nas_messages.detach_request_of_network()[:2] + b"\x01",
    ],
)
def test_message_of_the_network_that_a_ue_sends_changes_nothing(s1: Any, message: bytes) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", pdu.uplink(100, 5, nas.protected(message, 1))) == []
    assert shown(s1) == HERE


def test_nobody_with_a_context_becomes_another_by_naming_it(s1: Any) -> None:
    other = Call(7, 300, "001010000000002", ["10.9.9.9"], b"\x02" * 10)
    s1.play("A", *attach(CALL), *attach(other))
    assert s1.play("A", pdu.uplink(300, 7, nas_messages.identity_response(IMSI))) == []
    assert shown(s1) == HERE
    assert s1.state("001010000000002") == "attached"


@pytest.mark.parametrize("cause", [3, 6, 7, 8, 9, 10, 11, 12, 14, 35, 40])
def test_service_reject_that_ends_eps(s1: Any, cause: int) -> None:
    s1.play("A", *set_up(), *attach(CALL), *release(CALL), service(AGAIN)[0])
    reject = pdu.downlink(101, 6, nas_messages.service_reject(cause))
    assert s1.play("A", reject) == [f"detached {IMSI} 192.168.3.2 eNB 6"]
    assert (s1.state(IMSI), s1.addresses(IMSI)) == ("detached", [])


@pytest.mark.parametrize("cause", [2, 13, 15, 16, 17, 18, 22, 25, 39])
def test_service_reject_that_does_not_end_eps(s1: Any, cause: int) -> None:
    s1.play("A", *set_up(), *attach(CALL), *release(CALL), service(AGAIN)[0])
    assert s1.play("A", pdu.downlink(101, 6, nas_messages.service_reject(cause))) == []
    assert (s1.state(IMSI), s1.addresses(IMSI)) == ("idle", ["192.168.3.2"])


def test_reject_of_an_area_update_and_of_an_attach(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL), *release(CALL))
    s1.play("A", pdu.initial_ue(6, nas.protected(nas_messages.area_update_request(CALL.guti), 1)))
    reject = pdu.downlink(101, 6, nas_messages.area_update_reject(10))
    assert s1.play("A", reject) == [f"detached {IMSI} 192.168.3.2 eNB 6"]
    s1.play("A", *attach(CALL), *release(CALL), pdu.initial_ue(6, nas.attach_request(IMSI)))
    reject = pdu.downlink(101, 6, nas_messages.attach_reject(8))
    assert s1.play("A", reject) == [f"detached {IMSI} 192.168.3.2 eNB 6"]


@pytest.mark.parametrize(
    ("request_", "reject"),
    [
        (nas.attach_request(IMSI), nas_messages.attach_reject(3)),
        (nas.attach_request(IMSI), nas_messages.attach_reject(8)),
        (nas_messages.area_update_request(CALL.guti), nas_messages.area_update_reject(9)),
    ],
)
def test_reject_of_somebody_else_who_gave_the_identity_detaches_nobody(s1: Any, request_: bytes, reject: bytes) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    stranger(s1, request_)
    assert s1.play("B", pdu.downlink(200, 9, reject)) == []
    assert shown(s1) == HERE


def test_context_that_the_enb_cannot_set_up_undoes_the_attach(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", s1ap_pdus.context_setup_failure(100, 5)) == [f"detached {IMSI} 192.168.3.2 eNB 5"]
    assert (s1.state(IMSI), s1.addresses(IMSI)) == ("detached", [])


def test_context_that_the_enb_cannot_set_up_for_a_service_leaves_the_ue_idle(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL), *release(CALL), *service(AGAIN))
    assert s1.play("A", s1ap_pdus.context_setup_failure(101, 6)) == []
    assert (s1.state(IMSI), s1.addresses(IMSI)) == ("idle", ["192.168.3.2"])


def test_idle_ue_that_never_comes_back_is_detached(s1: Any) -> None:
    s1.play("A", *attach(CALL), *release(CALL))
    s1.now += 24 * 3600 + 60
    assert s1.purge() == [f"detached {IMSI} 192.168.3.2 eNB None"]
    assert s1.state(IMSI) is None
