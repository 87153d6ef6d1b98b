# SPDX-License-Identifier: Apache-2.0
"""The REST interface for xApps: subscribe, unsubscribe, query ("RIC subscription" 0.0.4)."""

from __future__ import annotations

from flask import Response, request

from submgr.core.errors import NodeDownError
from submgr.platform.http.app import ApiError, JsonApp, after_sent, from_plain, json_response
from submgr.platform.http.callbacks import refuse_callbacks
from submgr.platform.http.changes import refuse_foreign_origins
from submgr.platform.http.json_body import take_turn
from submgr.platform.http.peer import certificate_name
from submgr.platform.http.shortcut import FAILED
from submgr.rest.errors import answer_only_if, answer_refusals, refusal, report_internal_errors
from submgr.rest.openapi import add_xapp_document
from submgr.rest.use_cases import Count, InternalError, Subscriptions, XappOptions
from submgr.rest.views import accepted_view
from submgr.rest.xapp_requests import SUBSCRIBE_PATHS, SUBSCRIPTION_PATHS, XappRequests


def xapp_app(
    subscriptions: Subscriptions,
    count: Count,
    internal_error: InternalError,
    options: XappOptions | None = None,
    requests: XappRequests | None = None,
) -> JsonApp:
    """The application of the xApp interface. It calls `count` with the names of the user guide's counters.

    `requests`: those of `HotRoutes`, where they stand before the application; they have the options.
    """
    requests = requests or XappRequests(subscriptions, options or XappOptions())
    options = requests.options
    app = JsonApp("submgr.rest.xapp", json_only=True)
    app.before_request(refuse_callbacks)
    answer_refusals(app)
    refuse_foreign_origins(app, options.origins)

    def owner() -> str | None:
        """The name in the client's certificate, where it matters. Raises ApiError 403 for a certificate without one."""
        if not options.ownership:
            return None
        name = certificate_name(request.environ)
        if name is None:
            raise ApiError(403, "the client certificate has neither a common name nor a DNS name (tls.ownership)")
        return name

    def subscribe() -> Response:
        take_turn(request.content_length)
        asked = requests.parsed(request.get_data(cache=False), owner())
        accepted = subscriptions.subscribe(asked)
        answer = json_response(accepted_view(accepted.subscription_id), 201)
        return after_sent(answer, accepted.start)

    def query() -> Response:
        return from_plain(requests.listed(owner()))

    def unsubscribe(subscription_id: str) -> Response:
        subscriptions.unsubscribe(subscription_id, owner())
        return Response(status=204)

    for path in SUBSCRIBE_PATHS:
        app.add_url_rule(path, "subscribe", subscribe, methods=["POST"])
    for path in SUBSCRIPTION_PATHS:
        app.add_url_rule(path, "query", query, methods=["GET"])
        app.add_url_rule(f"{path}/<subscription_id>", "unsubscribe", unsubscribe, methods=["DELETE"])
    add_xapp_document(app)
    report_internal_errors(app, internal_error)
    app.after_request(lambda answer: _counted(answer, count))
    if options.permit is not None:
        answer_only_if(app, options.permit)
    app.before_request(_raise_if_failed)
    return app


def _raise_if_failed() -> None:
    """Raises the error with which the current request has failed before it came to Flask."""
    error = request.environ.get(FAILED)
    if error is not None:
        raise error


def _counted(answer: Response, count: Count) -> Response:
    if request.method == "POST":
        count("RestSubReqFromXapp")
        if answer.status_code < 400:
            count("RestSubRespToXapp")
        else:
            count("RestReqRejDueE2Down" if isinstance(refusal(), NodeDownError) else "RestSubFailToXapp")
    elif request.method == "DELETE":
        count("RestSubDelReqFromXapp")
        count("RestSubDelRespToXapp" if answer.status_code < 400 else "RestSubDelFailToXapp")
    return answer
