# SPDX-License-Identifier: Apache-2.0
"""The document says what the code does."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from submgr.core.errors import Source, TimeoutType
from submgr.platform.http.json_fields import Spelling
from submgr.rest import schemas


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


def test_references_lead_somewhere(document: Any) -> None:
    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            here = [part["$ref"]] if "$ref" in part else []
            return here + [found for inner in part.values() for found in references(inner)]
        return [found for inner in part for found in references(inner)] if isinstance(part, list) else []

    found = references(document)
    assert len(found) > 10
    for reference in found:
        target = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_paths_are_served(document: Any, xapp: FlaskClient) -> None:
    for path, methods in document["paths"].items():
        for method in methods:
            answer = xapp.open(f"/ric/v1{path.replace('{subscriptionId}', '2ab')}", method=method.upper(), data=b"{}")
            assert str(answer.status_code) in methods[method]["responses"]
