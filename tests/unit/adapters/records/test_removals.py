# SPDX-License-Identifier: Apache-2.0
import json
import re
import time

import pytest
from msgspec.structs import replace
from support.adapters.stored_records import REMOVAL

from submgr.adapters.records.forms import RecordError
from submgr.adapters.records.removals import decode_removal, encode_removal, removal_key


def test_removal() -> None:
    stored = encode_removal(REMOVAL)
    assert {name: value for name, value in json.loads(stored).items() if name != "Since"} == {
        "InstanceId": 5,
        "Meid": "gnb_208_092_000001",
        "FunctionId": 2,
        "Routes": [{"Addr": "127.0.0.1", "Port": 4560}, {"Addr": "::1", "Port": 4570}],
        "NodeDelete": True,
        "RequestorId": 123,
    }
    assert replace(decode_removal("5:gnb_208_092_000001", stored), since=REMOVAL.since) == REMOVAL


def test_how_long_ago_the_subscription_went_survives_a_restart_of_the_machine() -> None:
    an_hour_ago = replace(REMOVAL, since=time.monotonic() - 3600)
    assert json.loads(encode_removal(an_hour_ago))["Since"] == pytest.approx(time.time() - 3600, abs=60)
    again = decode_removal("5:gnb_208_092_000001", encode_removal(an_hour_ago))
    assert again.since == pytest.approx(an_hour_ago.since, abs=60)


@pytest.mark.parametrize("since", ["0", "-5", "99999999999", "1e300"])
def test_a_time_that_is_unknown_or_not_yet_counts_as_now(since: str) -> None:
    stored = re.sub(rb'"Since":[^}]*', b'"Since":' + since.encode(), encode_removal(REMOVAL))
    assert decode_removal("5:gnb_208_092_000001", stored).since == pytest.approx(time.monotonic(), abs=60)


def test_removals_of_one_instance_id_at_two_nodes_do_not_overwrite_each_other() -> None:
    assert removal_key("a", 5) != removal_key("b", 5)


@pytest.mark.parametrize("key", ["6:gnb_208_092_000001", "5", "5:gnb", "05:gnb_208_092_000001", ""])
def test_a_removal_belongs_under_its_own_key(key: str) -> None:
    with pytest.raises(RecordError, match="key"):
        decode_removal(key, encode_removal(REMOVAL))
