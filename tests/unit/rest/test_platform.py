# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace
from support.e2sm.samples import SAMPLES

from submgr.adapters.rnib.ran_functions import RanFunction
from submgr.core.model import Content, E2Record, Holder, RestHolder, RestRecord, RmrEndpoint
from submgr.e2ap.messages import Action, ActionType
from submgr.orphans import Orphan
from submgr.reconciler import Difference
from submgr.rest.use_cases import DebugWrite, HealthReport

V1 = "/ric/v1"
A = RmrEndpoint("service-ricxapp-a-rmr.ricxapp", 4560)
HOST_A, HOST_B = "service-ricxapp-a-http.ricxapp", "service-ricxapp-b-http.ricxapp"
E2 = E2Record(
    instance_id=7,
    meid="gnb_1",
    requestor_id=123,
    xapp_requestor_id=1,
    content=Content(2, b"\x01", (Action(1, ActionType.REPORT),)),
    endpoints=(A,),
    holders=(Holder(RestHolder("first", 1), A, routed=True),),
    routes=(A,),
    admitted=(1,),
)
REST = RestRecord("first", "2026-11-22 00:33:40.850", HOST_A, 8080, A, "gnb_1", ((1, 7),), False, False, ())
OTHER = replace(REST, subscription_id="second", host=HOST_B, meid="enb/2 x", instances=(), request_ongoing=True)
FIRST_VIEW = {
    "Created": "2026-11-22 00:33:40.850",
    "Meid": "gnb_1",
    "InstanceIds": [7],
    "SubReqOngoing": False,
    "SubDelReqOngoing": False,
}
SECOND_VIEW = {**FIRST_VIEW, "Meid": "enb/2 x", "InstanceIds": [], "SubReqOngoing": True}

WRITES = [
    ("DELETE", f"{V1}/subscriptions/first", ("delete", "first")),
    ("DELETE", f"{V1}/delete_all_e2node_subscriptions/gnb_1", ("delete_node", "gnb_1")),
    ("DELETE", f"{V1}/delete_all_xapp_subscriptions/{HOST_A}", ("delete_xapp", HOST_A)),
    ("POST", f"{V1}/test/deletesubid=7", ("remove_record", 7)),
    ("POST", f"{V1}/test/emptydb", ("empty_database", None)),
    ("POST", f"{V1}/test/restart", ("restart", None)),
]


@pytest.fixture(autouse=True)
def filled(subscriptions: Any) -> None:
    subscriptions.e2 = [replace(E2, instance_id=9), E2]
    subscriptions.rest = [REST, OTHER]
    subscriptions.of = {"first": [E2], "second": []}
    subscriptions.nodes = ["gnb_3", "gnb_1"]


@pytest.mark.parametrize("name", ["alive", "ready"])
def test_health(platform: FlaskClient, operations: Any, name: str) -> None:
    setattr(operations, name, HealthReport(True, warnings=("no route for 12010",)))
    answer = platform.get(f"{V1}/health/{name}")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "reasons": [], "warnings": ["no route for 12010"]}
    setattr(operations, name, HealthReport(False, ("database not reachable",)))
    answer = platform.get(f"{V1}/health/{name}")
    assert answer.status_code == 503
    assert answer.json == {"status": "not ok", "reasons": ["database not reachable"], "warnings": []}


@pytest.mark.parametrize("path", [f"{V1}/metrics", "/metrics", "/metrics/"])
def test_metrics(platform: FlaskClient, path: str) -> None:
    answer = platform.get(path)
    assert (answer.status_code, answer.data) == (200, b"SubReqToE2 4\n")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_config(platform: FlaskClient) -> None:
    assert platform.get(f"{V1}/config").json == {"controls": {"ricRequestorId": 123}, "debug": {"token": "***"}}


def test_queries(platform: FlaskClient) -> None:
    def get(path: str) -> Any:
        answer = platform.get(f"{V1}/{path}")
        assert (answer.status_code, answer.content_type) == (200, "application/json")
        return answer.json

    assert [item["SubscriptionId"] for item in get("subscriptions")] == [7, 9]
    assert get("subscriptions")[0]["RestSubscriptionIds"] == ["first"]
    assert get("restsubscriptions") == {"first": FIRST_VIEW, "second": SECOND_VIEW}
    assert get("get_all_e2nodes") == ["gnb_1", "gnb_3"]
    assert get("get_e2node_rest_subscriptions/gnb_1") == {"first": FIRST_VIEW}
    assert get("get_e2node_rest_subscriptions/enb/2%20x") == {"second": SECOND_VIEW}
    assert get("get_e2node_rest_subscriptions/gnb_4") == {}
    assert get("get_all_xapps") == [HOST_A, HOST_B]
    assert get(f"get_xapp_rest_restsubscriptions/{HOST_B}") == {"second": SECOND_VIEW}
    assert get("get_xapp_rest_restsubscriptions/nobody") == {}
    assert get("get_e2subscriptions/first") == [{"ReqId": {"InstanceId": 7}}]
    assert get("get_e2subscriptions/second") == []


def test_nothing_subscribed(platform: FlaskClient, subscriptions: Any) -> None:
    subscriptions.e2, subscriptions.rest, subscriptions.nodes = [], [], []
    for path in ("subscriptions", "get_all_e2nodes", "get_all_xapps"):
        assert platform.get(f"{V1}/{path}").json == []
    assert platform.get(f"{V1}/restsubscriptions").json == {}


def test_e2_subscriptions_of_an_unknown_id(platform: FlaskClient) -> None:
    answer = platform.get(f"{V1}/get_e2subscriptions/third")
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == 404
    assert "third" in answer.json["message"]


@pytest.mark.parametrize(("method", "path", "call"), WRITES)
def test_changes_as_the_guide_prints_them(
    platform: FlaskClient, subscriptions: Any, method: str, path: str, call: Any
) -> None:
    answer = platform.open(path, method=method, buffered=True)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["message"]
    assert subscriptions.calls == [call]


@pytest.mark.parametrize(("method", "path", "call"), WRITES)
def test_changes_with_a_token(
    platform: FlaskClient, subscriptions: Any, operations: Any, method: str, path: str, call: Any
) -> None:
    operations.debug_write = DebugWrite("token", "geheim-ü")
    wrong = [None, "", "Bearer", "Bearer ", "Bearer x", "Basic geheim-ü", "geheim-ü", "Bearer geheim-ü x"]
    for authorization in wrong:
        headers = {} if authorization is None else {"Authorization": authorization.encode().decode("latin-1")}
        answer = platform.open(path, method=method, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json is not None
        assert answer.json["code"] == 401
    assert subscriptions.calls == []
    right = "bearer geheim-ü".encode().decode("latin-1")
    assert platform.open(path, method=method, headers={"Authorization": right}, buffered=True).status_code == 200
    assert subscriptions.calls == [call]


@pytest.mark.parametrize(("method", "path", "call"), WRITES)
@pytest.mark.parametrize(
    "debug_write", [DebugWrite("off"), DebugWrite("off", "t"), DebugWrite("token", ""), DebugWrite("Open")]
)
def test_changes_switched_off(
    platform: FlaskClient, subscriptions: Any, operations: Any, method: str, path: str, call: Any, debug_write: Any
) -> None:
    operations.debug_write = debug_write
    for authorization in ("", "Bearer ", "Bearer t"):
        answer = platform.open(path, method=method, headers={"Authorization": authorization})
        assert answer.status_code == 401
    assert subscriptions.calls == []


def test_refused_write_does_not_tell_what_exists(platform: FlaskClient, operations: Any) -> None:
    operations.debug_write = DebugWrite("token", "t")
    assert platform.delete(f"{V1}/delete_all_e2node_subscriptions/unknown").status_code == 401


@pytest.mark.parametrize(("method", "path", "call"), WRITES)
def test_web_pages_of_other_origins_change_nothing(
    platform: FlaskClient, subscriptions: Any, method: str, path: str, call: Any
) -> None:
    for origin in ("http://elsewhere.example", "null", "", "http://[", "localhost", "ftp://localhost"):
        assert platform.open(path, method=method, headers={"Origin": origin}).status_code == 403
    rebound = {"Origin": "http://evil.example:8080", "Host": "evil.example:8080"}
    assert platform.open(path, method=method, headers=rebound).status_code == 403
    assert subscriptions.calls == []
    assert platform.open(path, method=method, headers={"Origin": "http://localhost"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "subscriptions/third", 404),
        ("DELETE", "delete_all_e2node_subscriptions/gnb_4", 404),
        ("DELETE", "delete_all_xapp_subscriptions/nobody", 404),
        ("POST", "test/deletesubid=8", 404),
        ("POST", "test/deletesubid=0", 400),
        ("POST", "test/deletesubid=65536", 400),
        ("POST", "test/deletesubid=1234567", 400),
        ("POST", "test/deletesubid=" + "9" * 5000, 400),
        ("POST", "test/deletesubid=-1", 400),
        ("POST", "test/deletesubid=x", 400),
        ("POST", "test/deletesubid=%C2%B2", 400),
        ("POST", "test/deletesubid=", 404),
        ("POST", "test/other", 404),
        ("GET", "test/emptydb", 405),
        ("GET", "delete_all_e2node_subscriptions/gnb_1", 405),
        ("POST", "health/alive", 405),
    ],
)
def test_what_cannot_be_done(platform: FlaskClient, subscriptions: Any, method: str, path: str, status: int) -> None:
    answer = platform.open(f"{V1}/{path}", method=method)
    assert (answer.status_code, answer.json and answer.json["code"]) == (status, status)
    assert ("Allow" in answer.headers) == (status == 405)


def test_restart_waits_for_the_answer(platform: FlaskClient, subscriptions: Any) -> None:
    answer = platform.post(f"{V1}/test/restart", buffered=False)
    assert subscriptions.calls == []
    answer.close()
    assert subscriptions.calls == [("restart", None)]


def test_differences_are_shown_and_repaired(platform: FlaskClient, operations: Any) -> None:
    operations.differences = [Difference("e2_record", "5", "gnb_1", "not in the database")]
    shown = {"What": "e2_record", "Key": "5", "Meid": "gnb_1", "Why": "not in the database", "Repaired": False}
    assert platform.get(f"{V1}/reconcile").json == [shown]
    assert platform.post(f"{V1}/reconcile").json == [{**shown, "Repaired": True}]
    operations.debug_write = DebugWrite("off")
    assert platform.get(f"{V1}/reconcile").status_code == 200
    assert platform.post(f"{V1}/reconcile").status_code == 401


def test_a_backup_is_handed_out_as_lines(platform: FlaskClient) -> None:
    answer = platform.get(f"{V1}/export")
    assert (answer.data, answer.content_type) == (b"{}\n{}\n", "application/x-ndjson")


def test_an_import_restarts_unless_it_only_looks(platform: FlaskClient, operations: Any, subscriptions: Any) -> None:
    answer = platform.post(f"{V1}/import?dryRun=true&skipUnreadable=true", data=b"file")
    assert answer.json == {"Records": {"e2_record": 2}, "Skipped": 1, "Restarting": False}
    assert operations.imported == (b"file", True, True)
    assert subscriptions.calls == []
    answer = platform.post(f"{V1}/import", data=b"file")
    assert answer.json is not None
    assert answer.json["Restarting"] is True
    assert operations.imported == (b"file", False, False)
    answer.close()
    assert subscriptions.calls == [("restart", None)]
    assert platform.post(f"{V1}/import?dryRun=yes", data=b"file").status_code == 400
    operations.debug_write = DebugWrite("off")
    operations.imported = None
    assert platform.post(f"{V1}/import", data=b"file").status_code == 401
    assert operations.imported is None


def test_orphans(platform: FlaskClient, operations: Any) -> None:
    assert platform.get(f"{V1}/orphans").json == []
    operations.orphans = [
        Orphan("2ab", "gnb_1", HOST_A, 60.0, "the name a-rmr does not resolve"),
        Orphan(7, "gnb_2", "old-rmr:4560", 0.0, "the name old-rmr does not resolve"),
    ]
    first, second = platform.get(f"{V1}/orphans").json
    assert 59 < (told(second) - told(first)).total_seconds() < 61
    assert first == {
        "SubscriptionId": "2ab",
        "Meid": "gnb_1",
        "XApp": HOST_A,
        "Why": "the name a-rmr does not resolve",
    }
    assert (second["SubscriptionId"], second["XApp"]) == (7, "old-rmr:4560")


def told(orphan: dict[str, Any]) -> datetime:
    return datetime.strptime(orphan.pop("Since"), "%Y-%m-%d %H:%M:%S.%f")


def test_symptom_data(platform: FlaskClient) -> None:
    answer = platform.get(f"{V1}/symptomdata")
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert "symptomdata.zip" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert files["log.txt"] == b"first line\nlast line\n"
    assert files["metrics.txt"] == b"SubReqToE2 4\n"
    parsed = {name: json.loads(content) for name, content in files.items() if name.endswith(".json")}
    assert [item["SubscriptionId"] for item in parsed["subscriptions.json"]] == [7, 9]
    assert parsed["restsubscriptions.json"] == {"first": FIRST_VIEW, "second": SECOND_VIEW}
    assert parsed["e2subscriptions.json"] == [{"ReqId": {"InstanceId": 7}}, {"ReqId": {"InstanceId": 9}}]
    assert parsed["e2nodes.json"] == ["gnb_1", "gnb_3"]
    assert parsed["config.json"]["debug"] == {"token": "***"}
    assert parsed["health.json"]["ready"]["status"] == "ok"


def test_a_bug_is_a_500_and_logged_once(
    platform: FlaskClient, operations: Any, counts: Counter[str], caplog: pytest.LogCaptureFixture
) -> None:
    operations.fail = KeyError("a secret of the inside")
    answer = platform.get(f"{V1}/config")
    assert (answer.status_code, answer.json and answer.json["code"]) == (500, 500)
    assert b"secret" not in answer.data
    assert len([record for record in caplog.records if record.exc_info]) == 1
    assert counts == {"bugs": 1}


KPM_FUNCTION = bytes.fromhex(next(one for one in SAMPLES if one.name == "name only").octets)
ASKED = Content(
    2,
    bytes.fromhex("08270f"),
    (Action(1, ActionType.REPORT, bytes.fromhex("00010100000000a04452422e5545546870446c012000000063")),),
)
ASKED_WORDS = "KPM report every 10000 ms; action 1: KPM style 1 format 1: DRB.UEThpDl every 100 ms"


def test_contents_in_words_and_as_trees(platform: FlaskClient, subscriptions: Any) -> None:
    subscriptions.e2 = [E2, replace(E2, instance_id=9, content=ASKED)]
    placeholder, asked = platform.get(f"{V1}/contents").json
    assert placeholder == {
        "SubscriptionId": 7,
        "Meid": "gnb_1",
        "RANFunctionID": 2,
        "Words": "01: one octet is no body of a service model: a placeholder; action 1: no definition",
    }
    assert (asked["SubscriptionId"], asked["Words"]) == (9, ASKED_WORDS)
    whole = platform.get(f"{V1}/contents/9").json
    assert whole is not None
    assert whole["Words"] == ASKED_WORDS
    assert whole["EventTrigger"]["Content"] == {"format": 1, "report_period_ms": 10000}
    assert whole["Actions"][0]["Definition"]["Content"]["measurements"][0]["name"] == "DRB.UEThpDl"
    assert platform.get(f"{V1}/contents/8").status_code == 404
    assert platform.get(f"{V1}/contents/x").status_code == 404


def test_contents_are_in_the_symptom_data(platform: FlaskClient, subscriptions: Any) -> None:
    subscriptions.e2 = [replace(E2, content=ASKED)]
    with zipfile.ZipFile(io.BytesIO(platform.get(f"{V1}/symptomdata").data)) as archive:
        (content,) = json.loads(archive.read("contents.json"))
    assert content["Words"] == ASKED_WORDS
    assert content["EventTrigger"]["Model"] == "KPM"


def test_the_node_s_ran_function_says_which_model_is_tried_first(
    platform: FlaskClient, subscriptions: Any, operations: Any
) -> None:
    subscriptions.e2 = [replace(E2, content=replace(ASKED, actions=(Action(1, ActionType.REPORT, b"\0\1\1\0"),)))]
    assert "action 1: NI style 1 format 1: no parameters" not in platform.get(f"{V1}/contents").json[0]["Words"]
    operations.functions = {"gnb_1": (RanFunction(2, 0, "", b"ORAN-E2SM-NI"),)}
    assert "action 1: NI style 1 format 1: no parameters" in platform.get(f"{V1}/contents").json[0]["Words"]


def test_ran_functions_of_a_node(platform: FlaskClient, operations: Any) -> None:
    operations.functions = {
        "gnb_1": (RanFunction(2, 1, "1.2", KPM_FUNCTION), RanFunction(142, 0, "0.0.0", b"MAC_STATS_V0")),
        "a/b": (),
    }
    kpm, mac = platform.get(f"{V1}/nodes/gnb_1/functions").json
    assert (kpm["RANFunctionID"], kpm["Name"], kpm["OID"], kpm["Revision"]) == (2, "ORAN-E2SM-KPM", "1.2", 1)
    assert kpm["Definition"]["Content"]["description"] == "KPM Monitor"
    assert (mac["Name"], mac["Definition"]["Reason"]) == ("", "plain text, no PER: MAC_STATS_V0")
    assert platform.get(f"{V1}/nodes/a/b/functions").json == []
    assert platform.get(f"{V1}/nodes/gnb_2/functions").status_code == 404
