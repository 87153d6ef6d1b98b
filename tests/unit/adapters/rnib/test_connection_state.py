# SPDX-License-Identifier: Apache-2.0
import logging

import pytest

from submgr.adapters.rnib.connection_state import LocalNodeState, NodeState
from submgr.adapters.rnib.messages import ConnectionState


class Told(list[tuple[str, ConnectionState, bool]]):
    def __call__(self, meid: str, state: ConnectionState, again: bool) -> None:
        self.append((meid, state, again))


@pytest.fixture
def told() -> Told:
    return Told()


def test_local_nodes(told: Told) -> None:
    nodes = LocalNodeState()
    port: NodeState = nodes
    port.on_change(told)
    port.start()
    nodes.set("b", ConnectionState.CONNECTED)
    nodes.set("a", ConnectionState.CONNECTED)
    nodes.set("a", ConnectionState.CONNECTED)
    assert (port.state("a"), port.state("c")) == (ConnectionState.CONNECTED, ConnectionState.UNKNOWN)
    assert port.connected() == ["a", "b"]
    assert port.known()
    assert not port.stale()
    assert told == [
        ("b", ConnectionState.CONNECTED, False),
        ("a", ConnectionState.CONNECTED, False),
        ("a", ConnectionState.CONNECTED, True),
    ]
    port.stop()


def test_every_node_counts_as_up_and_the_start_says_so(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    nodes = LocalNodeState(everything_up=True)
    nodes.on_change(told)
    with caplog.at_level(logging.WARNING):
        nodes.start()
    assert "not watched" in caplog.text
    assert nodes.state("any") is ConnectionState.CONNECTED
    assert nodes.connected() == []
    nodes.set("any", ConnectionState.DISCONNECTED)
    assert nodes.state("any") is ConnectionState.DISCONNECTED
