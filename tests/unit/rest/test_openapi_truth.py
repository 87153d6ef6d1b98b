# SPDX-License-Identifier: Apache-2.0
"""What the document says of a request is what becomes of it, for every combination of what hangs together."""

from __future__ import annotations

import itertools
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient

from submgr.rest.openapi import XAPP

ABSENT = object()
RMR_PORTS = (ABSENT, None, 0, 1, 65535, 65536, -1, "4560", 1.5, True)
HTTP_PORTS = (ABSENT, None, 0, 1, 65535, 65536, -1, "8080")
DIRECTIVES = (
    ABSENT,
    None,
    {},
    {"RMRRoutingNeeded": True},
    {"RMRRoutingNeeded": False},
    {"RMRRoutingNeeded": None},
    {"E2TimeoutTimerValue": 10, "E2RetryCount": 10},
    {"E2TimeoutTimerValue": 0},
    {"E2TimeoutTimerValue": 11},
    {"E2RetryCount": 11},
)


def as_json_schema(part: Any) -> Any:
    """A part of an OpenAPI 3.0 document as JSON Schema, which has no `nullable`."""
    if isinstance(part, list):
        return [as_json_schema(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {key: as_json_schema(value) for key, value in part.items() if key != "nullable"}
    return {"anyOf": [{"type": "null"}, made]} if part.get("nullable") is True and "type" in part else made


@pytest.fixture(scope="module")
def schema() -> Any:
    forms = as_json_schema(XAPP.content()["components"])
    return {"$ref": "#/components/schemas/SubscriptionParams", "components": forms}


def request(**parts: Any) -> dict[str, Any]:
    action = {"ActionID": 1, "ActionType": "report"}
    detail = {"XappEventInstanceId": 1, "EventTriggers": [], "ActionToBeSetupList": [action]}
    body = {"Meid": "gnb_1", "RANFunctionID": 0, "SubscriptionDetails": [detail], **parts}
    return {name: value for name, value in body.items() if value is not ABSENT}


def endpoint(**parts: Any) -> dict[str, Any]:
    return {name: value for name, value in {"Host": "x", "HTTPPort": 1, **parts}.items() if value is not ABSENT}


def agree(schema: Any, xapp: FlaskClient, body: dict[str, Any]) -> bool:
    """Whether it is valid by the document exactly when it is accepted."""
    valid = jsonschema.Draft202012Validator(schema).is_valid(body)
    return valid == (xapp.post("/ric/v1/subscriptions", json=body).status_code == 201)


def test_when_an_rmr_port_is_needed(schema: Any, xapp: FlaskClient) -> None:
    for port, directives in itertools.product(RMR_PORTS, DIRECTIVES):
        body = request(ClientEndpoint=endpoint(RMRPort=port), E2SubscriptionDirectives=directives)
        assert agree(schema, xapp, body), body


def test_http_ports(schema: Any, xapp: FlaskClient) -> None:
    for port in HTTP_PORTS:
        body = request(ClientEndpoint=endpoint(HTTPPort=port, RMRPort=1))
        assert agree(schema, xapp, body), body


@pytest.mark.parametrize("host", ["x", "", "a.b-c_d", "[::1]", "::1", "http://x", "x/y", "x:1", "x y", "ü", "x" * 254])
def test_hosts(schema: Any, xapp: FlaskClient, host: str) -> None:
    assert agree(schema, xapp, request(ClientEndpoint=endpoint(Host=host, RMRPort=1)))


@pytest.mark.parametrize(
    "part",
    [
        {"Meid": ""},
        {"Meid": "x" * 31},
        {"Meid": "x" * 32},
        {"Meid": "a\nb"},
        {"Meid": 1},
        {"Meid": None},
        {"RANFunctionID": 4095},
        {"RANFunctionID": 4096},
        {"RANFunctionID": -1},
        {"RANFunctionID": None},
        {"SubscriptionId": None},
        {"SubscriptionId": ""},
        {"SubscriptionId": 1},
        {"SubscriptionDetails": []},
        {"SubscriptionDetails": None},
        {"SubscriptionDetails": {}},
        {"Unknown": 1},
    ],
    ids=repr,
)
def test_other_fields(schema: Any, xapp: FlaskClient, part: dict[str, Any]) -> None:
    assert agree(schema, xapp, request(ClientEndpoint=endpoint(RMRPort=1), **part))
