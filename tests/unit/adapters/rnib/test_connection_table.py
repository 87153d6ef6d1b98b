# SPDX-License-Identifier: Apache-2.0
import pytest

from submgr.adapters.rnib import connection_table
from submgr.adapters.rnib.connection_table import ConnectionTable
from submgr.adapters.rnib.messages import ConnectionState


class Told(list[tuple[str, ConnectionState, bool]]):
    def __call__(self, meid: str, state: ConnectionState, again: bool) -> None:
        self.append((meid, state, again))


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def table(counted: list[str], told: Told) -> ConnectionTable:
    table = ConnectionTable(counted.append)
    table.callback = told
    return table


def test_events(table: ConnectionTable, told: Told, counted: list[str]) -> None:
    assert table.state("a") is ConnectionState.UNKNOWN
    table.told("b", ConnectionState.CONNECTED)
    table.told("a", ConnectionState.CONNECTED)
    assert table.connected() == ["a", "b"]
    table.told("a", ConnectionState.UNDER_RESET)
    table.told("b", ConnectionState.DISCONNECTED)
    assert table.connected() == []
    assert (table.state("a"), table.state("b")) == (ConnectionState.UNDER_RESET, ConnectionState.DISCONNECTED)
    assert told == [
        ("b", ConnectionState.CONNECTED, False),
        ("a", ConnectionState.CONNECTED, False),
        ("a", ConnectionState.UNDER_RESET, False),
        ("b", ConnectionState.DISCONNECTED, False),
    ]
    assert counted == [
        "E2StateChangedToUp",
        "E2StateChangedToUp",
        "E2StateChangedToUnderReset",
        "E2StateChangedToDown",
    ]


def test_connected_once_more_is_told(table: ConnectionTable, told: Told) -> None:
    for state in (
        ConnectionState.CONNECTED,
        ConnectionState.CONNECTED,
        ConnectionState.DISCONNECTED,
        ConnectionState.DISCONNECTED,
        ConnectionState.CONNECTED,
    ):
        table.told("a", state)
    assert told == [
        ("a", ConnectionState.CONNECTED, False),
        ("a", ConnectionState.CONNECTED, True),
        ("a", ConnectionState.DISCONNECTED, False),
        ("a", ConnectionState.CONNECTED, False),
    ]


def test_a_reading_tells_only_what_is_other_than_before(table: ConnectionTable, told: Told, counted: list[str]) -> None:
    table.read(table.mark(), {"a": ConnectionState.CONNECTED, "b": ConnectionState.DISCONNECTED})
    assert counted == [], "the first knowledge of a node is no change of it"
    table.read(table.mark(), {"a": ConnectionState.CONNECTED, "b": ConnectionState.CONNECTED})
    assert told == [
        ("a", ConnectionState.CONNECTED, False),
        ("b", ConnectionState.DISCONNECTED, False),
        ("b", ConnectionState.CONNECTED, False),
    ]
    assert counted == ["E2StateChangedToUp"]


def test_what_is_told_during_a_reading_is_newer_than_the_reading(table: ConnectionTable, told: Told) -> None:
    table.read(table.mark(), {"a": ConnectionState.DISCONNECTED, "b": ConnectionState.CONNECTED})
    mark = table.mark()
    table.told("a", ConnectionState.CONNECTED)
    table.read(mark, {"a": ConnectionState.DISCONNECTED, "b": ConnectionState.DISCONNECTED})
    assert (table.state("a"), table.state("b")) == (ConnectionState.CONNECTED, ConnectionState.DISCONNECTED)
    assert told[-2:] == [("a", ConnectionState.CONNECTED, False), ("b", ConnectionState.DISCONNECTED, False)]


def test_a_reading_is_newer_than_what_was_told_before_it_began(table: ConnectionTable) -> None:
    table.told("a", ConnectionState.CONNECTED)
    table.read(table.mark(), {"a": ConnectionState.DISCONNECTED})
    assert table.state("a") is ConnectionState.DISCONNECTED


def test_a_node_that_has_gone_from_rnib_is_unknown(table: ConnectionTable, told: Told) -> None:
    table.read(table.mark(), {"a": ConnectionState.CONNECTED, "b": ConnectionState.CONNECTED})
    mark = table.mark()
    table.told("b", ConnectionState.CONNECTED)
    table.read(mark, {})
    assert (table.state("a"), table.state("b")) == (ConnectionState.UNKNOWN, ConnectionState.CONNECTED)
    assert told[-1] == ("a", ConnectionState.UNKNOWN, False)
    table.read(table.mark(), {})
    assert table.state("b") is ConnectionState.UNKNOWN


def test_a_node_that_only_events_have_told_of_stays_known(table: ConnectionTable) -> None:
    table.told("a", ConnectionState.CONNECTED)
    table.read(table.mark(), {})
    assert table.state("a") is ConnectionState.CONNECTED


def test_an_unreadable_record_changes_nothing(table: ConnectionTable, told: Told) -> None:
    table.read(table.mark(), {"a": ConnectionState.CONNECTED})
    table.read(table.mark(), {"a": None, "b": None})
    assert (table.state("a"), table.state("b")) == (ConnectionState.CONNECTED, ConnectionState.UNKNOWN)
    assert len(told) == 1


def test_who_would_lose_its_connection_by_a_reading_and_is_spared(table: ConnectionTable, told: Told) -> None:
    up, down = ConnectionState.CONNECTED, ConnectionState.DISCONNECTED
    table.read(table.mark(), {"a": up, "b": up, "c": up, "d": down, "e": up})
    table.told("only told", up)
    mark = table.mark()
    table.told("e", up)
    found = {"a": down, "c": None, "d": ConnectionState.UNDER_RESET, "e": down}
    assert table.worse(mark, found) == {"a", "b"}, "not: unreadable, worse already, told since, never read"
    told.clear()
    table.read(mark, found, spared={"a", "b"})
    assert [table.state(name) for name in "abcde"] == [up, up, up, ConnectionState.UNDER_RESET, up]
    assert told == [("d", ConnectionState.UNDER_RESET, False)]
    assert table.told_since(mark, "e")
    assert not table.told_since(table.mark(), "e")
    assert not table.told_since(mark, "nobody")
    table.read(table.mark(), found)
    assert [table.state(name) for name in "ab"] == [down, ConnectionState.UNKNOWN]
    assert set(table.names()) == {*"abcde", "only told"}


def test_events_make_no_more_nodes_known_than_there_can_be(
    table: ConnectionTable, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_table, "MOST_NODES", 2)
    assert [table.told(name, ConnectionState.CONNECTED) for name in ("a", "b", "c", "a")] == [True, True, False, True]
    assert table.names() == ["a", "b"]
    table.read(table.mark(), {"c": ConnectionState.CONNECTED})
    assert table.names() == ["a", "b", "c"], "what R-NIB has is always taken"
