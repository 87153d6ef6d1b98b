# SPDX-License-Identifier: Apache-2.0
"""What must hold when a storm is over: everybody knows the same, and every xApp was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import gevent

from support.chaos.load import Client
from support.chaos.place import HEALED, Place, source_of
from support.processes.daemon import Daemon

PATIENCE = 3.0
"""Seconds for which an xApp waits for a notification before it asks once more."""
BUGS = ("submgr_internal_errors_total", "submgr_worker_failures_total", "submgr_background_failures_total")
"""Counters that no fault may move."""


def views(place: Place, daemon: Daemon) -> dict[str, dict[int, Any]]:
    """Who has which instance ids: at which node, with which endpoints."""
    nodes = place.around.e2term.nodes.items()
    listed = daemon.listed()
    return {
        "nodes": {instance: name for name, node in nodes for instance in node.subscriptions},
        "list": {each["SubscriptionId"]: each["Meid"] for each in listed},
        "routes": {instance: sorted(to) for instance, to in place.around.rtmgr.routes.items()},
        "list's endpoints": {each["SubscriptionId"]: sorted(each["ClientEndpoint"]) for each in listed},
    }


def differences(place: Place, daemon: Daemon) -> dict[str, object]:
    """What is not everywhere the same, by where; empty when all agree."""
    seen = views(place, daemon)
    held = sum(len(node.subscriptions) for node in place.around.e2term.nodes.values())
    found: dict[str, object] = {}
    if seen["nodes"] != seen["list"] or held != len(seen["nodes"]):
        found["node or list"] = _unlike(seen["nodes"], seen["list"])
    if seen["routes"] != seen["list's endpoints"]:
        unlike = _unlike(seen["routes"], seen["list's endpoints"])
        found["route or list"] = unlike
        found["told of the first"] = [
            (entry["event"], entry["method"], entry["endpoints"], entry.get("status"), round(entry["time"], 2))
            for entry in place.around.rtmgr.log.entries()
            if entry.get("instance") == min(unlike)
        ][-20:]
    found |= {name: moved for name in BUGS if (moved := daemon.metric(name))}
    if "redis" in place.has:
        found |= _stored(place, daemon, seen["list"])
    return found


def _stored(place: Place, daemon: Daemon, listed: dict[int, Any]) -> dict[str, object]:
    stored = place.aside(daemon.stored)
    found: dict[str, object] = {}
    records = {int(key): record["Meid"]["RanName"] for key, record in stored["submgr_e2SubsDb"].items()}
    if records != listed:
        found["record or list"] = _unlike(records, listed)
    rests = daemon.rests()
    if stored["submgr_restSubsDb"].keys() != rests.keys():
        found["REST records"] = sorted(stored["submgr_restSubsDb"].keys() ^ rests.keys())
    # an id whose delete alone was not answered is free again, to be used last
    removals = {each["InstanceId"] for each in stored["submgr_removalsDb"].values() if each["Routes"]}
    in_use = daemon.metric("submgr_instance_ids_in_use")
    if in_use != len(listed.keys() | removals):
        found["ids in use"] = (in_use, sorted(listed), sorted(removals))
    return found


def _unlike(one: dict[int, Any], other: dict[int, Any]) -> dict[int, Any]:
    return {key: (one.get(key), other.get(key)) for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def all_agree(place: Place) -> None:
    """Waits for it. Deletes that a node never answered are sent once more when the node is told to be connected.

    The first word of that may come while the daemon looks for its database.
    """
    for last in (False, False, True):
        place.tell_rnib()
        try:
            place.until(lambda: differences(place, place.now()), "node = routes = records = list", HEALED / 3)
            break
        except AssertionError:
            if last:
                raise


def busy(place: Place) -> float:
    """Procedures and notifications under way."""
    daemon = place.now()
    under_way = ("submgr_procedures_in_flight", "submgr_node_queue_depth", "submgr_notifications_waiting")
    return sum(daemon.metric(name) for name in under_way)


def not_subscribed(place: Place, xapps: Iterable[Client]) -> list[str]:
    """REST subscriptions of which a detail is not subscribed, in words."""
    rests = place.rests()
    missing = []
    for xapp in xapps:
        rest = rests.get(str(xapp.subscription_id))
        wanted = len(xapp.body["SubscriptionDetails"])
        if rest is None or len(rest["InstanceIds"]) != wanted or rest["SubReqOngoing"]:
            last = place.around.xapp.instances(str(xapp.subscription_id))[-wanted:]
            missing.append(
                f"{xapp.subscription_id}: {rest} instead of {wanted} details, told {last}, {xapp.history[-3:]}"
            )
    return missing


class Told:
    """The notifications that the xApps took in one storm, and whether these are as many as they must be."""

    def __init__(self, place: Place, xapps: Iterable[Client]) -> None:
        self._place = place
        self._xapps = list(xapps)
        place.around.xapp.notifications.clear()
        place.around.xapp.delivered.clear()
        place.around.xapp.answers.clear()
        for xapp in self._xapps:
            xapp.begin()
            xapp.until_told = self.wait if xapp.keeps else None

    def wait(self, xapp: Client) -> bool:
        """Until each request of it that was accepted has been told, detail by detail."""
        with gevent.Timeout(PATIENCE, False):
            while not xapp.stop:
                wanted = xapp.accepted[str(xapp.subscription_id)] * len(xapp.body["SubscriptionDetails"])
                if len(self._place.around.xapp.instances(xapp.subscription_id)) >= wanted:
                    return True
                gevent.sleep(0.05)
        return False

    def failures(self, subscription_id: str | None) -> int:
        """How often this one was told that something of it is not, or no longer, subscribed."""
        instances = self._place.around.xapp.instances(subscription_id)
        return sum(not each["E2EventInstanceId"] for each in instances)

    def check(self, once: bool) -> None:
        """Each detail of a request is told: exactly once, or at least once when nobody knows what was heard.

        A POST whose answer was lost may have been taken, or not. One that comes while the same is under way is nothing
        of its own. A subscription that ended is told beside it.
        """
        for xapp in self._xapps:
            subscription_id, unheard = str(xapp.subscription_id), xapp.unheard
            asked = xapp.accepted[subscription_id]
            instances = self._place.around.xapp.instances(subscription_id)
            told = [
                (round(entry["time"], 3), entry["body"]["SubscriptionInstances"])
                for entry in self._place.around.xapp.log.entries(event="received")
                if entry["body"]["SubscriptionId"] == subscription_id
            ]
            successes = Counter(each["XappEventInstanceId"] for each in instances if each["E2EventInstanceId"])
            counts = Counter(each["XappEventInstanceId"] for each in instances)
            for wanted in xapp.body["SubscriptionDetails"]:
                number = wanted["XappEventInstanceId"]
                said = f"{subscription_id}, detail {number}: {asked} + {unheard} requests {xapp.history}, told {told}"
                assert successes[number] >= 1, said
                if once:
                    assert asked <= counts[number] or not xapp.until_told or not xapp.patient, said
                    assert successes[number] <= asked + unheard, said
        if once:
            answers = Counter(answer.xid for answer in self._place.around.xapp.answers)
            assert not [xid for xid, count in answers.items() if count > 1], "an RMR request answered twice"


def only_one_sent(place: Place) -> None:
    """Whoever was followed by another one sends nothing any more, to E2 nodes or to the Routing Manager.

    A process that sent, then another one, then the first one again: it must have been started anew in between.
    """
    sources = {source_of(each): each for each in place.daemons}
    frames = [(entry["time"], entry["source"]) for entry in place.around.e2term.log.entries(event="received")]
    ports = {str(number): source_of(each) for number, each in enumerate(place.daemons)}
    calls = [
        (entry["time"], ports[entry["path"].split("/")[1]])
        for entry in place.around.rtmgr.log.entries(event="received")
    ]
    for sent in (frames, calls):
        last: dict[str, float] = {}
        before = ""
        for at, source in sent:
            if source in sources and source != before and source in last:
                anew = [start for start in place.starts[source] if last[source] < start < at]
                assert anew, f"{source} sent at {last[source]:.3f}, {before} then, and {source} again at {at:.3f}"
            last[source], before = at, source
