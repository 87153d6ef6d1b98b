# SPDX-License-Identifier: Apache-2.0
"""Jobs: the kinds of work that queue at an E2 node, as values. A job says what is to be done and for which keys.

A job knows no procedure: the planner makes a procedure of it when its turn has come.
"""

from __future__ import annotations

from collections.abc import Hashable

from msgspec import Struct

from submgr.core.e2_subscription import E2Subscription
from submgr.core.model import HolderKey, RmrHolder
from submgr.core.requesters import Requester
from submgr.core.rest_subscription import RestSubscription
from submgr.e2ap.messages import SubscriptionDeleteResponse

Keys = tuple[Hashable, ...]


class Job(Struct, frozen=True):
    """Work for the queue of one E2 node."""

    @property
    def keys(self) -> Keys:
        """What the work is about. Jobs that share a key run one after the other, in the order they came."""
        raise NotImplementedError


class SubscribeJob(Job, frozen=True):
    """A requester wants an E2 subscription: a new one, a share of an equal one, or new content for its POLICY."""

    requester: Requester

    @property
    def keys(self) -> Keys:
        return self.requester.keys


class LeaveJob(Job, frozen=True):
    """A holder leaves its E2 subscription: the DELETE of `rest` is accepted. The last holder takes it along.

    `held_keys` are those of what the holder holds now, or of the SubscribeJob that is still running for it.
    """

    holder: HolderKey
    rest: RestSubscription
    held_keys: Keys

    @property
    def keys(self) -> Keys:
        return self.held_keys


class LeaveOverRmrJob(Job, frozen=True):
    """An RMR xApp leaves the E2 subscription that it names by instance id.

    `token` names its RIC Subscription Delete Request; `answer` is sent when the job has ended.
    """

    holder: RmrHolder
    sub: E2Subscription
    token: int
    answer: SubscriptionDeleteResponse

    @property
    def keys(self) -> Keys:
        return (self.sub.line, (self.holder, self.sub.instance_id))


class RemoveJob(Job, frozen=True):
    """An E2 subscription goes, whoever holds it: the E2 node or an operator asked for it, or the node has lost it.

    `at_node`: the E2 node may hold it, so a RIC Subscription Delete Request is sent if the node is connected.
    `stored`: there may be an E2 record. `undo`: a procedure that failed is undone.
    """

    sub: E2Subscription
    at_node: bool
    stored: bool = True
    undo: bool = False

    @property
    def keys(self) -> Keys:
        return (self.sub.line,)


class ResubscribeJob(Job, frozen=True):
    """An established E2 subscription is made anew at an E2 node that came back (`onE2Loss: restore`)."""

    sub: E2Subscription

    @property
    def keys(self) -> Keys:
        return (self.sub.line,)


class RoutesJob(Job, frozen=True):
    """The Routing Manager gets the routes that the holders of an established E2 subscription want."""

    sub: E2Subscription

    @property
    def keys(self) -> Keys:
        return (self.sub.line,)


class CleanupJob(Job, frozen=True):
    """What a delete could not undo is tried again. `at_node`: also the delete at the E2 node, which has come back."""

    instance_id: int
    at_node: bool

    @property
    def keys(self) -> Keys:
        return (self.key(self.instance_id),)

    @staticmethod
    def key(instance_id: int) -> Hashable:
        """The key under which the cleanups of this instance id queue."""
        return ("removal", instance_id)
