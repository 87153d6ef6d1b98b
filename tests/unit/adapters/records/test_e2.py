# SPDX-License-Identifier: Apache-2.0
import json
import secrets
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.adapters.stored_records import (
    ENDPOINT,
    GO_E2,
    GO_UNCOMPLETED,
    REST_ID,
    endpoints,
    meids,
    numbers,
    rest_ids,
)

from submgr.adapters.records.e2 import decode_e2, e2_json, encode_e2
from submgr.adapters.records.forms import RecordError
from submgr.core.model import Content, E2Record, Holder, RestHolder, RmrEndpoint, RmrHolder
from submgr.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    NotAdmitted,
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)

GO_PARTIAL = GO_E2.replace(
    b'"ActionNotAdmittedList":{"Items":null}',
    b'"ActionNotAdmittedList":{"Items":[{"ActionId":2,"Cause":{"Content":1,"Value":5}}]}',
)


def test_e2_record_of_the_go_implementation() -> None:
    record = decode_e2("1", GO_E2)
    assert record == E2Record(
        instance_id=1,
        meid="gnb_208_092_000001",
        requestor_id=123,
        xapp_requestor_id=12345,
        content=Content(
            2,
            b"\x01\x02\x03\x04",
            (
                Action(
                    1,
                    ActionType.REPORT,
                    b"\x05\x06\x07\x08",
                    SubsequentAction(SubsequentActionType.CONTINUE, TimeToWait.W10MS),
                ),
            ),
        ),
        endpoints=(ENDPOINT,),
        holders=None,
        routes=None,
        admitted=(1,),
    )
    assert record.completed
    assert encode_e2(record) == GO_E2


@pytest.mark.parametrize(("key", "stored"), [("1", GO_E2), ("7", GO_UNCOMPLETED), ("1", GO_PARTIAL)])
def test_e2_records_of_the_go_implementation_are_kept_byte_for_byte(key: str, stored: bytes) -> None:
    assert encode_e2(decode_e2(key, stored)) == stored


def test_uncompleted_e2_record() -> None:
    record = decode_e2("7", GO_UNCOMPLETED)
    assert not record.completed
    assert record.policy_update
    assert record.content == Content(0, b"", (Action(0, ActionType.POLICY),))
    assert record.endpoints == (RmrEndpoint("127.0.0.1", 0),)


def test_partly_admitted_e2_record() -> None:
    assert decode_e2("1", GO_PARTIAL).not_admitted == (NotAdmitted(2, Cause(1, 5)),)


def test_a_definition_that_is_there_and_empty_is_not_an_absent_one() -> None:
    content = Content(1, b"", (Action(1, ActionType.POLICY, b""), Action(2, ActionType.POLICY, None)))
    record = replace(decode_e2("1", GO_E2), content=content)
    stored = json.loads(encode_e2(record))["SubReqMsg"]["ActionSetups"]
    assert [(item["RicActionDefinitionPresent"], item["Data"]) for item in stored] == [
        (True, {"Length": 0, "Data": None}),
        (False, {"Length": 0, "Data": None}),
    ]
    assert decode_e2("1", encode_e2(record)).content == content


def test_additional_keys_of_an_e2_record() -> None:
    other = RmrEndpoint("xapp-rmr", 4570)
    record = replace(
        decode_e2("1", GO_E2),
        endpoints=(ENDPOINT, other),
        holders=(
            Holder(RestHolder(REST_ID, 12345), ENDPOINT, True),
            Holder(RmrHolder(other, 77), other, False, notified=False),
        ),
        routes=(ENDPOINT,),
        restore_pending=True,
    )
    stored = json.loads(encode_e2(record))
    assert {key: stored[key] for key in ("Holders", "Notified", "Routes", "RestorePending")} == {
        "Holders": [
            {
                "SubscriptionId": REST_ID,
                "XappEventInstanceId": 12345,
                "Endpoint": {"Addr": "127.0.0.1", "Port": 4560},
                "Routed": True,
                "Notified": True,
            },
            {
                "RmrEndpoint": {"Addr": "xapp-rmr", "Port": 4570},
                "RequestorId": 77,
                "Endpoint": {"Addr": "xapp-rmr", "Port": 4570},
                "Routed": False,
                "Notified": False,
            },
        ],
        "Notified": False,
        "Routes": [{"Addr": "127.0.0.1", "Port": 4560}],
        "RestorePending": True,
    }
    assert decode_e2("1", encode_e2(record)) == record
    assert e2_json(record) == stored


def test_notified_false_counts_for_every_holder_when_none_says_so_itself() -> None:
    record = replace(decode_e2("1", GO_E2), holders=(Holder(RestHolder(REST_ID, 1), ENDPOINT, True),), routes=())
    stored = json.loads(encode_e2(record))
    assert stored["Notified"] is True
    stored["Notified"] = False
    read = decode_e2("1", json.dumps(stored).encode())
    assert read.holders == (Holder(RestHolder(REST_ID, 1), ENDPOINT, True, notified=False),)


def test_no_holders_and_unknown_holders_are_told_apart() -> None:
    record = replace(decode_e2("1", GO_E2), holders=(), routes=())
    assert decode_e2("1", encode_e2(record)) == record


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("Unheard", {"of": [1, None]}),
        ("EpList", None),
        ("SubRespMsg", None),
        ("PolicyUpdate", None),
        ("Valid", None),
        ("Holders", None),
        ("Routes", None),
    ],
)
def test_unknown_keys_and_nulls_are_no_mistake(change: str, value: object) -> None:
    stored = json.loads(GO_E2)
    stored[change] = value
    assert decode_e2("1", json.dumps(stored).encode()).instance_id == 1


@pytest.mark.parametrize("absent", ["EpList", "SubRespMsg", "SubRespRcvd", "PolicyUpdate", "Valid"])
def test_optional_parts_may_be_absent(absent: str) -> None:
    stored = json.loads(GO_E2)
    del stored[absent]
    assert decode_e2("1", json.dumps(stored).encode()).instance_id == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'"Length":4,"Data":"AQIDBA=="', b'"Length":5,"Data":"AQIDBA=="', "Length"),
        (b'"Length":4,"Data":"BQYHCA=="', b'"Length":4,"Data":null', "Length"),
        (b'"AQIDBA=="', b'"AQIDBA"', "base64"),
        (b'"AQIDBA=="', b'"A?IDBA=="', "base64"),
        (b'"Id":12345', b'"Id":-1', "ReqId.Id"),
        (b'"Id":12345', b'"Id":"12345"', "ReqId.Id"),
        (b'"Id":12345', b'"Id":true', "ReqId.Id"),
        (b'"InstanceId":1}', b'"InstanceId":0}', "InstanceId"),
        (b'"InstanceId":1}', b'"InstanceId":65536}', "InstanceId"),
        (b'"InstanceId":1}', b'"InstanceId":2}', "key"),
        (b'"FunctionId":2,"Data"', b'"FunctionId":4096,"Data"', "FunctionId"),
        (b'"ActionType":0', b'"ActionType":3', "ActionType"),
        (b'"TimetoWait":4', b'"TimetoWait":18', "TimetoWait"),
        (b'"Port":4560', b'"Port":70000', "Port"),
        (b'"gnb_208_092_000001"', b'""', "RanName"),
        (b'"gnb_208_092_000001"', b'"' + b"x" * 32 + b'"', "RanName"),
        (b'"gnb_208_092_000001"', b'"' + "ä".encode() * 16 + b'"', "31 bytes"),
        (b'"gnb_208_092_000001"', b'"\\ud800"', "surrogate"),
        (b'"gnb_208_092_000001"', b'"\xff"', "utf-8"),
        (b'"SubRespRcvd":"SubResp"', b'"SubRespRcvd":1', "SubRespRcvd"),
        (b'"Valid":true', b'"Valid":true,"Holders":[{"Endpoint":{"Addr":"a","Port":1},"Routed":true,"Notified":true}]',
         "holder"),
        (b"}]}}", b"", "truncated"),
        (b'"Valid":true', b'"Valid":true,"Deep":' + b"[" * 50_000 + b"]" * 50_000, "deep"),
        (b'"ActionSetups":[', b'"ActionSetups":[],"Was":[', "ActionSetups"),
    ],
)  # fmt: skip
def test_unreadable_e2_records(old: bytes, new: bytes, says: str) -> None:
    assert old in GO_E2 or says == "truncated"
    stored = GO_E2[:-40] if says == "truncated" else GO_E2.replace(old, new)
    with pytest.raises(RecordError, match=says):
        decode_e2("1", stored)


@pytest.mark.parametrize("key", ["01", "+1", "1 ", "2", "", "one", "1_0"])
def test_an_e2_record_belongs_under_its_instance_id(key: str) -> None:
    with pytest.raises(RecordError, match="key"):
        decode_e2(key, GO_E2)


@pytest.mark.parametrize("unsure", [True, False])
def test_unsure_routes_are_stored_and_otherwise_not_mentioned(unsure: bool) -> None:
    endpoint = RmrEndpoint("h", 1)
    holder = Holder(RestHolder("id", 1), endpoint, True)
    content = Content(2, b"\x01", (Action(1, ActionType.REPORT),))
    record = E2Record(
        1, "gnb", 123, 1, content, (endpoint,), (holder,), (endpoint,), admitted=(1,), routes_unsure=unsure
    )
    stored = encode_e2(record)
    assert json.loads(stored).get("RoutesUnsure", False) is unsure
    assert ("RoutesUnsure" in json.loads(stored)) is unsure
    assert decode_e2("1", stored) == record


actions = st.builds(
    Action,
    st.integers(0, 255),
    st.sampled_from(ActionType),
    st.none() | st.binary(max_size=20),
    st.none() | st.builds(SubsequentAction, st.sampled_from(SubsequentActionType), st.sampled_from(TimeToWait)),
)
holders = st.builds(
    Holder,
    st.builds(RestHolder, rest_ids, numbers) | st.builds(RmrHolder, endpoints, numbers),
    endpoints,
    st.booleans(),
    st.booleans(),
)
e2_records = st.builds(
    E2Record,
    instance_id=st.integers(1, 65535),
    meid=meids,
    requestor_id=numbers,
    xapp_requestor_id=numbers,
    content=st.builds(
        Content,
        st.integers(0, 4095),
        st.binary(max_size=20),
        st.lists(actions, min_size=1, max_size=3).map(tuple),
    ),
    endpoints=st.lists(endpoints, max_size=3).map(tuple),
    holders=st.lists(holders, max_size=3).map(tuple),
    routes=st.none() | st.lists(endpoints, max_size=3).map(tuple),
    admitted=st.lists(st.integers(0, 255), max_size=3).map(tuple),
    not_admitted=st.lists(
        st.builds(NotAdmitted, st.integers(0, 255), st.builds(Cause, st.integers(0, 255), st.integers(0, 255))),
        max_size=3,
    ).map(tuple),
    policy_update=st.booleans(),
    restore_pending=st.booleans(),
)


@given(e2_records)
def test_every_e2_record_comes_back_as_it_was(record: E2Record) -> None:
    assert decode_e2(str(record.instance_id), encode_e2(record)) == record
    open_again = replace(record, admitted=None, not_admitted=())
    assert decode_e2(str(record.instance_id), encode_e2(open_again)) == open_again


@pytest.mark.parametrize(
    ("trigger", "definition", "remembered"), [(100, 100, True), (1_000_000, 1, False), (1, 1_000_000, False)]
)
def test_large_contents_are_not_remembered_when_they_have_been_encoded(
    trigger: int, definition: int, remembered: bool
) -> None:
    octets = secrets.token_bytes(trigger), secrets.token_bytes(definition)
    before = list(map(sys.getrefcount, octets))
    record = E2Record(1, "gnb", 123, 7, Content(2, octets[0], (Action(1, ActionType.REPORT, octets[1]),)), (), (), ())
    assert decode_e2("1", encode_e2(record)) == record
    del record
    assert (list(map(sys.getrefcount, octets)) != before) == remembered
