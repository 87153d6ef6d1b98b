# SPDX-License-Identifier: Apache-2.0
"""What the nodes share: instance ids, which node a SubscriptionId belongs to, notification places."""

from __future__ import annotations

from submgr.core.ids import InstanceIds
from submgr.core.places import Places


class Registry:
    """Changed by the nodes in single steps, without a yield: no locks.

    `nodes` maps the SubscriptionId of every REST subscription to its Meid, until its DELETE is written down.
    """

    def __init__(self, places: Places) -> None:
        self.ids = InstanceIds()
        self.places = places
        self.nodes: dict[str, str] = {}
