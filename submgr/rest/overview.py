# SPDX-License-Identifier: Apache-2.0
"""GET /ric/v1/overview…: how the process is, what is subscribed where, and how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from flask import Response, request

from submgr.adapters.journal.entries import Entry
from submgr.adapters.journal.outcomes import Trace
from submgr.overview.overview import Overview
from submgr.overview.values import SORTS, DetailRow, Neighbour, NodeLine, Row, Status, Wanted, Whole, XappLine
from submgr.platform.http.app import ApiError, json_bytes, json_response
from submgr.platform.http.shared_answers import SharedAnswers
from submgr.platform.turns import in_turns
from submgr.rest.contents import Contents
from submgr.rest.events import Events
from submgr.rest.parameters import Parameters
from submgr.rest.views import Json, encode_list, moment

_BASE = "/ric/v1/overview"
_STATES = ("pending", "established", "partly", "failed", "deleting")

View = Callable[..., Response]


class Overviews:
    """`status`: how the process is, see `Status`."""

    def __init__(self, overview: Overview, status: Callable[[], Status], events: Events, contents: Contents) -> None:
        self._overview = overview
        self._status = status
        self._events = events
        self._contents = contents
        self._answers: SharedAnswers[bytes] = SharedAnswers()

    def routes(self) -> list[tuple[str, View]]:
        return [
            (_BASE, lambda: self._made("", self.process)),
            (f"{_BASE}/history", lambda: json_response(self._history())),
            (f"{_BASE}/nodes", lambda: self._made("nodes", self._nodes)),
            (f"{_BASE}/xapps", lambda: self._made("xapps", self._xapps)),
            (f"{_BASE}/subscriptions", self._subscriptions),
            (f"{_BASE}/subscriptions/<subscription_id>", self._subscription),
        ]

    def _made(self, name: str, make: Callable[[], bytes]) -> Response:
        """An answer that is made once for all who ask for it at the same time."""
        return json_bytes(self._answers.get(make, name))

    # --- the process

    def process(self) -> bytes:
        """How the process is, and what there is in all."""
        status, census = self._status(), self._overview.census()
        subscribes, deletes, failures = self._overview.rates()
        view = {
            "Name": status.name,
            "Version": status.version,
            "Since": moment(status.since),
            "Ready": status.ready,
            "NotReady": list(status.reasons),
            "Role": "active" if status.active else "standby",
            "Store": {"Kind": status.store.name, "Up": status.store.up, "Words": status.store.words},
            "Routes": {
                "E2Termination": status.endpoints,
                "Records": status.records,
                "Age": None if status.routes_age is None else round(status.routes_age, 1),
            },
            "Neighbours": list(map(_neighbour, status.neighbours)),
            "Counts": {
                "Nodes": len(self._overview.known_nodes()),
                "ConnectedNodes": self._overview.connected_nodes(),
                "XApps": len(census.xapps),
                "RestSubscriptions": census.total.rest,
                "E2Subscriptions": census.total.e2,
                "Established": census.total.established,
                "Pending": census.total.pending,
                "Failed": census.total.failed,
                "Waiting": sum(census.waiting.values()),
            },
            "Rates": {
                "SubscribesPerSecond": round(subscribes, 3),
                "DeletesPerSecond": round(deletes, 3),
                "FailuresPerSecond": round(failures, 3),
            },
            "LoopStallLongestMilliseconds": round(status.longest_stall * 1000, 1),
            "Memory": status.memory,
        }
        return msgspec.json.encode(view)

    def _history(self) -> Json:
        newest, samples = self._overview.history()
        return {
            "Step": 5,
            "Time": moment(newest),
            "Series": {
                "Subscribes": [sample.subscribes for sample in samples],
                "Deletes": [sample.deletes for sample in samples],
                "Failures": [sample.failures for sample in samples],
                "LatencyP50": [_milliseconds(sample.p50) for sample in samples],
                "LatencyP99": [_milliseconds(sample.p99) for sample in samples],
            },
        }

    # --- nodes and xApps

    def _nodes(self) -> bytes:
        return encode_list(self._overview.nodes(), self._node)

    def _node(self, line: NodeLine) -> Json:
        return {
            "Meid": line.meid,
            "State": line.state,
            "Since": None if line.since is None else moment(line.since),
            "E2Subscriptions": line.share.e2,
            "RestSubscriptions": line.share.rest,
            "Pending": line.share.pending,
            "Failed": line.share.failed,
            "Queue": line.waiting,
            "SubscribesPerMinute": line.subscribes,
            "FailuresPerMinute": line.failures,
            "LastFailure": self._event(line.last_failure),
        }

    def _xapps(self) -> bytes:
        return encode_list(self._overview.xapps(), self._xapp)

    def _xapp(self, line: XappLine) -> Json:
        return {
            "XApp": line.host,
            "Endpoints": list(line.share.endpoints),
            "RestSubscriptions": line.share.rest,
            "E2Subscriptions": line.share.e2,
            "Failed": line.share.failed,
            "WaitingNotifications": line.waiting,
            "LastFailure": self._event(line.last_failure),
        }

    def _event(self, entry: Entry | None) -> Json | None:
        return None if entry is None else self._events.view(entry)

    # --- subscriptions

    def _subscriptions(self) -> Response:
        wanted = _wanted()
        return self._made(f"subscriptions?{request.query_string.decode('latin-1')}", lambda: self._rows(wanted))

    def _rows(self, wanted: Wanted) -> bytes:
        total, rows = self._overview.rows(wanted)
        head = msgspec.json.encode({"Total": total, "Offset": wanted.offset})
        return b"".join((head[:-1], b',"Items":', encode_list(rows, _row), b"}"))

    def _subscription(self, subscription_id: str) -> Response:
        whole = self._overview.whole(subscription_id)
        if whole is None:
            raise ApiError(404, f"there is no REST subscription {subscription_id}")
        head = msgspec.json.encode(_row(whole.row) | self._beside_details(whole))
        return json_bytes(b"".join((head[:-1], b',"Details":', encode_list(self._details(whole), dict), b"}")))

    def _beside_details(self, whole: Whole) -> Json:
        return {
            "ClientEndpoint": whole.endpoint,
            "NotificationTarget": whole.target,
            "Owner": whole.owner,
            "Events": self._events.of_subscription(whole.row.subscription_id or ""),
        }

    def outcomes(self) -> bytes:
        """How each detail of each REST subscription ended, as a JSON list."""
        return encode_list(self._overview.wholes(), _outcome)

    def _details(self, whole: Whole) -> Iterator[Json]:
        for detail in in_turns(whole.details):
            view = _detail(detail)
            if detail.content is not None:
                meid = whole.row.meid
                view["Words"] = self._contents.words(meid, detail.content)
                view["Contents"] = self._contents.tree(meid, detail.content)
            else:
                view |= {"Words": "", "Contents": None}
            yield view


def _wanted() -> Wanted:
    parameters = Parameters("offset", "limit", "sort", "q", "node", "xapp", "state", "function")
    sorts = {f"{sign}{name}": (name, bool(sign)) for name in SORTS for sign in ("", "-")}
    sort, descending = parameters.choice("sort", sorts, ("id", False))
    number = parameters.number("function", 0, 4095, -1)
    return Wanted(
        offset=parameters.number("offset", 0, 1_000_000_000, 0),
        limit=parameters.number("limit", 1, 1000, 100),
        sort=sort,
        descending=descending,
        text=(parameters.text("q") or "").lower(),
        meid=parameters.text("node"),
        xapp=parameters.text("xapp"),
        states=parameters.several("state", _STATES),
        ran_function_id=None if number < 0 else number,
    )


def _row(row: Row) -> Json:
    return {
        "SubscriptionId": row.subscription_id,
        "Meid": row.meid,
        "XApp": row.xapp,
        "RANFunctionID": row.ran_function_id,
        "Created": row.created or None,
        "State": row.state,
        "Instances": row.instances,
        "Last": _last(row.trace, row.state),
    }


def _detail(detail: DetailRow) -> Json:
    return {
        "XappEventInstanceId": detail.number,
        "E2EventInstanceId": detail.instance_id,
        "State": detail.state,
        "Last": _last(detail.trace, detail.state),
        "Timeline": _timeline(detail),
    }


def _outcome(whole: Whole) -> Json:
    return _row(whole.row) | {"Details": list(map(_detail, whole.details))}


def _last(trace: Trace | None, state: str) -> Json:
    """How it ended last. Of what was restored at a start it is known that it is subscribed, and no more."""
    if trace is None or (trace.outcome == "pending" and state in ("established", "partly", "failed")):
        # in the second case a request that came later was not accepted
        outcome = {"pending": "pending", "failed": "failed"}.get(state, "succeeded")
        return {"Outcome": outcome, "Cause": "", "Source": "", "Time": None, "Milliseconds": None}
    failure = trace.failure
    return {
        "Outcome": trace.outcome,
        "Cause": failure.cause if failure is not None else "",
        "Source": failure.source.value if failure is not None else "",
        "Time": moment(trace.told) if trace.told else None,
        "Milliseconds": _milliseconds(trace.seconds),
    }


def _timeline(detail: DetailRow) -> list[Json]:
    if detail.trace is None:
        return []
    steps = list(detail.trace.timeline())
    first = steps[0][1] if steps else 0.0
    return [{"Step": name, "Time": moment(when), "Milliseconds": _milliseconds(when - first)} for name, when in steps]


def _neighbour(neighbour: Neighbour) -> Json:
    return {"Name": neighbour.name, "Up": neighbour.up, "Words": neighbour.words}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
