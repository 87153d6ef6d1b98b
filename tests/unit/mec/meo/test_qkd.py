# SPDX-License-Identifier: Apache-2.0
"""Key availability out of what key management entities say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec.meo.model import QkdSource
from mec.meo.qkd import availability, status_url


@pytest.mark.parametrize(
    ("status", "share"),
    [
        ({"stored_key_count": 25, "max_key_count": 100}, 0.25),
        ({"stored_key_count": 100, "max_key_count": 100}, 1.0),
        ({"stored_key_count": 150, "max_key_count": 100}, 1.0),
        ({"stored_key_count": -1, "max_key_count": 100}, 0.0),
        ({"stored_key_count": 0, "max_key_count": 0}, 0.0),
        ({"stored_key_count": 5, "max_key_count": 0}, 0.0),
        ({"stored_key_count": 5, "max_key_count": -5}, 0.0),
        ({"stored_key_count": 5}, 0.0),
        ({"max_key_count": 5}, 0.0),
        ({"stored_key_count": "5", "max_key_count": 5}, 0.0),
        ({"stored_key_count": True, "max_key_count": 5}, 0.0),
        ({}, 0.0),
        ([], 0.0),
        (None, 0.0),
    ],
)
def test_availability(status: Any, share: float) -> None:
    assert availability(status) == share


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=4,
)


@given(json_values | st.fixed_dictionaries({"stored_key_count": json_values, "max_key_count": json_values}))
def test_any_answer_is_a_share(status: Any) -> None:
    assert 0.0 <= availability(status) <= 1.0


@pytest.mark.parametrize(
    ("kme", "url"),
    [
        ("kme:8443", "https://kme:8443/api/v1/keys/a%2Fb/status"),
        ("https://kme/", "https://kme/api/v1/keys/a%2Fb/status"),
        ("https://kme/prefix", "https://kme/prefix/api/v1/keys/a%2Fb/status"),
    ],
)
def test_address(kme: str, url: str) -> None:
    assert status_url(QkdSource(kme, ("a/b",)), "a/b") == url
