# SPDX-License-Identifier: Apache-2.0
"""R-NIB entries octet by octet: protobuf as `protoc --encode` writes it."""

from __future__ import annotations

import pytest

from submgr.adapters.rnib.ran_functions import read_functions
from submgr.e2sm.decoding import Body, Decoded, decode
from submgr.e2sm.layouts import short_name
from submgr.simulators.nodes import NodeState
from submgr.simulators.rnib import nb_identity, node_key, nodeb_info

STATES = [(NodeState.CONNECTED, 1), (NodeState.DISCONNECTED, 2), (NodeState.UNDER_RESET, 7)]


@pytest.mark.parametrize(("state", "number"), STATES)
def test_nb_identity(state: NodeState, number: int) -> None:
    global_nb_id = b"\x0a\x06208092" + b"\x12\x1d00111011011100110001000110001"
    assert nb_identity("gnb1", state) == (b"\x0a\x04gnb1" + b"\x12\x27" + global_nb_id + bytes((0x18, number)))


@pytest.mark.parametrize(("state", "number"), STATES)
def test_nodeb_info(state: NodeState, number: int) -> None:
    record = nodeb_info("gnb1", state)
    begin = b"\x0a\x04gnb1" + b"\x12\x09127.0.0.1" + b"\x18\xc6\x9c\x02" + bytes((0x28, number)) + b"\x38\x02"
    assert record.startswith(begin + b"\x4a")


def test_a_node_announces_kpm_and_rc() -> None:
    kpm, rc = read_functions(nodeb_info("gnb1", NodeState.CONNECTED))
    assert (kpm.id, kpm.revision, short_name(kpm.definition)) == (2, 1, "ORAN-E2SM-KPM")
    assert (rc.id, rc.revision, short_name(rc.definition)) == (3, 1, "ORAN-E2SM-RC")
    assert isinstance(decode(kpm.definition, Body.RAN_FUNCTION), Decoded)
    assert isinstance(decode(rc.definition, Body.RAN_FUNCTION), Decoded)


def test_names_are_utf8_and_long_ones_have_long_lengths() -> None:
    name = "ä" * 100
    assert nodeb_info(name, NodeState.CONNECTED).startswith(b"\x0a\xc8\x01" + name.encode())
    assert node_key("gnb1") == "{e2Manager},RAN:gnb1"
