# SPDX-License-Identifier: Apache-2.0
"""The REST interface for xApps: subscribe, unsubscribe, query ("RIC subscription" 0.0.4)."""

from __future__ import annotations

import logging
import math
from functools import partial

from flask import Response, request
from msgspec.structs import replace

from submgr.core.errors import NodeDownError
from submgr.core.model import SubscribeRequest
from submgr.platform.http.app import ApiError, JsonApp, after_sent, json_bytes, json_response
from submgr.platform.http.callbacks import refuse_callbacks
from submgr.platform.http.changes import refuse_foreign_origins
from submgr.platform.http.json_body import take_turn
from submgr.platform.http.peer import certificate_name
from submgr.platform.http.shared_answers import SharedAnswers
from submgr.platform.sparse_log import Sparsely
from submgr.rest.errors import answer_only_if, answer_refusals, refusal, report_internal_errors
from submgr.rest.hot_routes import HotRoutes, raise_if_failed
from submgr.rest.openapi import add_xapp_document
from submgr.rest.schemas import parse_subscribe
from submgr.rest.use_cases import Count, InternalError, Subscriptions, XappOptions
from submgr.rest.views import accepted_view, encode_e2_subscriptions

log = logging.getLogger(__name__)


# The stock Python client POSTs to the address that it was given, and appends `/subscriptions` for all other requests.
_SUBSCRIBE_ONLY = ("/", "/ric/v1")
_SUBSCRIPTIONS = (
    "/ric/v1/subscriptions",
    "/ric/v1/subscriptions/subscriptions",
    "/subscriptions",
    "/subscriptions/subscriptions",
)


def xapp_app(
    subscriptions: Subscriptions, count: Count, internal_error: InternalError, options: XappOptions | None = None
) -> JsonApp:
    """The WSGI application of the xApp interface. It calls `count` with the names of the user guide's counters."""
    options = options or XappOptions()
    parse = partial(parse_subscribe, strict_octets=options.strict_octets, refusal=options.refusal)
    lists: SharedAnswers[bytes] = SharedAnswers()
    folding = Sparsely(log, interval=math.inf)
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

    def parsed(body: bytes) -> SubscribeRequest:
        asked = parse(body)
        if asked.folded_octets:
            options.count_folded_octets(asked.folded_octets)
            _tell_of_folded_octets(folding, asked)
        return asked

    def subscribe() -> Response:
        raise_if_failed()
        take_turn(request.content_length)
        accepted = subscriptions.subscribe(replace(parsed(request.get_data(cache=False)), owner=owner()))
        answer = json_response(accepted_view(accepted.subscription_id), 201)
        return after_sent(answer, accepted.start)

    def listed(name: str | None) -> bytes:
        only = partial(subscriptions.owns, name) if name is not None else None
        return encode_e2_subscriptions(subscriptions.e2_subscriptions(), options.show_ids, only)

    def query() -> Response:
        name = owner()
        return json_bytes(lists.get(partial(listed, name), name or ""))

    def unsubscribe(subscription_id: str) -> Response:
        raise_if_failed()
        subscriptions.unsubscribe(subscription_id, owner())
        return Response(status=204)

    for path in (*_SUBSCRIBE_ONLY, *_SUBSCRIPTIONS):
        app.add_url_rule(path, "subscribe", subscribe, methods=["POST"])
    for path in _SUBSCRIPTIONS:
        app.add_url_rule(path, "query", query, methods=["GET"])
        app.add_url_rule(f"{path}/<subscription_id>", "unsubscribe", unsubscribe, methods=["DELETE"])
    add_xapp_document(app)
    report_internal_errors(app, internal_error)
    app.after_request(lambda answer: _counted(answer, count))
    if options.permit is not None:
        answer_only_if(app, options.permit)
    if not options.ownership:
        app.wsgi_app = HotRoutes(app.wsgi_app, parsed, subscriptions, count, options.permit)  # type: ignore[method-assign]
    return app


def _tell_of_folded_octets(folding: Sparsely, asked: SubscribeRequest) -> None:
    """Logs it once for each xApp: it does so in all its requests."""
    folding.log(
        logging.WARNING,
        asked.endpoint.http,
        f"xApp {asked.endpoint.http} sends numbers that are no octets (0 to 255); the low octet of each is taken",
        octets=asked.folded_octets,
        meid=asked.meid,
    )


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
