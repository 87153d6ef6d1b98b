# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.adapters.stored_records import ENDPOINT, GO_REST, REST_ID, endpoints, meids, numbers, rest_ids

from submgr.adapters.records.forms import RecordError
from submgr.adapters.records.rest import decode_rest, encode_rest
from submgr.core.model import RestRecord, RmrEndpoint


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


def test_a_record_remembers_its_owner() -> None:
    record = replace(decode_rest(REST_ID, GO_REST), owner="xapp-a")
    assert encode_rest(record) == GO_REST[:-1] + b',"Owner":"xapp-a"}'
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
