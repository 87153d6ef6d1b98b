# SPDX-License-Identifier: Apache-2.0
import logging

import pytest

from submgr.adapters.rnib.connection_state import Book, LocalNodeState, NodeState
from submgr.adapters.rnib.messages import Link


class Told(list[tuple[str, Link, bool]]):
    def __call__(self, meid: str, link: Link, again: bool) -> None:
        self.append((meid, link, again))


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def book(counted: list[str], told: Told) -> Book:
    book = Book(counted.append)
    book.callback = told
    return book


def test_events(book: Book, told: Told, counted: list[str]) -> None:
    assert book.state("a") is Link.UNKNOWN
    book.told("b", Link.CONNECTED)
    book.told("a", Link.CONNECTED)
    assert book.connected() == ["a", "b"]
    book.told("a", Link.UNDER_RESET)
    book.told("b", Link.DISCONNECTED)
    assert book.connected() == []
    assert (book.state("a"), book.state("b")) == (Link.UNDER_RESET, Link.DISCONNECTED)
    assert told == [
        ("b", Link.CONNECTED, False),
        ("a", Link.CONNECTED, False),
        ("a", Link.UNDER_RESET, False),
        ("b", Link.DISCONNECTED, False),
    ]
    assert counted == [
        "E2StateChangedToUp",
        "E2StateChangedToUp",
        "E2StateChangedToUnderReset",
        "E2StateChangedToDown",
    ]


def test_connected_once_more_is_told(book: Book, told: Told) -> None:
    for link in (Link.CONNECTED, Link.CONNECTED, Link.DISCONNECTED, Link.DISCONNECTED, Link.CONNECTED):
        book.told("a", link)
    assert told == [
        ("a", Link.CONNECTED, False),
        ("a", Link.CONNECTED, True),
        ("a", Link.DISCONNECTED, False),
        ("a", Link.CONNECTED, False),
    ]


def test_a_reading_tells_only_what_is_other_than_before(book: Book, told: Told, counted: list[str]) -> None:
    book.read(book.mark(), {"a": Link.CONNECTED, "b": Link.DISCONNECTED})
    assert counted == [], "the first knowledge of a node is no change of it"
    book.read(book.mark(), {"a": Link.CONNECTED, "b": Link.CONNECTED})
    assert told == [("a", Link.CONNECTED, False), ("b", Link.DISCONNECTED, False), ("b", Link.CONNECTED, False)]
    assert counted == ["E2StateChangedToUp"]


def test_what_is_told_during_a_reading_is_newer_than_the_reading(book: Book, told: Told) -> None:
    book.read(book.mark(), {"a": Link.DISCONNECTED, "b": Link.CONNECTED})
    mark = book.mark()
    book.told("a", Link.CONNECTED)
    book.read(mark, {"a": Link.DISCONNECTED, "b": Link.DISCONNECTED})
    assert (book.state("a"), book.state("b")) == (Link.CONNECTED, Link.DISCONNECTED)
    assert told[-2:] == [("a", Link.CONNECTED, False), ("b", Link.DISCONNECTED, False)]


def test_a_reading_is_newer_than_what_was_told_before_it_began(book: Book) -> None:
    book.told("a", Link.CONNECTED)
    book.read(book.mark(), {"a": Link.DISCONNECTED})
    assert book.state("a") is Link.DISCONNECTED


def test_a_node_that_has_gone_from_rnib_is_unknown(book: Book, told: Told) -> None:
    book.read(book.mark(), {"a": Link.CONNECTED, "b": Link.CONNECTED})
    mark = book.mark()
    book.told("b", Link.CONNECTED)
    book.read(mark, {})
    assert (book.state("a"), book.state("b")) == (Link.UNKNOWN, Link.CONNECTED)
    assert told[-1] == ("a", Link.UNKNOWN, False)
    book.read(book.mark(), {})
    assert book.state("b") is Link.UNKNOWN


def test_a_node_that_only_events_have_told_of_stays_known(book: Book) -> None:
    book.told("a", Link.CONNECTED)
    book.read(book.mark(), {})
    assert book.state("a") is Link.CONNECTED


def test_an_unreadable_record_changes_nothing(book: Book, told: Told) -> None:
    book.read(book.mark(), {"a": Link.CONNECTED})
    book.read(book.mark(), {"a": None, "b": None})
    assert (book.state("a"), book.state("b")) == (Link.CONNECTED, Link.UNKNOWN)
    assert len(told) == 1


def test_local_nodes(told: Told) -> None:
    nodes = LocalNodeState()
    port: NodeState = nodes
    port.on_change(told)
    port.start()
    nodes.set("b", Link.CONNECTED)
    nodes.set("a", Link.CONNECTED)
    nodes.set("a", Link.CONNECTED)
    assert (port.state("a"), port.state("c")) == (Link.CONNECTED, Link.UNKNOWN)
    assert port.connected() == ["a", "b"]
    assert port.known()
    assert not port.stale()
    assert told == [("b", Link.CONNECTED, False), ("a", Link.CONNECTED, False), ("a", Link.CONNECTED, True)]
    port.stop()


def test_every_node_counts_as_up_and_the_start_says_so(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    nodes = LocalNodeState(everything_up=True)
    nodes.on_change(told)
    with caplog.at_level(logging.WARNING):
        nodes.start()
    assert "not watched" in caplog.text
    assert nodes.state("any") is Link.CONNECTED
    assert nodes.connected() == []
    nodes.set("any", Link.DISCONNECTED)
    assert nodes.state("any") is Link.DISCONNECTED
