# SPDX-License-Identifier: Apache-2.0
"""Subscriptions of an xApp, for xApps in Python: synchronous, typed, with the standard library only.

    with Subscriptions("http://service-ricplt-submgr-http.ricplt:8088", ids="/data/ids.json") as s:
        sub = s.subscribe("gnb_1", 2, [Detail(1, trigger, [Action(1, "report", definition)])])
        for instance in sub.wait():
            print(instance.e2_event_instance_id)

It needs neither gevent nor any other part of the Subscription Manager, and is a distribution of its own
(`ric-submgr-client`). docs/xapps.md is its guide.
"""

from submgr.client.errors import (
    ClientError,
    Closed,
    InvalidRequest,
    NotAllowed,
    NotAvailable,
    NotKnown,
    NotNotified,
    Refused,
    StillWorking,
    SubscriptionFailed,
    Unreachable,
)
from submgr.client.retries import Retries
from submgr.client.subscription import Subscription
from submgr.client.subscriptions import Subscriptions
from submgr.client.tls import Tls
from submgr.client.values import (
    Action,
    Detail,
    Directives,
    FieldError,
    Instance,
    Listed,
    Notification,
    SubsequentAction,
)

__all__ = [
    "Action",
    "ClientError",
    "Closed",
    "Detail",
    "Directives",
    "FieldError",
    "Instance",
    "InvalidRequest",
    "Listed",
    "NotAllowed",
    "NotAvailable",
    "NotKnown",
    "NotNotified",
    "Notification",
    "Refused",
    "Retries",
    "StillWorking",
    "Subscription",
    "SubscriptionFailed",
    "Subscriptions",
    "SubsequentAction",
    "Tls",
    "Unreachable",
]
