# SPDX-License-Identifier: Apache-2.0
"""Charts that several files of tests begin with."""

from __future__ import annotations

from submgr.core import events as e
from submgr.core.controls import Controls, OnE2Loss
from support.core.playbook import (
    Script,
    delete,
    post,
    routed,
    saved,
    sent_201,
)
from support.core.world import request

TIMEOUT = "SUBMGR E2-Timeout E2 RICSubscriptionResponse timeout"


def asked(script: Script | None = None, wanted=None) -> Script:
    """Up to the request to the E2 node, at 0 s."""
    script = script or Script()
    script.play(
        (0.0, post(wanted), ["save rest r1 ongoing"]),
        (0.0, saved, ["201 r1"]),
        (0.0, sent_201, ["save e2 1 uncompleted r1/1?"]),
        (0.0, saved, ["POST route 1 a-rmr"]),
        (0.0, routed, ["subscribe 1"]),
    )
    return script


def undone(script: Script, when: float) -> None:
    """Nothing is left of the E2 subscription; its id is free, the REST subscription remains."""
    node = script.node
    assert not node.subscriptions.e2 and not node.removals.pinned and not len(node.removals) and not node.queue_depth, (
        when
    )
    assert script.registry.ids.in_use() == 0
    assert list(node.subscriptions.rest) == ["r1"]
    assert not node.subscriptions.rest["r1"].ongoing


def leaving(script: Script | None = None) -> Script:
    """Up to the delete request at the node, at 10 s."""
    script = script or Script()
    script.subscribed()
    script.play(
        (10.0, delete("r1"), ["drop notifications r1", "save rest r1 1=1 deleted"]),
        (10.0, saved, ["204", "delete 1"]),
    )
    return script


XAPP_B = "service-ricxapp-b-http"
TO_B = request(host=XAPP_B)


def with_one() -> Script:
    """One established subscription of xApp a."""
    script = Script()
    assert script.subscribed() == "r1"
    return script


def merging(script: Script, wanted=TO_B, who: str = "r2") -> None:
    """Up to the record of the second holder, at 1 s."""
    script.play(
        (1.0, post(wanted), [f"save rest {who} ongoing"]),
        (1.0, saved, [f"201 {who}"]),
        (1.0, sent_201, [f"save e2 1 completed r1/1 {who}/1?"]),
    )


DROP, NOTIFY, RESTORE = (Controls(on_e2_loss=policy) for policy in OnE2Loss)
LOST = e.NodeLost("")
UP = e.NodeConnected()
DOWN = "E2Node E2 interface down"


def established_under(controls: Controls) -> Script:
    script = Script(controls)
    script.subscribed()
    return script


def told_of(event: e.Event, controls: Controls) -> list[str]:
    """What the xApp of one subscription is told of an event."""
    script = Script(controls)
    script.subscribed()
    return [line for line in script.step(1.0, event) if line.startswith("tell")]
