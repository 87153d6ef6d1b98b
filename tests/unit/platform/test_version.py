# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from submgr.platform.version import UNKNOWN, version


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    version.cache_clear()
    yield
    version.cache_clear()


def test_what_is_installed() -> None:
    assert version() == metadata.version("ric-submgr")


def test_the_first_of_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ric_submgr-2.0.0rc1+site.4.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", ["/nowhere", str(tmp_path), *sys.path])
    assert version() == "2.0.0rc1+site.4"


def test_what_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ric_submgr_simulators-1.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert version() == UNKNOWN
