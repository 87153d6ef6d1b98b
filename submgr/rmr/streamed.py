# SPDX-License-Identifier: Apache-2.0
"""A large frame whose payload is handed over in pieces, so that it is never stored as a whole."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from submgr.rmr.message import Message


class StreamedFrame(Struct):
    """What is still to come of a frame.

    `message`: what each piece of the payload is handed over as. None when the header cannot be read: the payload is
    passed over.
    """

    message: Message | None
    payload_left: int
    frame_left: int

    @property
    def over(self) -> bool:
        """Whether the whole frame has come."""
        return self.frame_left <= 0

    def take(self, data: bytes, messages: list[Message]) -> bytes:
        """Appends the piece of the payload that is in `data`; returns the bytes behind the frame."""
        if self.message is not None and self.payload_left > 0 and data:
            piece = data[: self.payload_left]
            self.payload_left -= len(piece)
            messages.append(replace(self.message, payload=piece, more=self.payload_left > 0))
        rest = data[self.frame_left :]
        self.frame_left -= len(data) - len(rest)
        return rest
