# SPDX-License-Identifier: Apache-2.0
"""The platform REST interface: health, metrics, configuration, queries and debug requests (user guide)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from flask import Response, request

from submgr.backup import LARGEST_IMPORT
from submgr.platform.http.app import ApiError, JsonApp, after_sent, from_plain, json_bytes, json_response
from submgr.platform.http.callbacks import refuse_callbacks
from submgr.platform.http.changes import audit_changes, refuse_foreign_origins
from submgr.platform.http.plain_answers import PlainAnswer
from submgr.platform.http.shared_answers import SharedAnswers
from submgr.rest.console_files import console_file
from submgr.rest.contents import Contents
from submgr.rest.daily_routes import daily_routes
from submgr.rest.edge_overviews import edge_routes
from submgr.rest.errors import answer_refusals, report_internal_errors
from submgr.rest.events import Events
from submgr.rest.openapi import add_platform_documents
from submgr.rest.overview import Overviews
from submgr.rest.routes import Routes
from submgr.rest.symptomdata import Symptoms
from submgr.rest.use_cases import InternalError, Looks, Operations, Subscriptions
from submgr.rest.views import (
    difference_view,
    encode_list,
    encode_rest_subscriptions,
    import_view,
    in_order,
    orphan_view,
)
from submgr.rest.write_access import require_write

_BASE = "/ric/v1"


def platform_app(
    subscriptions: Subscriptions,
    operations: Operations,
    looks: Looks,
    internal_error: InternalError,
    origins: Iterable[str] = (),
    daily: Mapping[str, Callable[[], PlainAnswer]] | None = None,
) -> JsonApp:
    """The WSGI application of the platform interface. `origins`: see `refuse_foreign_origins`.

    `daily`: the `daily_routes` of the same subscriptions, where somebody answers them before.
    """
    app = JsonApp("submgr.rest.platform", max_body=LARGEST_IMPORT)
    refuse_foreign_origins(app, origins)
    audit_changes(app)
    app.before_request(refuse_callbacks)
    answer_refusals(app)
    report_internal_errors(app, internal_error)
    contents = Contents(operations.functions)
    in_words = _InWords(subscriptions, operations, contents)
    events = Events(looks.journal, lambda facts: contents.words(facts.meid, facts.content) if facts.content else "")
    overviews = Overviews(looks.overview, looks.status, events, contents)
    for path, view in (
        [(path, _flask_view(plain)) for path, plain in (daily or daily_routes(subscriptions, operations)).items()]
        + [(f"{_BASE}/config", lambda: json_response(operations.config()))]
        + [(path, console_file) for path in ("/", "/console", "/console/<path:name>")]
        + _Queries(subscriptions, operations).routes()
        + in_words.routes()
        + [(f"{_BASE}/events", events.answer), (f"{_BASE}/routes", Routes(looks.routes).answer)]
        + overviews.routes()
        + edge_routes(operations.edge)
    ):
        app.add_url_rule(path, path, view, methods=["GET"])
    for method, path, change in _Changes(subscriptions, operations).routes():
        app.add_url_rule(path, f"{method} {path}", _guarded(change, operations), methods=[method])
    symptoms = Symptoms(subscriptions, operations, contents, events, overviews)
    app.add_url_rule(f"{_BASE}/symptomdata", "symptomdata", symptoms.answer, methods=["GET"])
    add_platform_documents(app)
    return app


View = Callable[..., Response]


def _flask_view(view: Callable[[], PlainAnswer]) -> View:
    return lambda: from_plain(view())


def _guarded(view: View, operations: Operations) -> View:
    def guarded(**arguments: str) -> Response:
        require_write(operations.debug_write)
        return view(**arguments)

    return guarded


class _Queries:
    """Lists of subscriptions: all, by E2 node, by xApp and by REST subscription, and those whose xApp is gone."""

    def __init__(self, subscriptions: Subscriptions, operations: Operations) -> None:
        self._subscriptions = subscriptions
        self._record_json = operations.record_json
        self._orphans = operations.orphans
        self._reconcile = operations.reconcile
        self._lines = operations.export
        self._parts: SharedAnswers[bytes] = SharedAnswers()

    def routes(self) -> list[tuple[str, View]]:
        return [
            (
                f"{_BASE}/restsubscriptions",
                _shared(lambda: encode_rest_subscriptions(self._subscriptions.rest_subscriptions())),
            ),
            (f"{_BASE}/get_all_e2nodes", self._nodes),
            (f"{_BASE}/get_e2node_rest_subscriptions/<path:meid>", self._of_node),
            (f"{_BASE}/get_all_xapps", self._xapps),
            (f"{_BASE}/get_xapp_rest_restsubscriptions/<path:host>", self._of_xapp),
            (f"{_BASE}/get_e2subscriptions/<subscription_id>", self._of_rest_subscription),
            (f"{_BASE}/reconcile", _shared(lambda: encode_list(self._reconcile(False), difference_view))),
            (f"{_BASE}/export", self._export),
            (f"{_BASE}/orphans", _shared(lambda: encode_list(self._orphans(), orphan_view))),
        ]

    def _export(self) -> Response:
        headers = {"Content-Disposition": 'attachment; filename="submgr.jsonl"'}
        return Response(self._lines(), content_type="application/x-ndjson", headers=headers)

    def _nodes(self) -> Response:
        return json_response(sorted(self._subscriptions.connected_nodes()))

    def _of_node(self, meid: str) -> Response:
        return self._part(f"of E2 node {meid}", meid=meid)

    def _xapps(self) -> Response:
        return json_response(self._subscriptions.xapps())

    def _of_xapp(self, host: str) -> Response:
        return self._part(f"of xApp {host}", host=host)

    def _part(self, name: str, **wanted: str) -> Response:
        return json_bytes(
            self._parts.get(lambda: encode_rest_subscriptions(self._subscriptions.rest_subscriptions(**wanted)), name)
        )

    def _of_rest_subscription(self, subscription_id: str) -> Response:
        records = self._subscriptions.e2_subscriptions_of(subscription_id)
        if records is None:
            raise ApiError(404, f"there is no REST subscription {subscription_id}")
        return json_bytes(encode_list(in_order(records), self._record_json))


def _shared(make: Callable[[], bytes]) -> View:
    """Answers with a list that is made once for all who ask for it at the same time."""
    lists: SharedAnswers[bytes] = SharedAnswers()
    return lambda: json_bytes(lists.get(make))


class _InWords:
    """What is subscribed and what nodes offer, in words."""

    def __init__(self, subscriptions: Subscriptions, operations: Operations, contents: Contents) -> None:
        self._subscriptions = subscriptions
        self._knows_node = operations.knows_node
        self._contents = contents

    def routes(self) -> list[tuple[str, View]]:
        return [
            (f"{_BASE}/contents", _shared(self._all)),
            (f"{_BASE}/contents/<int:instance_id>", self._one),
            (f"{_BASE}/nodes/<path:name>/functions", self._functions),
        ]

    def _all(self) -> bytes:
        return encode_list(self._contents.lines(self._subscriptions.e2_subscriptions()), dict)

    def _one(self, instance_id: int) -> Response:
        record = self._subscriptions.e2_subscription(instance_id)
        if record is None:
            raise ApiError(404, f"there is no E2 subscription {instance_id}")
        return json_response(self._contents.whole(record))

    def _functions(self, name: str) -> Response:
        if not self._knows_node(name):
            raise ApiError(404, f"there is no E2 node {name}")
        return json_bytes(encode_list(self._contents.functions(name), dict))


class _Changes:
    """Requests that change something. Whether the sender may do so has been checked before."""

    def __init__(self, subscriptions: Subscriptions, operations: Operations) -> None:
        self._subscriptions = subscriptions
        self._reconcile = operations.reconcile
        self._import_ = operations.import_

    def routes(self) -> list[tuple[str, str, View]]:
        return [
            ("POST", f"{_BASE}/reconcile", lambda: json_bytes(encode_list(self._reconcile(True), difference_view))),
            ("DELETE", f"{_BASE}/subscriptions/<subscription_id>", self._delete),
            ("DELETE", f"{_BASE}/delete_all_e2node_subscriptions/<path:meid>", self._delete_of_node),
            ("DELETE", f"{_BASE}/delete_all_xapp_subscriptions/<path:host>", self._delete_of_xapp),
            ("POST", f"{_BASE}/import", self._import),
            ("POST", f"{_BASE}/test/deletesubid=<number>", self._remove_record),
            ("POST", f"{_BASE}/test/emptydb", self._empty_database),
            ("POST", f"{_BASE}/test/restart", self._restart),
        ]

    def _import(self) -> Response:
        dry_run = _flag("dryRun")
        imported = self._import_(request.get_data(), dry_run, _flag("skipUnreadable"))
        answer = json_response(import_view(imported, restarting=not dry_run))
        return answer if dry_run else after_sent(answer, self._subscriptions.restart)

    def _delete(self, subscription_id: str) -> Response:
        if not self._subscriptions.delete_subscription(subscription_id):
            raise ApiError(404, f"there is no REST subscription {subscription_id}")
        return _done(f"the subscription {subscription_id} is being deleted")

    def _delete_of_node(self, meid: str) -> Response:
        if not self._subscriptions.delete_node_subscriptions(meid):
            raise ApiError(404, f"there is no E2 node {meid}")
        return _done(f"the subscriptions of {meid} are being deleted")

    def _delete_of_xapp(self, host: str) -> Response:
        if not self._subscriptions.delete_xapp_subscriptions(host):
            raise ApiError(404, f"there is no xApp {host}")
        return _done(f"the subscriptions of {host} are being deleted")

    def _remove_record(self, number: str) -> Response:
        if not number.isascii() or not number.isdigit() or not 1 <= int(number[:6]) <= 65535:
            raise ApiError(400, f"{number[:40]!r} is not an E2 instance id, an integer from 1 to 65535")
        if not self._subscriptions.remove_record(int(number)):
            raise ApiError(404, f"there is no record of an E2 subscription {number} in the database")
        return _done(f"the record of E2 subscription {number} is removed from the database")

    def _empty_database(self) -> Response:
        self._subscriptions.empty_database()
        return _done("all records are removed from the database")

    def _restart(self) -> Response:
        return after_sent(_done("restarting"), self._subscriptions.restart)


def _flag(name: str) -> bool:
    """A parameter of the query, false when it is not there. Raises ApiError 400 for what is neither true nor false."""
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        raise ApiError(400, f"{name} is {text[:40]!r}, it can be true or false")
    return text == "true"


def _done(message: str) -> Response:
    return json_response({"message": message})
