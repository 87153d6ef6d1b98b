# SPDX-License-Identifier: Apache-2.0
"""The lease as the database has it: one small JSON value, which a process changes only as a whole."""

from __future__ import annotations

import enum

import msgspec
from msgspec import Struct


class State(enum.Enum):
    """What the record says about its lease."""

    HELD = "held"
    RELEASED = "released"
    """Its holder has given it back, and does nothing any more."""
    VACANT = "vacant"
    """Somebody found no record. A holder may be there whose record got lost: it writes its record again."""


class Holder(Struct, frozen=True):
    """A process. `name` and `address` are for people, `token` is this process's alone."""

    name: str
    address: str
    token: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.address else self.name


class LeaseRecord(Struct, frozen=True):
    """`epoch` grows with each acquisition. `beat` grows with each renewal, so that every value is a new one."""

    epoch: int
    state: State
    holder: str
    address: str
    token: str
    beat: int = 0

    @property
    def by(self) -> Holder:
        """Who wrote it."""
        return Holder(self.holder, self.address, self.token)

    def encode(self) -> bytes:
        return msgspec.json.encode(self)


_decoder = msgspec.json.Decoder(LeaseRecord)


def record_of(value: bytes) -> LeaseRecord:
    """The record in a stored value. A value that nobody can read is a vacant lease of epoch 0."""
    try:
        record = _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return LeaseRecord(0, State.VACANT, "", "", "")
    return record if record.epoch >= 0 else LeaseRecord(0, State.VACANT, "", "", "")


def written_by(holder: Holder, epoch: int, state: State, beat: int = 0) -> LeaseRecord:
    return LeaseRecord(epoch, state, holder.name, holder.address, holder.token, beat)
