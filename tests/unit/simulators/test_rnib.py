# SPDX-License-Identifier: Apache-2.0
"""R-NIB entries octet by octet: protobuf as `protoc --encode` writes it."""

from __future__ import annotations

import pytest

from submgr.simulators.nodes import NodeState
from submgr.simulators.rnib import nb_identity, node_key, nodeb_info

STATES = [(NodeState.CONNECTED, 1), (NodeState.DISCONNECTED, 2), (NodeState.UNDER_RESET, 7)]


@pytest.mark.parametrize(("state", "number"), STATES)
def test_nb_identity(state: NodeState, number: int) -> None:
    global_nb_id = b"\x0a\x06208092" + b"\x12\x1d00111011011100110001000110001"
    assert nb_identity("gnb1", state) == (b"\x0a\x04gnb1" + b"\x12\x27" + global_nb_id + bytes((0x18, number)))


@pytest.mark.parametrize(("state", "number"), STATES)
def test_nodeb_info(state: NodeState, number: int) -> None:
    assert nodeb_info("gnb1", state) == (
        b"\x0a\x04gnb1" + b"\x12\x09127.0.0.1" + b"\x18\xc6\x9c\x02" + bytes((0x28, number)) + b"\x40\x02"
    )


def test_names_are_utf8_and_long_ones_have_long_lengths() -> None:
    name = "ä" * 100
    assert nodeb_info(name, NodeState.CONNECTED).startswith(b"\x0a\xc8\x01" + name.encode())
    assert node_key("gnb1") == "{e2Manager},RAN:gnb1"
