# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import zlib

import pytest
from support.waiting import turns_until

from submgr.adapters import stored_routes
from submgr.adapters.stored_routes import StoredRoutes, packed, unpacked
from submgr.rmr.routing.reader import parse_routes
from submgr.rmr.routing.table import RouteTable

TABLE = parse_routes(
    "newrt|start|t1\nmse|12010|-1|%meid\nrte|1|a:1,b:2;c:3\nmse|12050|7|x:1\nnewrt|end|3\n"
    "meid_map|start|m\nmme_ar|e2term:1|gnb_1 gnb_2\nmeid_map|end|1\n"
)


def test_a_table_comes_back_as_it_was() -> None:
    assert unpacked(packed(TABLE)) == TABLE


def test_a_large_table_is_small_when_it_is_kept() -> None:
    lines = [f"mse|12050|{n}|service-ricxapp-{n}-rmr.ricxapp:4560" for n in range(5000)]
    table = parse_routes("\n".join(["newrt|start|t", *lines, "newrt|end|5000", ""]))
    data = packed(table)
    assert len(data) < 5000 * 20
    assert unpacked(data) == table


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", zlib.compress(b""), zlib.compress(b"newrt|start|t\n"), packed(TABLE)[:20]],
)
def test_what_cannot_be_read_is_no_table(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert unpacked(data) is None
    assert "cannot be read" in caplog.text


def test_a_bomb_is_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_routes, "_LARGEST_TEXT", 1000)
    assert unpacked(zlib.compress(bytes(100_000))) is None


def test_the_newest_table_is_kept_once_it_has_been_started() -> None:
    kept: list[bytes] = []
    routes = StoredRoutes(kept.append)
    routes.keep(RouteTable())
    routes.keep(TABLE)
    assert kept == []
    routes.start()
    turns_until(lambda: kept)
    assert [unpacked(data) for data in kept] == [TABLE]
    routes.stop()


def test_a_table_that_is_too_large_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stored_routes, "LARGEST", 10)
    kept: list[bytes] = []
    routes = StoredRoutes(kept.append)
    routes.start()
    routes.keep(TABLE)
    turns_until(lambda: "too large" in caplog.text)
    assert kept == []
    routes.stop()
