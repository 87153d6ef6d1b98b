# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from submgr.platform.store.marker import Marker


@pytest.mark.parametrize("marker", [Marker(1), Marker(7, 123), Marker(7, 123, incomplete=True)])
def test_a_marker_is_read_as_it_was_written(marker: Marker) -> None:
    assert Marker.parse(bytes(marker)) == marker


@pytest.mark.parametrize("value", [None, b"", b"7", b"7:", b"7:x", b"-1:2", b"7:1:other", b"7:1\n", b"9" * 20 + b":1"])
def test_what_is_none_is_older_than_any(value: bytes | None) -> None:
    assert Marker.parse(value) == Marker()
    assert Marker.parse(value) < Marker(1)


def test_markers_have_an_order() -> None:
    assert Marker(1, 999) < Marker(2) < Marker(2, 1) < Marker(2, 2)
