# SPDX-License-Identifier: Apache-2.0
"""The document says what the code does."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from support.http.api_document import differences, lost_references, operations

from submgr.adapters.journal.entries import Kind, Severity
from submgr.core.errors import Source, TimeoutType
from submgr.overview.values import SORTS
from submgr.platform.http.json_fields import Spelling
from submgr.rest import schemas
from submgr.rest.openapi import PLATFORM, XAPP


@pytest.fixture
def document(platform: FlaskClient) -> Any:
    answer = platform.get("/ric/v1/openapi.yaml")
    assert (answer.status_code, answer.content_type) == (200, "application/yaml")
    return yaml.safe_load(answer.data)


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("SubscriptionParams", schemas.REQUEST),
        ("ClientEndpoint", schemas.ENDPOINT),
        ("E2SubscriptionDirectives", schemas.DIRECTIVES),
        ("SubscriptionDetail", schemas.DETAIL),
        ("ActionToBeSetup", schemas.ACTION),
        ("SubsequentAction", schemas.SUBSEQUENT),
    ],
)
def test_keys_of_requests(document: Any, name: str, spelling: Spelling) -> None:
    assert set(document["components"]["schemas"][name]["properties"]) == spelling.names


def test_choices(document: Any) -> None:
    forms = document["components"]["schemas"]
    assert set(forms["ActionToBeSetup"]["properties"]["ActionType"]["enum"]) == set(schemas.ACTION_TYPES)
    subsequent = forms["SubsequentAction"]["properties"]
    assert subsequent["SubsequentActionType"]["enum"] == list(schemas.SUBSEQUENT_TYPES)
    assert subsequent["TimeToWait"]["enum"] == list(schemas.TIMES_TO_WAIT)
    instance = forms["SubscriptionInstance"]["properties"]
    assert instance["ErrorSource"]["enum"] == list(Source)
    assert instance["TimeoutType"]["enum"] == list(TimeoutType)


def test_choices_of_the_overview() -> None:
    content = PLATFORM.content()
    forms = content["components"]["schemas"]
    assert forms["EventKind"]["enum"] == list(Kind)
    assert forms["EventSeverity"]["enum"] == [each.word for each in Severity]
    sorts = next(
        each["schema"]["enum"]
        for each in content["paths"]["/ric/v1/overview/subscriptions"]["get"]["parameters"]
        if each["name"] == "sort"
    )
    assert sorts == [f"{sign}{name}" for name in SORTS for sign in ("", "-")]


def test_references_lead_somewhere(document: Any) -> None:
    assert lost_references(document) == []
    assert lost_references(PLATFORM.content()) == []


def test_every_route_of_the_xapp_port_is_documented(xapp: FlaskClient) -> None:
    assert differences(xapp.application, XAPP.content()) == []


def test_every_route_of_the_platform_port_is_documented(platform: FlaskClient) -> None:
    assert differences(platform.application, PLATFORM.content()) == []


def test_every_operation_tells_what_any_may_be_answered() -> None:
    for document in (XAPP.content(), PLATFORM.content()):
        for (method, path), operation in operations(document).items():
            assert {"403", "503"} <= set(operation["responses"]), (method, path)
            assert ("requestBody" in operation) == ("413" in operation["responses"]), (method, path)


def test_each_port_serves_its_own(xapp: FlaskClient, platform: FlaskClient) -> None:
    for client, own in ((xapp, XAPP), (platform, PLATFORM)):
        assert client.get("/openapi.json").get_json() == own.content()
        assert yaml.safe_load(client.get("/openapi.yaml").data) == own.content()
        assert client.get("/ric/v1/openapi.json").get_json() == XAPP.content()
        assert "/openapi.json" in client.get("/docs").text


def test_paths_are_served(document: Any, xapp: FlaskClient) -> None:
    for path, methods in document["paths"].items():
        for method in methods:
            answer = xapp.open(f"/ric/v1{path.replace('{subscriptionId}', '2ab')}", method=method.upper(), data=b"{}")
            assert str(answer.status_code) in methods[method]["responses"]
