# SPDX-License-Identifier: Apache-2.0
"""Listen addresses in the forms that configurations use."""

from __future__ import annotations

import pytest

from submgr.platform.http.listen import parse_listen


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":8080", ("", 8080)),
        ("8080", ("", 8080)),
        (" 127.0.0.1:0 ", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("name.example:65535", ("name.example", 65535)),
    ],
)
def test_host_and_port(text, address):
    assert parse_listen(text) == address


@pytest.mark.parametrize("text", ["", "host", "host:", ":65536", ":-1", ":8o", "::1:80", ":\u0661"])
def test_what_is_no_address_is_named(text):
    with pytest.raises(ValueError, match="listen address") as error:
        parse_listen(text)
    assert repr(text) in str(error.value)
