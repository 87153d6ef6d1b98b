# SPDX-License-Identifier: Apache-2.0
"""The list of UEs over HTTP."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from flask.testing import FlaskClient

from mec.common.problem_details import problem_app
from mec.controller.api import controller_blueprint
from mec.controller.service import Controller
from mec.controller.ues.ue_table import UeTable

IMSIS = [f"00101000000000{number}" for number in range(1, 6)]


@pytest.fixture
def client() -> FlaskClient:
    ues = UeTable()
    for seen, imsi in enumerate(IMSIS):
        ues.now = 1000.0 + seen
        ues.feed(imsi, (f"192.168.0.{seen + 1}",))
    app = problem_app("controller")
    app.register_blueprint(controller_blueprint(cast(Controller, SimpleNamespace(identities=SimpleNamespace(ues=ues)))))
    return app.test_client()


def imsis(answer: Any) -> list[str]:
    assert answer.headers["X-Total-Count"] == "5"
    return [str(ue["imsi"]) for ue in answer.json]


def test_all_and_those_seen_last(client: FlaskClient) -> None:
    assert imsis(client.get("/ues")) == IMSIS
    assert imsis(client.get("/ues?limit=2")) == [IMSIS[4], IMSIS[3]]
    assert imsis(client.get("/ues?limit=1000")) == IMSIS[::-1]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "two", "", "\u00b2", "9" * 30])
def test_a_limit_that_is_none(client: FlaskClient, limit: str) -> None:
    answer = client.get("/ues", query_string={"limit": limit})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["errors"][0]["field"] == "limit"
