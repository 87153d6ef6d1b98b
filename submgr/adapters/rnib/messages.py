# SPDX-License-Identifier: Apache-2.0
"""Reads what E2 Manager writes into R-NIB: two fields of two protobuf messages, and the events of one SDL channel.

No reader here raises an exception: it returns None for bytes that it cannot read, and the caller counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

NAMESPACE = "e2Manager"
SETS = ("GNB", "ENB")
CHANNEL = "RAN_CONNECTION_STATUS_CHANGE"

LONGEST_PAYLOAD = 1 << 16
"""Bytes; E2 Manager publishes a few events at a time."""
MOST_FIELDS = 10_000
"""Fields of one message; what is within a field is not looked at."""

_CONNECTED = 1
_UNDER_RESET = 7

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class ConnectionState(StrEnum):
    """The state of a node's E2 connection. UNKNOWN: R-NIB has no such node."""

    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    UNDER_RESET = "UNDER_RESET"
    UNKNOWN = "UNKNOWN"


class NodeEntry(Struct, frozen=True):
    """A node's name ("" when a NodebInfo has none) and the state of its connection, from NbIdentity or NodebInfo."""

    name: str
    state: ConnectionState


class NodeEvents(Struct, frozen=True):
    """The changes in one payload of the channel, in order, and how many parts of the payload are no known event."""

    changes: tuple[NodeEntry, ...]
    ignored: int


def node_key(name: str) -> str:
    """The key of a node's NodebInfo in R-NIB."""
    return f"RAN:{name}"


def read_identity(data: bytes) -> NodeEntry | None:
    """Reads a member of the sets `SETS`: an NbIdentity with inventory_name = 1 and connection_status = 3.

    None when it cannot be read or has no name.
    """
    entry = _read(data, name_field=1, status_field=3)
    return entry if entry is not None and entry.name else None


def read_nodeb(data: bytes) -> NodeEntry | None:
    """Reads the value of a node's key: a NodebInfo with ran_name = 1 and connection_status = 5."""
    return _read(data, name_field=1, status_field=5)


def read_events(payload: bytes) -> NodeEvents:
    """Reads a payload of the channel: `<name>_CONNECTED`, `<name>_DISCONNECTED`, `<name>_UNDER_RESET`, joined by `___`.

    Names may have underscores themselves. A payload that is too long is no known event.
    """
    if len(payload) > LONGEST_PAYLOAD:
        return NodeEvents((), 1)
    changes = []
    parts = payload.decode(errors="surrogateescape").split("___")
    for part in parts:
        for state in (ConnectionState.CONNECTED, ConnectionState.DISCONNECTED, ConnectionState.UNDER_RESET):
            name = part.removesuffix(f"_{state}")
            if name != part and name.isprintable() and name:
                changes.append(NodeEntry(name, state))
    return NodeEvents(tuple(changes), len(parts) - len(changes))


def _read(data: bytes, name_field: int, status_field: int) -> NodeEntry | None:
    """Takes the last one of a repeated field; skips unknown fields, and known ones of another type."""
    name, status = "", 0
    try:
        for field, value in fields(data):
            if field == name_field and isinstance(value, bytes):
                name = value.decode()
            elif field == status_field and isinstance(value, int):
                status = value
    except ValueError:  # UnicodeDecodeError is one
        return None
    return NodeEntry(name, _STATES.get(status, ConnectionState.DISCONNECTED))


# every other status (not set up, connecting, shut down) is not connected
_STATES = {_CONNECTED: ConnectionState.CONNECTED, _UNDER_RESET: ConnectionState.UNDER_RESET}


def fields(data: bytes) -> Iterator[tuple[int, int | bytes | None]]:
    """Number and value of each field of a protobuf message (None: a type that nobody here asks for).

    Raises ValueError on garbage.
    """
    position = count = 0
    while position < len(data):
        count += 1
        if count > MOST_FIELDS:
            raise ValueError("too many fields")
        tag, position = _varint(data, position)
        field, kind = tag >> 3, tag & 7
        if not 0 < field < 1 << 29:
            raise ValueError("no such field number")
        if kind == _VARINT:
            number, position = _varint(data, position)
            yield field, number
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("no such wire type")
        end = position + length
        if end > len(data):
            raise ValueError("cut off")
        yield field, data[position:end] if kind == _BYTES else None
        position = end


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The number that begins at `position`, and where it ends."""
    number = 0
    for count, octet in enumerate(data[position : position + 10]):
        number |= (octet & 0x7F) << 7 * count
        if octet < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, position + count + 1
    raise ValueError("a number without an end")
