# SPDX-License-Identifier: Apache-2.0
"""Reads the body of a subscription request that has no mistake and spells every name as the interface does.

Nearly all are such: msgspec parses and checks one in a single pass, which takes a tenth of the time that
`submgr/rest/schemas.py` takes to look at each field by itself. Whatever is not plain, be it a mistake, another spelling
or an integer that is no octet, is not told here: `schemas` reads the body from its beginning and knows the words.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from submgr.core.model import MAX_MEID_BYTES, ClientEndpoint, Content, Detail, Directives, SubscribeRequest
from submgr.e2ap.messages import Action, ActionType, SubsequentAction, SubsequentActionType, TimeToWait
from submgr.platform.http.json_body import MOST_NAMES
from submgr.platform.printable import has_controls

ACTION_TYPES = {name: ActionType[name.upper()] for name in ("insert", "policy", "report")}
SUBSEQUENT_TYPES = {kind.name.lower(): kind for kind in SubsequentActionType}
TIMES_TO_WAIT = {time.name.lower(): time for time in TimeToWait}
HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\]")

_U8 = Annotated[int, Meta(ge=0, le=255)]
_U12 = Annotated[int, Meta(ge=0, le=4095)]
_U16 = Annotated[int, Meta(ge=0, le=65535)]
_Text = Annotated[str, Meta(min_length=1)]
_Octets = list[_U8]


class _Plain(Struct, forbid_unknown_fields=True):
    """An object with the canonical names only: an unknown name may be another spelling of a known one."""


class _Endpoint(_Plain):
    Host: _Text
    HTTPPort: Annotated[int, Meta(ge=1, le=65535)]
    RMRPort: _U16 | None = None


class _Directives(_Plain):
    E2TimeoutTimerValue: Annotated[int, Meta(ge=1, le=10)] | None = None
    E2RetryCount: Annotated[int, Meta(ge=0, le=10)] | None = None
    RMRRoutingNeeded: bool | None = None


class _Subsequent(_Plain):
    SubsequentActionType: str
    TimeToWait: str


class _Action(_Plain):
    ActionID: _U8
    ActionType: Literal["insert", "policy", "report"]
    ActionDefinition: _Octets | None = None
    SubsequentAction: _Subsequent | None = None


class _Detail(_Plain):
    XappEventInstanceId: _U16
    EventTriggers: _Octets
    ActionToBeSetupList: Annotated[list[_Action], Meta(min_length=1)]


class _Request(_Plain):
    ClientEndpoint: _Endpoint
    Meid: _Text
    RANFunctionID: _U12
    SubscriptionDetails: Annotated[list[_Detail], Meta(min_length=1)]
    SubscriptionId: str | None = None
    E2SubscriptionDirectives: _Directives | None = None


_decode = msgspec.json.Decoder(_Request).decode


def read_plain(body: bytes) -> SubscribeRequest | None:
    """The request in `body`; None when it is not plain, or so large that others must have their turn meanwhile."""
    if len(body) > MOST_NAMES:
        return None
    try:
        form = _decode(body)
        details = _details(form.RANFunctionID, form.SubscriptionDetails)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        return None
    directives, endpoint = _directives(form.E2SubscriptionDirectives), form.ClientEndpoint
    meid, rmr_port = form.Meid, endpoint.RMRPort or 0
    if (
        details is None
        or not (rmr_port or (directives is not None and not directives.routing))
        or not HOST.fullmatch(endpoint.Host)
        or len(meid.encode()) > MAX_MEID_BYTES
        or has_controls(meid)
    ):
        return None
    client = ClientEndpoint(endpoint.Host, endpoint.HTTPPort, rmr_port)
    return SubscribeRequest(client, meid, form.RANFunctionID, details, directives, form.SubscriptionId or None, 0)


def _details(function_id: int, forms: list[_Detail]) -> tuple[Detail, ...] | None:
    """None when two have the same XappEventInstanceId, or the actions of one do not go together. Raises KeyError as
    `_actions`."""
    details = []
    for form in forms:
        actions = _actions(form.ActionToBeSetupList)
        if actions is None:
            return None
        details.append(Detail(form.XappEventInstanceId, Content(function_id, bytes(form.EventTriggers), actions)))
    if len(forms) > 1 and len({form.XappEventInstanceId for form in forms}) < len(forms):
        return None
    return tuple(details)


def _directives(form: _Directives | None) -> Directives | None:
    if form is None:
        return None
    timeout, retries = form.E2TimeoutTimerValue, form.E2RetryCount
    return Directives(
        timeout=None if timeout is None else float(timeout),
        tries=None if retries is None else retries + 1,
        routing=form.RMRRoutingNeeded is True,
    )


def _actions(forms: list[_Action]) -> tuple[Action, ...] | None:
    """The actions of a detail; None when they have different types or share an id. Raises KeyError for a word that is
    none of SubsequentAction."""
    if len(forms) == 1:
        return (_action(forms[0]),)
    if len({form.ActionType for form in forms}) > 1 or len({form.ActionID for form in forms}) < len(forms):
        return None
    return tuple([_action(form) for form in forms])


def _action(form: _Action) -> Action:
    definition, subsequent = form.ActionDefinition, form.SubsequentAction
    return Action(
        form.ActionID,
        ACTION_TYPES[form.ActionType],
        None if definition is None else bytes(definition),
        None
        if subsequent is None
        else SubsequentAction(SUBSEQUENT_TYPES[subsequent.SubsequentActionType], TIMES_TO_WAIT[subsequent.TimeToWait]),
    )
