# SPDX-License-Identifier: Apache-2.0
"""UEs change connections: path switches, interrupted mirrors, restarts."""

from __future__ import annotations

from typing import Any

import pytest
from support.mec import s1ap_pdus
from support.mec.calls import detach, release

from mec.controller.model import Association
from mec.controller.procedures import Identities
from mec.controller.recordings import nas_messages as nas
from mec.controller.recordings import pdus as pdu
from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.pdus import Place
from mec.controller.schemas import record_of, ue_of

IMSI = "001010000000001"
CALL = Call(5, 100, IMSI, ["192.168.3.2"])
TARGET = Place(cell=0xB20, tac=2, enb=0xB2)
OTHER_MME = b"\x00\xf1\x10\x80\x01\x02"


def test_path_switch_moves_to_the_other_connection(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    s1.play("B", *set_up(TARGET))
    assert s1.play("B", s1ap_pdus.path_switch(100, 9, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 9"]
    ue = s1.identities.ues.find(IMSI)
    assert (ue.state, ue.cell.cell_id, ue.area.tac, ue.enb.id) == ("moved", 0xB20, 2, 0xB2)


def test_acknowledge_brings_a_new_mme_id(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    s1.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET), s1ap_pdus.path_switch_acknowledge(333, 9))
    third = Place(cell=0xC30)
    assert s1.play("C", *set_up(third), s1ap_pdus.path_switch(333, 4, third)) == [f"moved {IMSI} 192.168.3.2 eNB 4"]
    assert s1.play("D", *set_up(), s1ap_pdus.path_switch(100, 4, third)) == []


def test_source_that_is_released_later_does_not_make_idle(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    s1.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET))
    s1.play("A", *release(CALL))
    s1.play("A", s1ap_pdus.reset())
    s1.close("A")
    assert s1.state(IMSI) == "moved"
    s1.play("B", s1ap_pdus.release_command(100, 9))
    assert s1.state(IMSI) == "idle"


def test_mme_ids_are_those_of_one_mme(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    assert s1.play("B", *set_up(TARGET, OTHER_MME), s1ap_pdus.path_switch(100, 9, TARGET)) == []
    assert s1.state(IMSI) == "attached"
    assert s1.identities.ues.counts["moved an unknown UE"] == 1


def test_path_switch_when_no_s1_setup_was_seen(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("B", s1ap_pdus.path_switch(100, 9, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 9"]


@pytest.mark.parametrize("named", ["A", "B"])
def test_path_switch_when_one_s1_setup_was_seen(s1: Any, named: str) -> None:
    s1.play(named, *set_up())
    s1.play("A", *attach(CALL))
    assert s1.play("B", s1ap_pdus.path_switch(100, 9, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 9"]


def test_path_switch_to_another_id_on_the_same_connection(s1: Any) -> None:
    s1.play("A", *attach(CALL))
    assert s1.play("A", s1ap_pdus.path_switch(100, 9, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 9"]
    assert s1.play("A", s1ap_pdus.path_switch(100, 9, TARGET)) == []


def test_detach_after_the_move(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    s1.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET))
    assert s1.play("B", *detach(Call(9, 100, IMSI, []))) == [f"detached {IMSI} 192.168.3.2 eNB 9"]


def test_ue_that_moves_before_it_has_an_address(s1: Any) -> None:
    s1.play("A", *set_up(), pdu.initial_ue(5, nas.attach_request(IMSI)), pdu.context_setup(100, 5, {5: b"\x27" * 30}))
    assert s1.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET)) == []
    assert s1.state(IMSI) == "waiting"
    assert s1.feed(IMSI, "10.0.0.1") == [f"attached {IMSI} 10.0.0.1 eNB 9"]


def test_ue_that_moves_in_the_middle_of_attaching(s1: Any) -> None:
    s1.play("A", *set_up(), pdu.initial_ue(5, nas.attach_request(IMSI)), pdu.downlink(100, 5, b"\x07\x52" + bytes(34)))
    assert s1.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET)) == []
    accept = nas.protected(nas.attach_accept(nas.default_bearer(["10.0.0.1"])), 2)
    assert s1.play("B", pdu.context_setup(100, 9, {5: accept})) == [f"attached {IMSI} 10.0.0.1 eNB 9"]


def test_stale_connection_moves_nobody(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    s1.play("A", *attach(Call(6, 101, IMSI, ["192.168.3.2"])))
    assert s1.play("B", *set_up(TARGET), s1ap_pdus.path_switch(100, 9, TARGET)) == []
    assert s1.identities.ues.find(IMSI).enb_ue_id == 6


def test_tables_are_bounded() -> None:
    identities = Identities(max_ues=3)
    association = Association(1, "x")
    for number in range(5):
        call = Call(number, number, f"00101{number + 1:010d}", [f"10.0.0.{number}"], bytes(9) + bytes([number]))
        for each in attach(call):
            identities.take(association, each, float(number))
    assert [ue.imsi[-2:] for ue in identities.ues.all()] == ["03", "04", "05"]
    assert identities.ues.holder("10.0.0.0") is None
    assert identities.ues.counts["UEs dropped"] == 2


def test_interrupted_mirror_goes_on_where_it_was(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    s1.close("A")
    assert s1.state(IMSI) == "idle"
    assert s1.play("A", pdu.uplink(100, 5, nas.protected(b"\x07\x5f", 1))) == []
    assert s1.state(IMSI) == "attached"
    assert s1.play("A", *detach(CALL)) == [f"detached {IMSI} 192.168.3.2 eNB 5"]


def test_other_ids_after_an_interruption_are_not_taken_for_it(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    s1.close("A")
    s1.play("A", pdu.uplink(100, 6, nas.protected(b"\x07\x5f", 1)))
    assert s1.state(IMSI) == "idle"


def test_released_connection_does_not_come_back(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL), *release(CALL))
    s1.close("A")
    s1.play("A", pdu.uplink(100, 5, nas.protected(b"\x07\x5f", 1)))
    assert s1.state(IMSI) == "idle"


def test_tables_of_before_a_restart(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    records = [record_of(ue) for ue in s1.identities.ues.all()]
    restarted = type(s1)()
    restarted.identities.load([ue_of(record) for record in records])
    assert (restarted.state(IMSI), restarted.addresses(IMSI)) == ("idle", ["192.168.3.2"])
    assert restarted.play("B", s1ap_pdus.path_switch(100, 9, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 9"]
    assert restarted.play("B", s1ap_pdus.path_switch(100, 10, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 10"]
