# SPDX-License-Identifier: Apache-2.0
"""Reading the forms: damaged bytes of every kind of record."""

from hypothesis import given
from hypothesis import strategies as st
from support.adapters.stored_records import GO_E2, GO_REST, GO_UNCOMPLETED, REMOVAL, REST_ID

from submgr.adapters.records.e2 import decode_e2, encode_e2
from submgr.adapters.records.forms import RecordError
from submgr.adapters.records.removals import decode_removal, encode_removal
from submgr.adapters.records.rest import decode_rest
from submgr.core.model import E2Record

PIECES = [b"null", b"{}", b"[]", b"-1", b"1e9", b"1.0", b"99999999999", b'"', b"\\u", b",", b"}"]


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
