# SPDX-License-Identifier: Apache-2.0
"""What switching `checkE2State` does to what there is."""

from __future__ import annotations

import pytest

from submgr.adapters.rnib.connection_state import LocalNodeState
from submgr.adapters.rnib.messages import ConnectionState
from submgr.app import build
from submgr.core.events import Restored
from submgr.core.model import Content, E2Record, Holder, RmrEndpoint, RmrHolder
from submgr.daemon import Daemon
from submgr.e2ap.messages import Action, ActionType
from submgr.platform.logs import Logs
from submgr.platform.turns import turn
from submgr.settings.live import LiveSettings
from submgr.settings.loader import load

MEID = "gnb_1"
ENDPOINT = RmrEndpoint("xapp", 4560)


def text(check: bool, loss: str = "drop") -> str:
    return f"sdl: {{backend: memory}}\ncontrols: {{checkE2State: {str(check).lower()}, onE2Loss: {loss}}}\n"


def daemon(check: bool, state: ConnectionState, loss: str = "drop") -> Daemon:
    """Not started, with one established subscription at a node whose connection is in this state."""
    nodes = LocalNodeState()
    if state is not ConnectionState.UNKNOWN:
        nodes.set(MEID, state)
    made = build(LiveSettings(load(text(check, loss), {}), {}), {"RMR_RTG_SVC": "-1"}, Logs("test"), None, nodes)
    content = Content(2, b"\x01", (Action(1, ActionType.REPORT),))
    holder = Holder(RmrHolder(ENDPOINT, 1), ENDPOINT, True)
    record = E2Record(1, MEID, 123, 1, content, (ENDPOINT,), (holder,), (ENDPOINT,), admitted=(1,))
    made.parts.dispatcher.restore({MEID: Restored((record,), (), (), made.parts.nodes.is_connected(MEID))})
    return made


def switched(made: Daemon, check: bool, loss: str = "drop") -> tuple[bool, bool, bool]:
    """Is it there, is its node taken to be connected, does it wait for its restore?"""
    assert made.parts.live.apply(text(check, loss))
    for _ in range(10):
        turn()
    node = made.parts.dispatcher.node(MEID)
    assert node is not None
    holding = node.subscriptions.holding
    established = [sub for sub in node.subscriptions.e2.values() if holding.get(next(iter(sub.holders))) is sub]
    return bool(established), node.connected, any(sub.restore_pending for sub in established)


@pytest.mark.parametrize("state", [ConnectionState.CONNECTED, ConnectionState.UNKNOWN])
def test_switched_on_it_takes_nothing_from_a_node_that_is_connected_or_not_listed(state: ConnectionState) -> None:
    assert switched(daemon(False, state), True) == (True, True, False)


@pytest.mark.parametrize("state", [ConnectionState.DISCONNECTED, ConnectionState.UNDER_RESET])
def test_switched_on_it_finds_the_lost_connections(state: ConnectionState) -> None:
    made = daemon(False, state)
    there, connected, _ = switched(made, True)
    assert (there, connected) == (False, False)
    node = made.parts.dispatcher.node(MEID)
    assert node is not None
    assert node._context.lost_because == ("under reset" if state is ConnectionState.UNDER_RESET else "")


def test_switched_off_every_node_counts_as_connected() -> None:
    assert switched(daemon(True, ConnectionState.DISCONNECTED, "restore"), False, "restore")[:2] == (True, True)


def test_switching_restores_nothing_at_a_node_that_was_connected_all_the_time() -> None:
    made = daemon(True, ConnectionState.CONNECTED, "restore")
    assert switched(made, False, "restore") == (True, True, False)
    assert switched(made, True, "restore") == (True, True, False)
