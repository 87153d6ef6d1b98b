# SPDX-License-Identifier: Apache-2.0
"""GET /ric/v1/routes: the RMR route table in force."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from submgr.rmr.routing.reader import parse_routes

TABLE = """newrt|start|t1
mse|12010|-1|e2t-1:38000,e2t-2:38000;log:4560
mse|12011|7|a:4560
mse|12020|-1|%meid
mse|12050,other:1|7|a:4560
mse|broken
newrt|end
meid_map|start
mme_ar|e2t-1:38000|gnb_1 gnb_2
meid_map|end
"""


@pytest.fixture
def get(platform: FlaskClient, looked_at: Any) -> Any:
    looked_at.table = parse_routes(TABLE)

    def asked(query: str = "") -> Any:
        answer = platform.get(f"/ric/v1/routes{query}")
        return answer.json if answer.status_code == 200 else answer.status_code

    return asked


def types(answer: Any) -> list[int]:
    return [item["MessageType"] for item in answer["Items"]]


def test_the_routes_and_what_the_table_has_beside_them(get: Any) -> None:
    assert get() == {
        "Name": "t1",
        "Records": 3,
        "Meids": 2,
        "Skipped": 1,
        "ForOthers": 1,
        "Total": 3,
        "Offset": 0,
        "Items": [
            {
                "MessageType": 12010,
                "Message": "RIC_SUB_REQ",
                "E2EventInstanceId": None,
                "ByMeid": False,
                "Endpoints": [["e2t-1:38000", "e2t-2:38000"], ["log:4560"]],
            },
            {
                "MessageType": 12011,
                "Message": "RIC_SUB_RESP",
                "E2EventInstanceId": 7,
                "ByMeid": False,
                "Endpoints": [["a:4560"]],
            },
            {
                "MessageType": 12020,
                "Message": "RIC_SUB_DEL_REQ",
                "E2EventInstanceId": None,
                "ByMeid": True,
                "Endpoints": [],
            },
        ],
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?mtype=12011", [12011]),
        ("?instance=7", [12011]),
        ("?instance=-1", [12010, 12020]),
        ("?instance=7&mtype=12011", [12011]),
        ("?instance=8&mtype=12011", []),
        ("?instance=-1&mtype=12020", [12020]),
        ("?mtype=1", []),
    ],
)
def test_those_of_a_message_type_or_an_instance(get: Any, query: str, found: list[int]) -> None:
    answer = get(query)
    assert (types(answer), answer["Total"]) == (found, len(found))


def test_pages(get: Any) -> None:
    assert types(get("?limit=2")) == [12010, 12011]
    last = get("?limit=2&offset=2")
    assert (types(last), last["Total"], last["Offset"]) == ([12020], 3, 2)
    assert types(get("?offset=9")) == []


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=1001", "?mtype=x", "?instance=-2", "?instance=65536", "?offset=-1", "?meid=x"]
)
def test_parameters_that_make_no_sense(get: Any, query: str) -> None:
    assert get(query) == 400


def test_without_a_table(get: Any, looked_at: Any) -> None:
    looked_at.table = None
    assert get() == 503
