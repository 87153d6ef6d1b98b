# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from importlib import metadata

import pytest

from submgr.platform.plug_ins import looked_up_once


def test_the_same_plug_ins_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    look_up = metadata.entry_points

    def counted(**parameters: str) -> metadata.EntryPoints:
        looks.append(parameters)
        return look_up(**parameters)

    monkeypatch.setattr(metadata, "entry_points", counted)
    group = "gevent.plugins.monkey.will_patch_all"
    expected = look_up(group=group)
    assert len(expected) > 0
    with looked_up_once():
        for _ in range(3):
            assert set(metadata.entry_points(group=group)) == set(expected)
    assert looks == [{}]
    assert metadata.entry_points is counted
