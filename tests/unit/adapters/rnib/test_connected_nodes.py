# SPDX-License-Identifier: Apache-2.0
import pytest

from submgr.adapters.rnib.connected_nodes import ConnectedNodes
from submgr.adapters.rnib.connection_state import LocalNodeState
from submgr.adapters.rnib.messages import ConnectionState


@pytest.fixture
def node_state() -> LocalNodeState:
    node_state = LocalNodeState()
    node_state.set("gnb_up", ConnectionState.CONNECTED)
    node_state.set("gnb_down", ConnectionState.DISCONNECTED)
    node_state.set("gnb_reset", ConnectionState.UNDER_RESET)
    return node_state


def test_what_rnib_says_counts(node_state: LocalNodeState) -> None:
    nodes = ConnectedNodes(node_state, lambda: True)
    names = ["gnb_up", "gnb_down", "gnb_reset", "gnb_x"]
    assert [nodes.is_connected(name) for name in names] == [True, False, False, False]
    assert [nodes.state(name) for name in names] == [node_state.state(name) for name in names]
    assert [nodes.knows(name) for name in names] == [True, True, True, False]
    assert [nodes.describe(name) for name in names] == ["connected", "not connected", "under reset", "not known"]
    assert nodes.connected() == ["gnb_up"]


def test_without_the_check_every_node_counts_as_connected_from_the_next_question_on(node_state: LocalNodeState) -> None:
    check = True
    nodes = ConnectedNodes(node_state, lambda: check)
    assert not nodes.is_connected("gnb_down")
    check = False
    assert nodes.is_connected("gnb_down")
    assert nodes.state("gnb_x") is ConnectionState.CONNECTED
    # what is known of the nodes is told as before
    assert not nodes.knows("gnb_x")
    assert nodes.describe("gnb_down") == "not connected"
    assert nodes.connected() == ["gnb_up"]


def test_who_does_not_count_as_connected_is_looked_at_again(node_state: LocalNodeState) -> None:
    looked: list[str] = []

    def look_again(meid: str) -> None:
        looked.append(meid)
        if meid == "gnb_down":
            node_state.set(meid, ConnectionState.CONNECTED)

    node_state.look_again = look_again  # type: ignore[method-assign]
    nodes = ConnectedNodes(node_state, lambda: True)
    names = ["gnb_up", "gnb_down", "gnb_reset", "gnb_x"]
    assert [nodes.is_connected_now(name) for name in names] == [True, True, False, False]
    assert looked == ["gnb_down", "gnb_reset", "gnb_x"]
    assert ConnectedNodes(node_state, lambda: False).is_connected_now("gnb_x")
