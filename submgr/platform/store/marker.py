# SPDX-License-Identifier: Apache-2.0
"""The marker that stands beside the records on a database server: who writes them, and how far.

Each process that takes the records writes an epoch that is larger than all before, and a sequence number that grows
with each group of writes. So a marker that is gone, or older than one seen before, tells that the server has lost
writes; a marker with a larger epoch tells that another process has the records now.
"""

from __future__ import annotations

import re

from msgspec import Struct

NAMESPACE = "submgr_markerDb"
"""The namespace of the markers. No program keeps records in it."""

_TEXT = re.compile(rb"([0-9]{1,15}):([0-9]{1,15})(:incomplete)?\Z")


class Marker(Struct, frozen=True, order=True):
    """`incomplete`: not all records have been written back since the server lost writes."""

    epoch: int = 0
    sequence: int = 0
    incomplete: bool = False

    @staticmethod
    def parse(value: bytes | None) -> Marker:
        """The marker that is stored; Marker() when there is none, or what is stored is none."""
        found = _TEXT.match(value or b"")
        return Marker(int(found[1]), int(found[2]), found[3] is not None) if found else Marker()

    def __bytes__(self) -> bytes:
        return b"%d:%d%s" % (self.epoch, self.sequence, b":incomplete" if self.incomplete else b"")
