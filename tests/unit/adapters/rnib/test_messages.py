# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.adapters.protobuf import number, text, varint

from submgr.adapters.rnib.messages import (
    ConnectionState,
    NodeEntry,
    NodeEvents,
    node_key,
    read_events,
    read_identity,
    read_nodeb,
)

NAME = "gnb_208_092_000001"
# as E2 Manager writes them: names, identity of plmn and node, addresses, functions
IDENTITY = text(1, NAME) + text(2, text(1, "208092") + text(2, "0" * 29)) + number(3, 1) + number(4, 1_700_000_000)
NODEB = (
    text(1, NAME)
    + text(2, "10.0.0.1")
    + number(3, 36422)
    + number(5, 1)
    + number(8, 2)
    + text(10, text(1, b"\0" * 300))
    + text(15, "10.0.2.3:38000")
)


def test_the_two_fields_of_each_message() -> None:
    assert read_identity(IDENTITY) == NodeEntry(NAME, ConnectionState.CONNECTED)
    assert read_nodeb(NODEB) == NodeEntry(NAME, ConnectionState.CONNECTED)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0, ConnectionState.DISCONNECTED),  # UNKNOWN_CONNECTION_STATUS
        (1, ConnectionState.CONNECTED),
        (2, ConnectionState.DISCONNECTED),
        (3, ConnectionState.DISCONNECTED),  # CONNECTED_SETUP_FAILED
        (4, ConnectionState.DISCONNECTED),  # CONNECTING
        (5, ConnectionState.DISCONNECTED),  # SHUTTING_DOWN
        (6, ConnectionState.DISCONNECTED),  # SHUT_DOWN
        (7, ConnectionState.UNDER_RESET),
        (8, ConnectionState.DISCONNECTED),
        (2**64 - 1, ConnectionState.DISCONNECTED),
        (2**64 + 1, ConnectionState.CONNECTED),  # what is over 64 bits is cut, as protobuf does
    ],
)
def test_connection_status(status: int, state: ConnectionState) -> None:
    assert read_nodeb(text(1, NAME) + number(5, status)) == NodeEntry(NAME, state)
    assert read_identity(text(1, NAME) + number(3, status)) == NodeEntry(NAME, state)


def test_an_absent_status_is_the_default_of_protobuf() -> None:
    assert read_nodeb(text(1, NAME)) == NodeEntry(NAME, ConnectionState.DISCONNECTED)


def test_a_name_is_needed_where_it_is_the_only_one() -> None:
    assert read_identity(number(3, 1)) is None
    assert read_identity(b"") is None
    assert read_nodeb(number(5, 1)) == NodeEntry("", ConnectionState.CONNECTED)


def test_the_last_of_a_repeated_field_counts() -> None:
    assert read_nodeb(text(1, "a") + number(5, 1) + text(1, "b") + number(5, 2)) == NodeEntry(
        "b", ConnectionState.DISCONNECTED
    )


def test_unknown_fields_are_skipped_whatever_their_type() -> None:
    unknown = number(99, 5) + text(98, "x") + varint(97 << 3 | 1) + b"8" * 8 + varint(96 << 3 | 5) + b"4" * 4
    assert read_nodeb(unknown + NODEB + unknown) == NodeEntry(NAME, ConnectionState.CONNECTED)


def test_a_known_field_of_another_type_is_an_unknown_one() -> None:
    assert read_nodeb(NODEB + text(5, "2") + number(1, 7)) == NodeEntry(NAME, ConnectionState.CONNECTED)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00",  # field number 0
        b"\x00\x01",
        b"\x0a",  # a length is missing
        b"\x0a\x05abc",  # cut off
        b"\x0a\xff\xff\xff\xff\x0f",  # longer than there is
        b"\x0a\x02\xff\xfe",  # not UTF-8
        b"\x28",  # a value is missing
        b"\x28" + b"\xff" * 10 + b"\x01",  # a number without an end
        b"\x0b",  # groups are not of proto3
        b"\x0e\x00",  # no such wire type
        b"\x0d\x00\x00",  # four bytes cut off
        b"not protobuf at all",
    ],
)
def test_garbage(garbage: bytes) -> None:
    assert read_nodeb(garbage) is None
    assert read_nodeb(NODEB + garbage) is None
    assert read_identity(IDENTITY + garbage) is None


@given(st.binary(max_size=60))
def test_no_bytes_raise(data: bytes) -> None:
    for read in (read_nodeb, read_identity):
        entry = read(data)
        assert entry is None or isinstance(entry, NodeEntry)


@given(st.integers(0, len(NODEB) - 1), st.binary(max_size=3))
def test_no_damage_raises(at: int, instead: bytes) -> None:
    read_nodeb(NODEB[:at] + instead + NODEB[at + 1 :])
    read_identity(IDENTITY[: at % len(IDENTITY)] + instead)


@given(st.text(max_size=40), st.integers(0, 2**32))
def test_what_is_written_is_read(name: str, status: int) -> None:
    entry = read_nodeb(number(5, status) + text(1, name))
    assert entry is not None
    assert entry.name == name
    assert (entry.state is ConnectionState.CONNECTED) == (status == 1)


@pytest.mark.parametrize(
    ("payload", "changes", "ignored"),
    [
        (b"gnb_208_092_000001_CONNECTED", [(NAME, ConnectionState.CONNECTED)], 0),
        (b"gnb_208_092_000001_DISCONNECTED", [(NAME, ConnectionState.DISCONNECTED)], 0),
        (b"gnb_208_092_000001_UNDER_RESET", [(NAME, ConnectionState.UNDER_RESET)], 0),
        (b"gnb_208_092_000001_CONNECTED_SETUP_FAILED", [], 1),
        (b"gnb_208_092_000001_UNKNOWN_CONNECTION_STATUS", [], 1),
        (b"gnb_208_092_000001_SHUT_DOWN", [], 1),
        (b"_CONNECTED", [], 1),
        (b"CONNECTED", [], 1),
        (b"", [], 1),
        (b"\xff_CONNECTED", [], 1),
        (b"a\nb_CONNECTED", [], 1),
        (b"x_CONNECTED_CONNECTED", [("x_CONNECTED", ConnectionState.CONNECTED)], 0),
        (b"x__DISCONNECTED", [("x_", ConnectionState.DISCONNECTED)], 0),
        ("größe_CONNECTED".encode(), [("größe", ConnectionState.CONNECTED)], 0),
        (
            b"a_1_CONNECTED___b_DISCONNECTED___a_1_UNDER_RESET",
            [
                ("a_1", ConnectionState.CONNECTED),
                ("b", ConnectionState.DISCONNECTED),
                ("a_1", ConnectionState.UNDER_RESET),
            ],
            0,
        ),
        (
            b"a_CONNECTED___nonsense___b_CONNECTED",
            [("a", ConnectionState.CONNECTED), ("b", ConnectionState.CONNECTED)],
            1,
        ),
        (b"a_CONNECTED____b_CONNECTED", [("a", ConnectionState.CONNECTED), ("_b", ConnectionState.CONNECTED)], 0),
    ],
)
def test_events(payload: bytes, changes: list[tuple[str, ConnectionState]], ignored: int) -> None:
    assert read_events(payload) == NodeEvents(tuple(NodeEntry(*change) for change in changes), ignored)


@given(st.binary(max_size=60))
def test_no_payload_raises(payload: bytes) -> None:
    events = read_events(payload)
    assert len(events.changes) + events.ignored == payload.count(b"___") + 1


def test_node_key() -> None:
    assert node_key(NAME) == "RAN:gnb_208_092_000001"
