# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from importlib import metadata
from typing import Any
from unittest.mock import Mock

import pytest
from gevent import events
from gevent.monkey._util import _notify_patch

from submgr.platform.plug_ins import without_plug_ins


def test_only_who_is_in_the_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Mock(return_value=())
    monkeypatch.setattr(metadata, "entry_points", looks)
    told: list[Any] = []
    monkeypatch.setattr("zope.event.subscribers", [told.append])
    event = events.GeventWillPatchAllEvent({}, {})
    with without_plug_ins():
        _notify_patch(event)
    assert (told, looks.call_count) == ([event], 0)
    _notify_patch(event)
    assert (told, looks.call_count) == ([event, event], 1)
