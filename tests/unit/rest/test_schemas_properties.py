# SPDX-License-Identifier: Apache-2.0
"""Whatever comes as a body is a request or a 400, and the quick reader of plain bodies reads nothing differently."""

from __future__ import annotations

import copy
import json
import re
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from submgr.core.errors import RefusedError
from submgr.core.model import SubscribeRequest
from submgr.rest.plain_request import read_plain
from submgr.rest.schemas import parse_field_by_field, parse_subscribe

FIELD = re.compile(r"[A-Z][A-Za-z0-9]*(\[\d+\])?(\.[A-Z][A-Za-z0-9]*(\[\d+\])?)*")

octets = st.lists(st.integers(), max_size=6)
subsequent = st.fixed_dictionaries(
    {"SubsequentActionType": st.sampled_from(["continue", "wait"]), "TimeToWait": st.sampled_from(["zero", "w60s"])}
)


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def actions(kind: str) -> st.SearchStrategy[Any]:
    action = st.fixed_dictionaries(
        {"ActionID": st.integers(0, 255), "ActionType": st.just(kind)},
        optional={"ActionDefinition": optional(octets), "SubsequentAction": optional(subsequent)},
    )
    return st.lists(action, min_size=1, max_size=3, unique_by=lambda action: action["ActionID"])


details = st.lists(
    st.fixed_dictionaries(
        {
            "XappEventInstanceId": st.integers(0, 65535),
            "EventTriggers": octets,
            "ActionToBeSetupList": st.sampled_from(["insert", "policy", "report"]).flatmap(actions),
        }
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda detail: detail["XappEventInstanceId"],
)
directives = st.fixed_dictionaries(
    {},
    optional={
        "E2TimeoutTimerValue": optional(st.integers(1, 10)),
        "E2RetryCount": optional(st.integers(0, 10)),
        "RMRRoutingNeeded": optional(st.booleans()),
    },
)
requests = st.fixed_dictionaries(
    {
        "ClientEndpoint": st.fixed_dictionaries(
            {
                "Host": st.from_regex(r"[a-z0-9._-]{1,20}", fullmatch=True),
                "HTTPPort": st.integers(1, 65535),
                "RMRPort": st.integers(1, 65535),
            }
        ),
        "Meid": st.from_regex(r"[a-z0-9_]{1,31}", fullmatch=True),
        "RANFunctionID": st.integers(0, 4095),
        "SubscriptionDetails": details,
    },
    optional={"SubscriptionId": optional(st.text(max_size=5)), "E2SubscriptionDirectives": optional(directives)},
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def outcome(body: bytes) -> SubscribeRequest | RefusedError:
    plain = read_plain(body)
    try:
        assert plain is None or plain == parse_field_by_field(body)
        return parse_subscribe(body)
    except RefusedError as error:
        assert plain is None
        assert error.status == 400
        assert all(FIELD.fullmatch(mistake.field) and mistake.message for mistake in error.errors)
        return error


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything inside `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way] * bool(way) + [place for key, part in inner for place in places(part, (*way, key))]


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    outcome(body)


@given(json_values)
def test_any_json(value: object) -> None:
    assert isinstance(outcome(json.dumps(value).encode()), RefusedError)


@given(requests)
def test_any_valid_request_is_taken(request: dict[str, Any]) -> None:
    taken = outcome(json.dumps(request).encode())
    assert isinstance(taken, SubscribeRequest)
    assert [d.xapp_event_instance_id for d in taken.details] == [
        d["XappEventInstanceId"] for d in request["SubscriptionDetails"]
    ]


@given(requests, json_values, st.data())
@settings(max_examples=examples(200))
def test_any_value_in_any_place(request: dict[str, Any], value: object, data: st.DataObject) -> None:
    *way, last = data.draw(st.sampled_from(places(request)))
    target: Any = request
    for step in way:
        target = target[step]
    target[last] = value
    outcome(json.dumps(request).encode())


@given(requests, st.data())
def test_a_request_truncated_anywhere_is_refused(request: dict[str, Any], data: st.DataObject) -> None:
    body = json.dumps(request).encode()
    assert isinstance(outcome(body[: data.draw(st.integers(0, len(body) - 1))]), RefusedError)


spellings = st.builds(Random, st.integers(0, 2**32))
"""A number for each spelling: Hypothesis takes half a second for the thousand choices that there are in one request."""


def respelled(value: Any, spelling: Random, addition: object) -> Any:
    """The same value with its keys in some other letter case, with underscores, in another order, with additions."""
    if isinstance(value, list):
        return [respelled(part, spelling, addition) for part in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for key in spelling.sample(list(value), len(value)):
        name = "".join(spelling.choice((letter.upper(), letter.lower())) for letter in key)
        cut = spelling.randint(0, len(name))
        result[f"{name[:cut]}{'_' * spelling.randint(0, 1)}{name[cut:]}"] = respelled(value[key], spelling, addition)
    if spelling.getrandbits(1):
        result["unknown key"] = addition
    return result


@given(requests, spellings, json_values)
def test_spelling_changes_nothing(request: dict[str, Any], spelling: Random, addition: object) -> None:
    other = respelled(copy.deepcopy(request), spelling, addition)
    assert outcome(json.dumps(other).encode()) == outcome(json.dumps(request).encode())


@given(json_values, spellings, json_values)
def test_mistakes_do_not_depend_on_the_spelling(value: object, spelling: Random, addition: object) -> None:
    request = {"Meid": value, "ClientEndpoint": {"Host": value, "HTTPPort": value}, "SubscriptionDetails": [value]}
    plain, other = (outcome(json.dumps(body).encode()) for body in (request, respelled(request, spelling, addition)))
    assert isinstance(plain, RefusedError)
    assert isinstance(other, RefusedError)
    assert plain.errors == other.errors
