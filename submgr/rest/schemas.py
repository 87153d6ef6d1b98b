# SPDX-License-Identifier: Apache-2.0
"""Reads the JSON body of a subscription request into the model, and tells all its mistakes at once.

The body is read field by field: a schema library stops at the first mistake, or knows one spelling of each key only
(see `json_fields`). Whether the E2 node can fulfil the request now is checked by the service.

The body is a SubscriptionParams of the "RIC subscription" interface 0.0.4.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from submgr.core.errors import FieldError, RefusedError
from submgr.core.model import MAX_MEID_BYTES, ClientEndpoint, Content, Detail, Directives, SubscribeRequest
from submgr.e2ap.messages import Action, ActionType, SubsequentAction
from submgr.platform.http.json_body import NotJson, describe, read_json
from submgr.platform.http.json_fields import Dialect, Fields, Mistakes, Spelling, truth
from submgr.platform.printable import has_controls
from submgr.rest.plain_request import ACTION_TYPES, HOST, SUBSEQUENT_TYPES, TIMES_TO_WAIT, read_plain
from submgr.rest.values import Octets, integer, objects, one_of, string

REQUEST = Spelling(
    "SubscriptionId",
    "ClientEndpoint",
    "Meid",
    "RANFunctionID",
    "E2SubscriptionDirectives",
    "SubscriptionDetails",
)
ENDPOINT = Spelling("Host", "HTTPPort", "RMRPort")
DIRECTIVES = Spelling("E2TimeoutTimerValue", "E2RetryCount", "RMRRoutingNeeded")
DETAIL = Spelling("XappEventInstanceId", "EventTriggers", "ActionToBeSetupList")
ACTION = Spelling("ActionID", "ActionType", "ActionDefinition", "SubsequentAction")
SUBSEQUENT = Spelling("SubsequentActionType", "TimeToWait")

FUNCTION = integer(0, 4095)
INSTANCE = integer(0, 65535)
ACTION_ID = integer(0, 255)
ACTION_TYPE = one_of(ACTION_TYPES)
SUBSEQUENT_TYPE = one_of(SUBSEQUENT_TYPES)
TIME_TO_WAIT = one_of(TIMES_TO_WAIT)
TIMEOUT = integer(1, 10)
RETRIES = integer(0, 10)
PORT = integer(0, 65535)

_DIALECT = Dialect(shows_values=True)

Refusal = Callable[[str, int], str | None]
"""Says why no xApp may be notified at a host and a port, None when it may."""


def _open(host: str, port: int) -> str | None:
    return None


def parse_subscribe(body: bytes, *, strict_octets: bool = False, refusal: Refusal = _open) -> SubscribeRequest:
    """The request in `body`. Raises RefusedError 400 that names every wrong field by its path. Takes turns.

    `strict_octets`: an integer that is no octet is a mistake. Otherwise its low octet counts.
    """
    plain = read_plain(body)
    if plain is not None and refusal(plain.endpoint.host, plain.endpoint.http_port) is None:
        return plain
    return parse_field_by_field(body, strict_octets=strict_octets, refusal=refusal)


def parse_field_by_field(body: bytes, *, strict_octets: bool = False, refusal: Refusal = _open) -> SubscribeRequest:
    """As `parse_subscribe`, whatever the body has."""
    try:
        return _request(_json_object(body), Octets(strict=strict_octets), refusal)
    except RecursionError:
        raise RefusedError(400, "The body is nested too deeply") from None


def _json_object(body: bytes) -> dict[str, object]:
    try:
        value = read_json(body)
    except NotJson as error:
        raise RefusedError(400, f"The body {error}") from None
    if not isinstance(value, dict):
        raise RefusedError(400, f"The body must be a JSON object, not {describe(value)}")
    return value


def _request(values: dict[str, object], octets: Octets, refusal: Refusal) -> SubscribeRequest:
    mistakes = Mistakes(_DIALECT)
    fields = Fields(REQUEST.canonical(values, "", mistakes), "", mistakes)
    subscription_id = fields.take("SubscriptionId", string, None) or None
    directives = _directives(fields)
    endpoint = _endpoint(fields, directives.route, refusal)
    meid = _meid(fields)
    function = fields.need("RANFunctionID", FUNCTION, None)
    details = _details(fields, function or 0, octets)
    if mistakes or endpoint is None or meid is None or function is None:
        raise _refusal(mistakes)
    return SubscribeRequest(endpoint, meid, function, details, directives.value, subscription_id, octets.folded)


def _refusal(mistakes: Mistakes) -> RefusedError:
    """The 400 that tells all mistakes."""
    first, others = mistakes.found[0], len(mistakes.found) - 1
    more = f" (and {others} more mistake{'s' if others > 1 else ''})" if others else ""
    errors = tuple(FieldError(mistake.field, mistake.message) for mistake in mistakes.found)
    return RefusedError(400, f"{first.field} {first.message}{more}", errors)


class _Directives(Struct, frozen=True):
    value: Directives | None
    route: bool
    """Whether the xApp surely wants a route; False when the directives cannot be read."""


def _directives(request: Fields) -> _Directives:
    """No directives at all mean all defaults and a route; directives without RMRRoutingNeeded mean no route."""
    if request.present("E2SubscriptionDirectives") is None:
        return _Directives(None, route=True)
    fields = request.child("E2SubscriptionDirectives", DIRECTIVES)
    if fields is None:
        return _Directives(None, route=False)
    timeout = fields.take("E2TimeoutTimerValue", TIMEOUT, None)
    retries = fields.take("E2RetryCount", RETRIES, None)
    routing = fields.take("RMRRoutingNeeded", truth, False)
    value = Directives(
        timeout=None if timeout is None else float(timeout),
        tries=None if retries is None else retries + 1,
        routing=routing,
    )
    return _Directives(value, route=routing)


def _endpoint(request: Fields, route: bool, refusal: Refusal) -> ClientEndpoint | None:
    fields = request.child("ClientEndpoint", ENDPOINT, required=True)
    if fields is None:
        return None
    host = _host(fields)
    http_port = _port(fields, "HTTPPort", needed="notifications are sent to it")
    rmr_port = _port(fields, "RMRPort", needed="indications are routed to it" if route else None)
    if host is not None and http_port is not None and (why := refusal(host, http_port)) is not None:
        fields.wrong("Host", f"must not be {describe(host)}: {why}")
        return None
    if host is None or http_port is None or rmr_port is None:
        return None
    return ClientEndpoint(host, http_port, rmr_port)


def _host(fields: Fields) -> str | None:
    host = fields.need("Host", string, None)
    if host is None or HOST.fullmatch(host):
        return host
    if not host:
        fields.wrong("Host", "must not be empty")
    elif "://" in host or "/" in host:
        fields.wrong("Host", f"must be a host name or an address without scheme and path, not {describe(host)}")
    elif ":" in host:
        fields.wrong(
            "Host", f"must not contain a port, and an IPv6 address must stand in brackets; it is {describe(host)}"
        )
    else:
        fields.wrong("Host", f"must be a host name or an address, not {describe(host)}")
    return None


def _port(fields: Fields, key: str, needed: str | None) -> int | None:
    """The port; 0 when it is absent. `needed` says what the port is needed for: then 0 is a mistake."""
    absent = fields.present(key) is None
    port = 0 if absent else fields.need(key, PORT, None)
    if port == 0 and needed:
        fields.wrong(key, f"{'is required' if absent else 'must not be 0'}: {needed}")
        return None
    return port


def _meid(request: Fields) -> str | None:
    meid = request.need("Meid", string, None)
    if meid is None:
        return None
    size = len(meid.encode(errors="replace"))
    if not meid:
        request.wrong("Meid", "must not be empty")
    elif size > MAX_MEID_BYTES:
        request.wrong("Meid", f"must not be longer than {MAX_MEID_BYTES} bytes; it has {size}")
    elif has_controls(meid):
        request.wrong("Meid", "must not contain control characters")
    else:
        return meid
    return None


def _details(request: Fields, function: int, octets: Octets) -> tuple[Detail, ...]:
    """The valid details; each of the others has left a mistake."""
    details: list[Detail] = []
    first_use: dict[int, int] = {}
    for index, fields in request.children("SubscriptionDetails", objects, DETAIL, required=True):
        instance = fields.need("XappEventInstanceId", INSTANCE, None)
        trigger = octets.read(fields, "EventTriggers", required=True)
        actions = _actions(fields, octets)
        if instance is None:
            continue
        earlier = first_use.setdefault(instance, index)
        if earlier != index:
            fields.wrong("XappEventInstanceId", f"{instance} is that of SubscriptionDetails[{earlier}] already")
        if trigger is not None and actions:
            details.append(Detail(instance, Content(function, trigger, actions)))
    return tuple(details)


def _actions(detail: Fields, octets: Octets) -> tuple[Action, ...]:
    """The valid actions; each of the others has left a mistake.

    E2AP cannot encode more than 16 actions; the xApp hears of it in the notification.
    """
    actions: list[Action] = []
    first_use: dict[int, int] = {}
    common_type: ActionType | None = None
    for index, fields in detail.children("ActionToBeSetupList", objects, ACTION, required=True):
        action_id = fields.need("ActionID", ACTION_ID, None)
        action_type = fields.need("ActionType", ACTION_TYPE, None)
        definition = octets.read(fields, "ActionDefinition")
        subsequent = _subsequent(fields)
        if action_id is not None and (earlier := first_use.setdefault(action_id, index)) != index:
            fields.wrong("ActionID", f"{action_id} is that of ActionToBeSetupList[{earlier}] already")
        if action_type is not None:
            common_type = action_type if common_type is None else common_type
            if action_type is not common_type:
                fields.wrong(
                    "ActionType",
                    f"is {action_type.name.lower()} among {common_type.name.lower()}: "
                    "the actions of one detail must have one type",
                )
        if action_id is not None and action_type is not None:
            actions.append(Action(action_id, action_type, definition, subsequent))
    return tuple(actions)


def _subsequent(action: Fields) -> SubsequentAction | None:
    fields = action.child("SubsequentAction", SUBSEQUENT)
    if fields is None:
        return None
    kind = fields.need("SubsequentActionType", SUBSEQUENT_TYPE, None)
    time_to_wait = fields.need("TimeToWait", TIME_TO_WAIT, None)
    return None if kind is None or time_to_wait is None else SubsequentAction(kind, time_to_wait)
