# SPDX-License-Identifier: Apache-2.0
"""Identifiers of applications and MECs."""

from __future__ import annotations

import pytest

from mec.common import ids


def test_ids() -> None:
    assert ids.app_id(12345) == ids.app_id("12345") == "12345"
    assert ids.mec_id("5") == 5
    for wrong in ("", "a b", "x" * 65, True, 1.5, None, "é"):
        with pytest.raises(ValueError):
            ids.app_id(wrong)
    for wrong in ("", "-1", "x", True, 1.5, None):
        with pytest.raises(ValueError):
            ids.mec_id(wrong)
