# SPDX-License-Identifier: Apache-2.0
import pytest

from submgr.settings.kinds import base_url, collector, host, metric_namespace, rmr_port


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (rmr_port, [("tcp:4560", 4560), ("4560", 4560), (4560, 4560), (" TCP:1 ", 1)], ["udp:1", "tcp:0", "65536", ""]),
        (host, [("rtmgr", "rtmgr"), ("[::1]", "::1"), ("10.0.0.1", "10.0.0.1")], ["", "http://x", "a b"]),
        (base_url, [("/ric/v1/", "/ric/v1"), ("", ""), ("/", "")], ["ric", "/a b"]),
        (
            collector,
            [("", ""), (" http://c:4318 ", "http://c:4318"), ("https://c/v1/traces", "https://c/v1/traces")],
            ["c:4318", "grpc://c:4317", "http://", "http://c:0", "http://c:x"],
        ),
        (metric_namespace, [("ns_1", "ns_1"), ("", "")], ["a-b", "1a"]),
    ],
)
def test_kinds(kind, good, bad):
    for value, want in good:
        assert kind(value) == want
        assert kind(kind.show(want)) == want
    for value in bad:
        with pytest.raises(ValueError, match=r"\w"):
            kind(value)


def test_a_port_is_shown_as_rmr_names_it():
    assert rmr_port.show(4560) == "tcp:4560"
