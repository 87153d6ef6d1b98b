# SPDX-License-Identifier: Apache-2.0
"""A UE that is handed over moves when the target eNB notifies, and not before."""

from __future__ import annotations

from typing import Any

import pytest
from support.mec import s1ap_pdus
from support.mec.calls import release

from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.pdus import Place

IMSI = "001010000000001"
CALL = Call(5, 100, IMSI, ["192.168.3.2"])
TARGET = Place(cell=0xB20, tac=2, enb=0xB2)


def handover(s1: Any, mme_at_target: int = 100) -> None:
    """Up to the acknowledge of the target."""
    s1.play("A", *set_up(), *attach(CALL))
    s1.play("B", *set_up(TARGET))
    assert s1.play("A", s1ap_pdus.handover_required(100, 5, b"from source to target")) == []
    assert s1.play("B", s1ap_pdus.handover_request(mme_at_target, b"from source to target")) == []
    assert s1.play("B", s1ap_pdus.handover_request_acknowledge(mme_at_target, 12)) == []


@pytest.mark.parametrize("mme_at_target", [100, 777])
def test_handover_moves_at_notify_only(s1: Any, mme_at_target: int) -> None:
    handover(s1, mme_at_target)
    assert s1.state(IMSI) == "attached"
    assert s1.play("B", s1ap_pdus.handover_notify(mme_at_target, 12, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 12"]
    s1.play("A", *release(CALL))
    assert s1.state(IMSI) == "moved"


def test_failed_handover_is_discarded(s1: Any) -> None:
    handover(s1)
    s1.play("B", s1ap_pdus.handover_failure(100))
    assert s1.play("B", s1ap_pdus.handover_notify(100, 12, TARGET)) == []
    assert s1.state(IMSI) == "attached"
    assert s1.identities.ues.counts["handovers called off"] == 1


def test_cancelled_handover_is_discarded(s1: Any) -> None:
    handover(s1)
    s1.play("A", s1ap_pdus.handover_cancel(100, 5))
    assert s1.play("B", s1ap_pdus.handover_notify(100, 12, TARGET)) == []
    assert s1.state(IMSI) == "attached"


def test_handover_that_is_tried_again_after_a_failure(s1: Any) -> None:
    handover(s1)
    s1.play("B", s1ap_pdus.handover_failure(100))
    s1.play("B", s1ap_pdus.handover_request(100, b"again"), s1ap_pdus.handover_request_acknowledge(100, 13))
    assert s1.play("B", s1ap_pdus.handover_notify(100, 13, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 13"]


def test_handover_whose_beginning_was_not_seen(s1: Any) -> None:
    s1.play("A", *set_up(), *attach(CALL))
    s1.play("B", *set_up(TARGET))
    assert s1.play("B", s1ap_pdus.handover_notify(100, 12, TARGET)) == [f"moved {IMSI} 192.168.3.2 eNB 12"]
