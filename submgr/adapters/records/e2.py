# SPDX-License-Identifier: Apache-2.0
"""Encodes E2 subscriptions as stored JSON and decodes them.

Records of the Go implementation can be decoded too. They have neither holders nor routes: both are None then.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Any, cast

import msgspec
from msgspec import UNSET, Raw

from submgr.adapters.records.forms import (
    ActionForm,
    AdmittedForm,
    AdmittedList,
    CauseForm,
    E2Form,
    EndpointList,
    HolderForm,
    MeidForm,
    NotAdmittedForm,
    NotAdmittedList,
    Octets,
    RecordError,
    RequestForm,
    RequestIdForm,
    ResponseForm,
    checked_id,
    checked_meid,
    endpoint_form,
    endpoint_forms,
    endpoint_of,
    endpoints_of,
    read,
)
from submgr.core.model import Content, E2Record, Holder, HolderKey, RestHolder, RmrHolder
from submgr.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    NotAdmitted,
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)

_ANSWERED = "SubResp"
_NOT_ANSWERED = ResponseForm(0, 0, 0, AdmittedList(), NotAdmittedList())
_is_notified = attrgetter("notified")

_LARGEST_REMEMBERED = 8192
"""Bytes of a content that is remembered."""

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(E2Form)


class _TooLarge(Exception):
    """A content that is not remembered."""


def encode_e2(record: E2Record) -> bytes:
    """The JSON of an E2 subscription. Its key in the store is the instance id in decimal."""
    return _encode(_form(record))


def e2_json(record: E2Record) -> dict[str, Any]:
    """The stored JSON of an E2 subscription as plain lists and dicts, for the debug queries of the platform API."""
    form: dict[str, Any] = msgspec.json.decode(encode_e2(record))
    return form


def decode_e2(key: str, data: bytes) -> E2Record:
    """The E2 subscription that is stored under `key`.

    Raises:
        RecordError: the JSON cannot be read, or its instance id is not the key.
    """
    form = read(_decoder, data)
    request = form.SubReqMsg
    trigger = _octets(request.Data, "SubReqMsg.Data")
    admitted, not_admitted = _answer(form)
    return E2Record(
        instance_id=checked_id(key, form.ReqId.InstanceId),
        meid=checked_meid(form.Meid.RanName),
        requestor_id=request.Id,
        xapp_requestor_id=form.ReqId.Id,
        content=Content(request.FunctionId, trigger, tuple(map(_action, request.ActionSetups))),
        endpoints=endpoints_of(form.EpList.Endpoints if form.EpList else None),
        holders=_holders(form),
        routes=None if form.Routes is UNSET or form.Routes is None else endpoints_of(form.Routes),
        admitted=admitted,
        not_admitted=not_admitted,
        policy_update=bool(form.PolicyUpdate),
        restore_pending=form.RestorePending is True,
        routes_unsure=form.RoutesUnsure is True,
    )


def _form(record: E2Record) -> E2Form:
    try:
        request = _remembered_request(record.requestor_id, record.instance_id, record.content)
    except _TooLarge:
        request = _request(record.requestor_id, record.instance_id, record.content)
    form = E2Form(
        ReqId=RequestIdForm(record.xapp_requestor_id, record.instance_id),
        Meid=MeidForm(RanName=record.meid),
        EpList=EndpointList(endpoint_forms(record.endpoints) or None),
        SubReqMsg=request,
        SubRespMsg=_NOT_ANSWERED,
        PolicyUpdate=record.policy_update,
    )
    if record.admitted is not None:
        form.SubRespMsg = _answer_form(record, record.admitted)
        form.SubRespRcvd = _ANSWERED
    if record.holders is not None:
        form.Holders = list(map(_holder_form, record.holders))
        form.Notified = all(map(_is_notified, record.holders))
        form.RestorePending = record.restore_pending
    elif record.restore_pending:
        form.RestorePending = True
    if record.routes is not None:
        form.Routes = endpoint_forms(record.routes)
    if record.routes_unsure:
        form.RoutesUnsure = True
    return form


@lru_cache(maxsize=128)
def _remembered_request(requestor_id: int, instance_id: int, content: Content) -> RequestForm:
    """The request, which never changes, as JSON already: while it is being subscribed, it is saved three times.

    Raises _TooLarge, so that a large content is not remembered, which might be that of the largest request.
    """
    definitions = sum(len(action.definition or b"") for action in content.actions)
    if len(content.event_trigger) + definitions > _LARGEST_REMEMBERED:
        raise _TooLarge
    return cast("RequestForm", Raw(_encode(_request(requestor_id, instance_id, content))))


def _request(requestor_id: int, instance_id: int, content: Content) -> RequestForm:
    trigger, actions = _octets_form(content.event_trigger), list(map(_action_form, content.actions))
    return RequestForm(requestor_id, instance_id, content.ran_function_id, trigger, actions)


def _octets_form(octets: bytes | None) -> Octets:
    return Octets(len(octets), octets) if octets else Octets()


def _octets(form: Octets | None, where: str) -> bytes:
    octets = (form and form.Data) or b""
    length = form.Length if form else 0
    if len(octets) != length:
        raise RecordError(f"{where} has {len(octets)} octets, its Length says {length}")
    return octets


def _action_form(action: Action) -> ActionForm:
    form = ActionForm(
        action.action_id, int(action.action_type), action.definition is not None, _octets_form(action.definition)
    )
    if action.subsequent is not None:
        form.Present = True
        form.Type = int(action.subsequent.type)
        form.TimetoWait = int(action.subsequent.time_to_wait)
    return form


def _action(form: ActionForm) -> Action:
    definition = _octets(form.Data, f"definition of action {form.ActionId}")
    subsequent = SubsequentAction(SubsequentActionType(form.Type), TimeToWait(form.TimetoWait))
    return Action(
        form.ActionId,
        ActionType(form.ActionType),
        definition if form.RicActionDefinitionPresent else None,
        subsequent if form.Present else None,
    )


def _answer_form(record: E2Record, admitted: Iterable[int]) -> ResponseForm:
    refused = list(map(_not_admitted_form, record.not_admitted))
    return ResponseForm(
        record.requestor_id,
        record.instance_id,
        record.content.ran_function_id,
        AdmittedList(list(map(AdmittedForm, admitted)) or None),
        NotAdmittedList(refused or None),
    )


def _not_admitted_form(item: NotAdmitted) -> NotAdmittedForm:
    return NotAdmittedForm(item.action_id, CauseForm(item.cause.group, item.cause.value))


def _answer(form: E2Form) -> tuple[tuple[int, ...] | None, tuple[NotAdmitted, ...]]:
    if form.SubRespRcvd != _ANSWERED:
        return None, ()
    answer = form.SubRespMsg or ResponseForm()
    admitted = (answer.ActionAdmittedList and answer.ActionAdmittedList.Items) or []
    refused = (answer.ActionNotAdmittedList and answer.ActionNotAdmittedList.Items) or []
    return (
        tuple(item.ActionId for item in admitted),
        tuple(NotAdmitted(item.ActionId, Cause(item.Cause.Content, item.Cause.Value)) for item in refused),
    )


def _holder_form(holder: Holder) -> HolderForm:
    key, endpoint = holder.key, endpoint_form(holder.endpoint)
    if isinstance(key, RestHolder):
        return HolderForm(
            SubscriptionId=key.subscription_id,
            XappEventInstanceId=key.xapp_event_instance_id,
            Endpoint=endpoint,
            Routed=holder.routed,
            Notified=holder.notified,
        )
    return HolderForm(
        RmrEndpoint=endpoint_form(key.endpoint),
        RequestorId=key.requestor_id,
        Endpoint=endpoint,
        Routed=holder.routed,
        Notified=holder.notified,
    )


def _holders(form: E2Form) -> tuple[Holder, ...] | None:
    if form.Holders is UNSET or form.Holders is None:
        return None
    # false for the whole record, and for none of the holders: then no holder has been notified
    nobody = form.Notified is False and all(holder.Notified for holder in form.Holders)
    return tuple(
        Holder(_holder_key(holder), endpoint_of(holder.Endpoint), holder.Routed, holder.Notified and not nobody)
        for holder in form.Holders
    )


def _holder_key(form: HolderForm) -> HolderKey:
    if form.SubscriptionId is not UNSET and form.XappEventInstanceId is not UNSET:
        return RestHolder(form.SubscriptionId, form.XappEventInstanceId)
    if form.RmrEndpoint is not UNSET and form.RequestorId is not UNSET:
        return RmrHolder(endpoint_of(form.RmrEndpoint), form.RequestorId)
    raise RecordError("a holder is neither a REST subscription nor an RMR xApp")
