# SPDX-License-Identifier: Apache-2.0
"""URLs and addresses in parts lead to the same endpoint and request target."""

from __future__ import annotations

import pytest

from submgr.platform.http.errors import Endpoint, HttpConnectError
from submgr.platform.http.target import Target, parse


@pytest.mark.parametrize(
    ("url", "endpoint", "path"),
    [
        ("http://h", Endpoint("http", "h", 80), "/"),
        ("https://h?x=1", Endpoint("https", "h", 443), "/?x=1"),
        ("http://H:81/a b/%20?q=\u00e4#gone", Endpoint("http", "h", 81), "/a%20b/%20?q=%C3%A4"),
        ("http://[::1]:82/", Endpoint("http", "::1", 82), "/"),
        (Target("10.0.0.1", 83, "x"), Endpoint("http", "10.0.0.1", 83), "/x"),
        (Target("h", 84, "/a\r\nX: y", "https"), Endpoint("https", "h", 84), "/a%0D%0AX:%20y"),
    ],
)
def test_endpoint_and_path(url, endpoint, path):
    assert parse(url) == (endpoint, path)


@pytest.mark.parametrize("url", ["h:80", "http://h:0/", Target("h", 65536, "/"), Target("h", 80, "/", "ftp")])
def test_what_is_no_address_is_refused_before_anything_is_sent(url):
    with pytest.raises(HttpConnectError) as refused:
        parse(url)
    assert refused.value.sent is False


def test_an_endpoint_is_written_as_in_a_host_header():
    assert [str(Endpoint("http", host, 1)) for host in ("h", "::1")] == ["h:1", "[::1]:1"]
