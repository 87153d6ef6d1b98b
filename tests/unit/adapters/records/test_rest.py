# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submgr.adapters.records.rest import (
    RecordError,
    decode_e2,
    decode_removal,
    decode_rest,
    e2_json,
    encode_e2,
    encode_removal,
    encode_rest,
    removal_key,
)
from submgr.core.model import (
    Content,
    E2Record,
    Holder,
    Removal,
    RestHolder,
    RestRecord,
    RmrEndpoint,
    RmrHolder,
)
from submgr.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    NotAdmitted,
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)

GO_E2 = (
    b'{"Valid":true,"ReqId":{"Id":12345,"InstanceId":1},'
    b'"Meid":{"PlmnID":"","EnbID":"","RanName":"gnb_208_092_000001"},'
    b'"EpList":{"Endpoints":[{"Addr":"127.0.0.1","Port":4560}]},'
    b'"SubReqMsg":{"Id":123,"InstanceId":1,"FunctionId":2,"Data":{"Length":4,"Data":"AQIDBA=="},'
    b'"ActionSetups":[{"ActionId":1,"ActionType":0,"RicActionDefinitionPresent":true,'
    b'"Data":{"Length":4,"Data":"BQYHCA=="},"Present":true,"Type":0,"TimetoWait":4}]},'
    b'"SubRespMsg":{"Id":123,"InstanceId":1,"FunctionId":2,"ActionAdmittedList":{"Items":[{"ActionId":1}]},'
    b'"ActionNotAdmittedList":{"Items":null}},"SubRespRcvd":"SubResp","PolicyUpdate":false}'
)
GO_UNCOMPLETED = (
    b'{"Valid":true,"ReqId":{"Id":12345,"InstanceId":7},'
    b'"Meid":{"PlmnID":"","EnbID":"","RanName":"gnb_208_092_000001"},'
    b'"EpList":{"Endpoints":[{"Addr":"127.0.0.1","Port":0}]},'
    b'"SubReqMsg":{"Id":123,"InstanceId":7,"FunctionId":0,"Data":{"Length":0,"Data":null},'
    b'"ActionSetups":[{"ActionId":0,"ActionType":2,"RicActionDefinitionPresent":false,'
    b'"Data":{"Length":0,"Data":null},"Present":false,"Type":0,"TimetoWait":0}]},'
    b'"SubRespMsg":{"Id":0,"InstanceId":0,"FunctionId":0,"ActionAdmittedList":{"Items":null},'
    b'"ActionNotAdmittedList":{"Items":null}},"SubRespRcvd":"","PolicyUpdate":true}'
)
GO_PARTIAL = GO_E2.replace(
    b'"ActionNotAdmittedList":{"Items":null}',
    b'"ActionNotAdmittedList":{"Items":[{"ActionId":2,"Cause":{"Content":1,"Value":5}}]}',
)
GO_REST = (
    b'{"Created":"2026-11-22 00:33:40.850","XAppServiceName":"127.0.0.1","XAppRmrEndPoint":"127.0.0.1:4560",'
    b'"Meid":"gnb_208_092_000001","InstanceIds":[1],"XAppIdToE2Id":{"12345":1},"SubReqOngoing":false,'
    b'"SubDelReqOngoing":false,"Md5sum":"4a6e0f0b6b8dbb8e0f8d1c6a2f0b1a3c"}'
)
ENDPOINT = RmrEndpoint("127.0.0.1", 4560)
REST_ID = "2Q8c0sTqLhYQ0OJnZ7sYJxFyYzA"


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


def test_rest_record_of_the_go_implementation() -> None:
    record = decode_rest(REST_ID, GO_REST)
    assert record == RestRecord(
        subscription_id=REST_ID,
        created="2026-11-22 00:33:40.850",
        host="127.0.0.1",
        http_port=None,
        rmr=ENDPOINT,
        meid="gnb_208_092_000001",
        instances=((12345, 1),),
        request_ongoing=False,
        delete_ongoing=False,
        digests=("4a6e0f0b6b8dbb8e0f8d1c6a2f0b1a3c",),
    )
    assert encode_rest(record) == GO_REST


def test_additional_keys_of_a_rest_record() -> None:
    record = replace(decode_rest(REST_ID, GO_REST), http_port=8081, digests=("new", "old"), instances=())
    assert encode_rest(record) == (
        b'{"Created":"2026-11-22 00:33:40.850","XAppServiceName":"127.0.0.1","XAppRmrEndPoint":"127.0.0.1:4560",'
        b'"Meid":"gnb_208_092_000001","InstanceIds":null,"XAppIdToE2Id":{},"SubReqOngoing":false,'
        b'"SubDelReqOngoing":false,"Md5sum":"new","HttpPort":8081,"Digests":["new","old"]}'
    )
    assert decode_rest(REST_ID, encode_rest(record)) == record


def test_instances_keep_the_order_of_their_completion() -> None:
    record = replace(decode_rest(REST_ID, GO_REST), instances=((9, 30), (10, 30), (1, 20), (100, 7)))
    stored = json.loads(encode_rest(record))
    assert stored["InstanceIds"] == [30, 20, 7]
    assert list(stored["XAppIdToE2Id"]) == ["1", "10", "100", "9"]
    again = decode_rest(REST_ID, encode_rest(record)).instances
    assert [instance for _, instance in again] == [30, 30, 20, 7]
    assert sorted(again) == sorted(record.instances)


def test_rest_record_of_an_old_release() -> None:
    stored = b'{"XAppRmrEndPoint":"xapp-rmr:4560","Meid":"gnb","InstanceIds":[4,5],"SubReqOngoing":true}'
    record = decode_rest(REST_ID, stored, requestors={4: 11})
    assert (record.host, record.created, record.digests) == ("xapp-rmr", "", ())
    assert record.request_ongoing
    assert record.instances == ((11, 4),)


def test_instance_ids_that_only_the_map_has_come_last() -> None:
    stored = GO_REST.replace(b'"InstanceIds":[1]', b'"InstanceIds":[2,1]').replace(
        b'{"12345":1}', b'{"12345":1,"8":3,"7":2}'
    )
    assert decode_rest(REST_ID, stored).instances == ((7, 2), (12345, 1), (8, 3))


def test_xapp_without_rmr_port() -> None:
    stored = GO_REST.replace(b'"XAppRmrEndPoint":"127.0.0.1:4560"', b'"XAppRmrEndPoint":""')
    assert decode_rest(REST_ID, stored).rmr == RmrEndpoint("127.0.0.1", 0)
    without = replace(decode_rest(REST_ID, GO_REST), rmr=RmrEndpoint("127.0.0.1", 0))
    assert json.loads(encode_rest(without))["XAppRmrEndPoint"] == "127.0.0.1:0"


def test_a_go_digest_set_after_ours_is_the_newest() -> None:
    stored = GO_REST[:-1] + b',"Digests":["ours"]}'
    assert decode_rest(REST_ID, stored).digests == ("4a6e0f0b6b8dbb8e0f8d1c6a2f0b1a3c", "ours")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"127.0.0.1:4560"', b'"127.0.0.1"'),
        (b'"127.0.0.1:4560"', b'"127.0.0.1:65536"'),
        (b'"127.0.0.1:4560"', b'":"'),
        (b'{"12345":1}', b'{"one":1}'),
        (b'{"12345":1}', b'{"12345":0}'),
        (b'{"12345":1}', b'{"65536":1}'),
        (b"[1]", b"[70000]"),
        (b"[1]", b'["1"]'),
        (b'"SubReqOngoing":false', b'"SubReqOngoing":"false"'),
        (b'"gnb_208_092_000001"', b"null"),
        (b"}", b""),
        (b'"Created"', b'"HttpPort":0,"Created"'),
        (b'"Created"', b'"Digests":[1],"Created"'),
    ],
)
def test_unreadable_rest_records(old: bytes, new: bytes) -> None:
    assert old in GO_REST
    with pytest.raises(RecordError):
        decode_rest(REST_ID, GO_REST.replace(old, new))


REMOVAL = Removal(5, "gnb_208_092_000001", 2, (ENDPOINT, RmrEndpoint("::1", 4570)), node_delete=True)


def test_removal() -> None:
    stored = encode_removal(REMOVAL)
    assert json.loads(stored) == {
        "InstanceId": 5,
        "Meid": "gnb_208_092_000001",
        "FunctionId": 2,
        "Routes": [{"Addr": "127.0.0.1", "Port": 4560}, {"Addr": "::1", "Port": 4570}],
        "NodeDelete": True,
        "RequestorId": 123,
    }
    assert decode_removal("5:gnb_208_092_000001", stored) == REMOVAL


def test_removals_of_one_instance_id_at_two_nodes_do_not_overwrite_each_other() -> None:
    assert removal_key("a", 5) != removal_key("b", 5)


@pytest.mark.parametrize("key", ["6:gnb_208_092_000001", "5", "5:gnb", "05:gnb_208_092_000001", ""])
def test_a_removal_belongs_under_its_own_key(key: str) -> None:
    with pytest.raises(RecordError, match="key"):
        decode_removal(key, encode_removal(REMOVAL))


PIECES = [b"null", b"{}", b"[]", b"-1", b"1e9", b"1.0", b"99999999999", b'"', b"\\u", b",", b"}"]
endpoints = st.builds(RmrEndpoint, st.text(min_size=1, max_size=20), st.integers(0, 65535))
numbers = st.integers(0, 65535)
rest_ids = st.text(min_size=1, max_size=27)
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
meids = st.text(min_size=1, max_size=7)
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


@given(
    st.builds(
        RestRecord,
        subscription_id=rest_ids,
        created=st.text(max_size=30),
        host=st.text(min_size=1, max_size=20),
        http_port=st.none() | st.integers(1, 65535),
        rmr=endpoints,
        meid=meids,
        instances=st.dictionaries(numbers, st.integers(1, 65535), max_size=4).map(
            lambda pairs: tuple((xapp, instance) for xapp, instance in pairs.items())
        ),
        request_ongoing=st.booleans(),
        delete_ongoing=st.booleans(),
        digests=st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=3).map(tuple),
    )
)
def test_every_rest_record_comes_back_as_it_was(record: RestRecord) -> None:
    again = decode_rest(record.subscription_id, encode_rest(record))
    assert dict(again.instances) == dict(record.instances)
    assert replace(again, instances=record.instances) == record


@given(st.data())
def test_bytes_that_are_no_record_are_refused_and_never_anything_else(data: st.DataObject) -> None:
    stored = bytearray(data.draw(st.sampled_from([GO_E2, GO_UNCOMPLETED, GO_REST, encode_removal(REMOVAL)])))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(stored)))
        stop = data.draw(st.integers(start, min(start + 8, len(stored))))
        stored[start:stop] = data.draw(st.binary(max_size=4) | st.sampled_from(PIECES))
    removal = (decode_removal, "5:gnb_208_092_000001")
    for decode, key in ((decode_e2, "1"), (decode_e2, "7"), (decode_rest, REST_ID), removal):
        try:
            record = decode(key, bytes(stored))
        except RecordError as error:
            assert str(error)
        else:
            # what can be read can be written, and means the same again
            if isinstance(record, E2Record):
                assert decode_e2("1" if record.instance_id == 1 else key, encode_e2(record)) == record
