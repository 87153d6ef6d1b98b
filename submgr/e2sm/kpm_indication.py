# SPDX-License-Identifier: Apache-2.0
"""Indications of the KPM service model v3.00 in their format 1: measurements of a node (E2SM-KPM 8.2.1.3, 8.2.1.4)."""

from __future__ import annotations

from submgr.e2sm.bits import BitReader, BitWriter
from submgr.e2sm.choices import Alternative, Choice, Chosen
from submgr.e2sm.kpm import MILLISECONDS, Measurement
from submgr.e2sm.layouts import LAYOUTS, Model
from submgr.e2sm.per import TYPES, Flag, Integer, ListOf, Null, Octets
from submgr.e2sm.real import Real
from submgr.e2sm.sequences import part, sequence

_LAYOUT = LAYOUTS[Model.KPM][0]


@sequence
class CollectionStart:
    """`time`: eight octets of NTP. The names of files and senders of the format are left out."""

    time: bytes = part(Octets(8), "collection_start_hex")
    file_format: bool | None = part(Null(), default=None)
    sender_name: bool | None = part(Null(), default=None)
    sender_type: bool | None = part(Null(), default=None)
    vendor_name: bool | None = part(Null(), default=None)


@sequence
class Header:
    content: Chosen = part(Choice(Alternative(1, CollectionStart), tag="format"))


_VALUE = Choice(
    Alternative("integer", Integer(0, 0xFFFFFFFF)), Alternative("real", Real()), Alternative("no_value", Null())
)


@sequence
class Record:
    """A value for each measurement and label."""

    values: tuple[Chosen, ...] = part(ListOf(_VALUE, None), "values")
    incomplete: bool | None = part(Flag(), "incomplete", default=None)


@sequence
class Records:
    """A record for each granularity period."""

    records: tuple[Record, ...] = part(ListOf(Record, 65535), "records")
    measurements: tuple[Measurement, ...] | None = part(ListOf(Measurement, 65535), "measurements", default=None)
    granularity: int | None = part(MILLISECONDS, "granularity_ms", default=None)


@sequence
class Message:
    """The other two formats, of measurements of UEs, are not written here, and not read."""

    content: Chosen = part(
        Choice(Alternative(1, Records), Alternative(2, Null()), Alternative(3, Null(), addition=True), tag="format")
    )


def write(body: Header | Message) -> bytes:
    """The octets of a header or a message. Raises Unwritable."""
    writer = BitWriter(_LAYOUT)
    TYPES[type(body)].write(writer, body)
    return writer.finish()


def read_message(octets: bytes) -> Message:
    """The message in these octets. Raises Unreadable."""
    reader = BitReader(octets, _LAYOUT)
    message: Message = TYPES[Message].read(reader)
    reader.finish()
    return message
