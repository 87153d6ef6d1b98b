# SPDX-License-Identifier: Apache-2.0
"""Frames of RMR over SI95 (header version 3): bytes to messages and back, without any input or output.

A frame is a 50-byte transport prefix, a 280-byte header, trace data, d1, d2 and the payload. The prefix has the length
of the whole frame twice: little endian at 0, which librmr trusts, and big endian at 4. A `$` at 8 says that the word at
4 is there. The integers of the header are big endian; only the flags are little endian.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct, error

from msgspec.structs import replace

from submgr.rmr.message import CALL_MSG, MEID_MAX, SID_SIZE, SRC_MAX, XID_SIZE, Message, Status
from submgr.rmr.streamed import StreamedFrame

PREFIX_SIZE = 50
HEADER_SIZE = 280
SMALLEST_FRAME = PREFIX_SIZE + HEADER_SIZE
DEFAULT_MAX_FRAME = 1 << 20

_STREAM_HEAD = 4096
"""Bytes of a streamed frame in which its payload must begin."""
_MARK = b"$"
_VERSION = 3
_NO_CALL = bytes(4)
_LENGTH = Struct("<I")
_PAYLOAD_LENGTH = Struct(">i")
_DECODE = Struct(">50xii4x32s32s64s32s20xIiiiii64x")
_ENCODE = Struct(">4sIc41xiii32s32s64s32s20x4siiiii64s")
assert _DECODE.size == _ENCODE.size == SMALLEST_FRAME


class FramingError(Exception):
    """Bytes that are no RMR frame. There is no way to find the next frame after them.

    `reason` is a short word for a counter; the text has the particulars.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class EncodeError(ValueError):
    """A message that does not fit into a frame. A transport answers `status` to the sender."""

    def __init__(self, status: Status, text: str) -> None:
        super().__init__(text)
        self.status = status


class _BadText(ValueError):
    """A name in the header is not UTF-8 or lacks its terminator. The frame itself is sound."""


@lru_cache(maxsize=4096)
def _text(raw: bytes) -> str:
    text, end, _ = raw.partition(b"\0")
    if not end:
        raise _BadText("a name without its terminating zero")
    try:
        return text.decode()
    except UnicodeDecodeError as bad:
        raise _BadText("a name that is not UTF-8") from bad


@lru_cache(maxsize=4096)
def _name(what: str, text: str, limit: int) -> bytes:
    try:
        raw = text.encode()
    except UnicodeEncodeError as bad:
        raise EncodeError(Status.BADARG, f"{what} cannot be written as UTF-8: {text!r}") from bad
    if len(raw) > limit:
        raise EncodeError(Status.OVERFLOW, f"{what} has {len(raw)} bytes, at most {limit} fit: {text!r}")
    if 0 in raw:
        raise EncodeError(Status.BADARG, f"{what} has a zero byte in it: {text!r}")
    return raw


def _little(flags: int) -> int:
    return int.from_bytes(flags.to_bytes(4, "big"), "little")


def _decode(data: bytes, start: int, total: int, origin: object) -> Message:
    """The message of the frame of `total` bytes at `start`; `total` is at least SMALLEST_FRAME."""
    mtype, plen, xid, sid, src, meid, flags, len0, len1, len2, len3, sub_id = _DECODE.unpack_from(data, start)
    if len0 < HEADER_SIZE:
        raise FramingError("header_length", f"header of {len0} bytes, {HEADER_SIZE} are needed")
    if len1 < 0 or len2 < 0 or len3 < 0 or plen < 0:
        raise FramingError("negative_length", f"negative length: trace {len1}, d1 {len2}, d2 {len3}, payload {plen}")
    trace = start + PREFIX_SIZE + len0
    d1 = trace + len1
    payload = d1 + len2 + len3
    if payload + plen > start + total:
        raise FramingError(
            "length_sum",
            f"parts of {PREFIX_SIZE}+{len0}+{len1}+{len2}+{len3}+{plen} bytes do not fit in a frame of {total}",
        )
    return Message(
        mtype,
        data[payload : payload + plen],
        sub_id,
        xid,
        _text(meid),
        _text(src),
        sid,
        data[d1 : d1 + len2],
        flags and _little(flags),
        data[trace:d1],
        origin,
    )


class Framer:
    """Cuts the byte stream of one connection into messages.

    `feed` takes the bytes as they come, in pieces of any size. Between two calls the framer keeps at most one
    unfinished frame: never more than `max_frame` bytes, and never more than was received. After a breach of the format
    `error` is set: `feed` has returned the messages before the breach and ignores everything after it. Close the
    connection then.

    The payload of a frame of more than `stream_above` bytes becomes several messages, one for each piece that comes;
    all but the last have `more` set.
    """

    __slots__ = ("_max", "_need", "_origin", "_pending", "_stream_above", "_streamed", "error", "unreadable")

    def __init__(
        self, max_frame: int = DEFAULT_MAX_FRAME, origin: object = None, stream_above: int | None = None
    ) -> None:
        self._max = max_frame
        self._stream_above = max_frame if stream_above is None else max(stream_above, _STREAM_HEAD)
        self._streamed: StreamedFrame | None = None
        self._origin = origin
        self._pending = bytearray()
        self._need = _LENGTH.size
        self.error: FramingError | None = None
        self.unreadable = 0
        """Messages left out because a name in their header is not UTF-8 or has no terminating zero."""

    @property
    def pending(self) -> int:
        """Bytes of the unfinished frame that are kept."""
        return len(self._pending)

    @property
    def streaming(self) -> bool:
        """Whether the payload of the unfinished frame is handed over in pieces."""
        return self._streamed is not None

    @property
    def unfinished(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._pending) or self._streamed is not None

    def forget(self) -> None:
        """Lets go of the unfinished frame, and of the origin. The stream has ended."""
        self._pending = bytearray()
        self._streamed = self._origin = None

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes, in the order of the stream. Never raises for what it is fed."""
        if self.error is not None:
            return []
        messages: list[Message] = []
        if self._streamed is not None:
            data = self._streamed.take(data, messages)
            if self._streamed.over:
                self._streamed = None
        pending = self._pending
        if pending:
            pending += data
            if len(pending) < self._need:
                return messages
            data = bytes(pending)
            pending.clear()
        rest = self._cut(data, messages)
        if rest < len(data) and self.error is None:
            pending += memoryview(data)[rest:]
        return messages

    def _cut(self, data: bytes, messages: list[Message]) -> int:
        """Appends the messages of the whole frames in `data`, and returns where the unfinished one begins."""
        start, end, origin, largest = 0, len(data), self._origin, self._max
        take, length_at = messages.append, _LENGTH.unpack_from
        try:
            while end - start >= 4:
                (total,) = length_at(data, start)
                if not SMALLEST_FRAME <= total <= largest:
                    raise _bad_length(total, largest, data[start : start + 9])
                if end - start < total:
                    if total > self._stream_above and end - start >= _STREAM_HEAD:
                        self._stream(data, start, total, messages)
                        return end
                    self._need = total if total <= self._stream_above else _STREAM_HEAD
                    return start
                try:
                    take(_decode(data, start, total, origin))
                except _BadText:
                    self.unreadable += 1
                start += total
        except FramingError as bad:
            self.error = bad
        self._need = _LENGTH.size
        return start

    def _stream(self, data: bytes, start: int, total: int, messages: list[Message]) -> None:
        """Hands over what is here of a large frame. Raises FramingError when the payload begins too far behind."""
        (plen,) = _PAYLOAD_LENGTH.unpack_from(data, start + PREFIX_SIZE + 4)
        here = len(data) - start
        try:
            first = _decode(data, start, total, self._origin)
        except _BadText:
            self.unreadable += 1
            self._streamed = StreamedFrame(None, 0, total - here)
            return
        if not first.payload:
            raise FramingError("length_sum", f"a frame of {total} bytes without payload in its first {_STREAM_HEAD}")
        left = plen - len(first.payload)
        messages.append(replace(first, more=left > 0))
        self._streamed = StreamedFrame(first, left, total - here)


def _bad_length(total: int, largest: int, begin: bytes) -> FramingError:
    if total < SMALLEST_FRAME:
        text = f"frame length {total}, the smallest frame has {SMALLEST_FRAME} bytes"
        return FramingError("length_too_small", text)
    if total >= 1 << 31:
        return FramingError("length_negative", f"frame length {total - (1 << 32)} is negative")
    text = f"frame length {total} is above the maximum of {largest}; the stream begins with {begin!r}"
    return FramingError("length_too_large", text)


def decode(frame: bytes, origin: object = None) -> Message:
    """The message of exactly one frame. Raises FramingError, also for names that cannot be read."""
    framer_error = "truncated"
    if len(frame) < SMALLEST_FRAME:
        raise FramingError(framer_error, f"{len(frame)} bytes, the smallest frame has {SMALLEST_FRAME}")
    (total,) = _LENGTH.unpack_from(frame)
    if not SMALLEST_FRAME <= total <= len(frame):
        raise FramingError(framer_error, f"frame length {total} in a frame of {len(frame)} bytes")
    try:
        return _decode(frame, 0, total, origin)
    except _BadText as bad:
        raise FramingError("text", str(bad)) from bad


class Encoder:
    """Writes the frames of one sender.

    `src` is the "host:port" where the sender listens, `srcip` the same with its IP address. Raises EncodeError when
    `src` or `srcip` does not fit into its field.
    """

    __slots__ = ("_max", "_src", "_srcip")

    def __init__(self, src: str = "", srcip: str = "", max_frame: int = DEFAULT_MAX_FRAME) -> None:
        self._src = _name("src", src, SRC_MAX)
        self._srcip = _name("srcip", srcip, SRC_MAX)
        self._max = max_frame

    def originate(self, message: Message) -> bytes:
        """The frame of a message that begins an exchange.

        The call id is zeroed unless the message is a call (flag CALL_MSG): the receiving librmr would look for a caller
        that waits for this id, and the application would never see the message.
        """
        d1 = message.d1 or _NO_CALL
        if d1[0] and not message.flags & CALL_MSG:
            d1 = b"\0" + d1[1:]
        return self._frame(message, d1, message.flags)

    def answer(self, message: Message) -> bytes:
        """The frame of an answer: d1 is unchanged, since the caller waits for its call id, and CALL_MSG is off."""
        return self._frame(message, message.d1, message.flags & ~CALL_MSG)

    def _frame(self, message: Message, d1: bytes, flags: int) -> bytes:
        payload, trace, xid, sid = message.payload, message.trace, message.xid, message.sid
        len1, len2, plen = len(trace), len(d1), len(payload)
        total = SMALLEST_FRAME + len1 + len2 + plen
        if total > self._max:
            raise EncodeError(Status.OVERFLOW, f"frame of {total} bytes, at most {self._max} are sent")
        if len(xid) > XID_SIZE or len(sid) > SID_SIZE:
            raise EncodeError(Status.OVERFLOW, f"xid of {len(xid)} or sid of {len(sid)} bytes, at most 32 fit")
        meid = _name("meid", message.meid, MEID_MAX)
        try:
            head = _ENCODE.pack(
                total.to_bytes(4, "little"), total, _MARK,
                message.mtype, plen, _VERSION, xid, sid, self._src, meid,
                flags.to_bytes(4, "little"), HEADER_SIZE, len1, len2, 0, message.sub_id, self._srcip,
            )  # fmt: skip
        except (error, OverflowError) as bad:
            raise EncodeError(
                Status.BADARG, f"mtype {message.mtype}, sub_id {message.sub_id} or flags {flags} is no 32-bit number"
            ) from bad
        return b"".join((head, trace, d1, payload))


def encode(message: Message) -> bytes:
    """The frame of a message exactly as it is: its own src, d1 and flags, no srcip. Raises EncodeError."""
    return Encoder(message.src)._frame(message, message.d1, message.flags)
