# SPDX-License-Identifier: Apache-2.0
"""Records as a file of JSON lines: a first line that says what it is, a line for each record, a last one at its end.

A record is in the file byte by byte as it is stored: `value` for text, `base64` for anything else.
"""

from __future__ import annotations

import base64
import time
import zlib
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import UNSET, Struct, UnsetType

from submgr.platform.inflating import GZIP, PIECE, inflated
from submgr.platform.turns import in_turns

FORMAT, VERSION = "submgr-records", 1
LONGEST_LINE = 4_000_000
LARGEST = 1_000_000_000
"""Bytes of a file, unpacked."""
_GZIP = b"\x1f\x8b"


class Head(Struct):
    """The first line. `created`: UTC."""

    format: str
    version: int
    created: str = ""


class Line(Struct, kw_only=True, omit_defaults=True):
    """A record; or with `end` the last line, which has the number of `records`."""

    namespace: str = ""
    key: str = ""
    value: str | UnsetType = UNSET
    base64: str | UnsetType = UNSET
    end: bool = False
    records: int = 0

    @property
    def data(self) -> bytes:
        """The record as it is stored. Raises ValueError."""
        if self.base64 is not UNSET:
            return base64.b64decode(self.base64, validate=True)
        if self.value is UNSET:
            raise ValueError("neither value nor base64")
        return self.value.encode()


_encode = msgspec.json.Encoder().encode
_head = msgspec.json.Decoder(Head)
_line = msgspec.json.Decoder(Line)


def head_line() -> bytes:
    return _encode(Head(FORMAT, VERSION, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))) + b"\n"


def record_line(namespace: str, key: str, data: bytes) -> bytes:
    try:
        line = Line(namespace=namespace, key=key, value=data.decode())
    except UnicodeDecodeError:
        line = Line(namespace=namespace, key=key, base64=base64.b64encode(data).decode())
    return _encode(line) + b"\n"


def end_line(records: int) -> bytes:
    return _encode(Line(end=True, records=records)) + b"\n"


def read_lines(body: bytes) -> Iterator[tuple[int, Line]]:
    """The lines of a file (also in gzip) behind the first one, with their numbers. Others have turns in between.

    Raises ValueError for what is no file of this format, is too large, or does not end as it should.
    """
    lines = in_turns(_split(_unpacked(body)))
    try:
        head = _head.decode(next(lines, b""))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"line 1: no {FORMAT} file: {error}") from error
    if head.format != FORMAT or head.version != VERSION:
        raise ValueError(f"line 1: {head.format} {head.version}; what is read is {FORMAT} {VERSION}")
    count, end = 0, None
    for number, text in enumerate(lines, 2):
        if not text:
            continue
        if end is not None:
            raise ValueError(f"line {number}: stands behind the end")
        try:
            line = _line.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"line {number}: {error}") from error
        if line.end:
            end = line.records
        else:
            count += 1
            yield number, line
    if end is None:
        raise ValueError("the file is not complete: its last line is missing")
    if end != count:
        raise ValueError(f"the file had {end} records when it was written, {count} are there")


def _unpacked(body: bytes) -> Iterator[bytes]:
    if not body.startswith(_GZIP):
        yield from (body[start : start + PIECE] for start in range(0, len(body), PIECE))
        return
    try:
        yield from inflated(body, GZIP, LARGEST)
    except (zlib.error, ValueError) as error:
        raise ValueError(f"the gzip cannot be unpacked: {error}") from error


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends."""
    left = b""
    for piece in pieces:
        *lines, left = (left + piece).split(b"\n")
        yield from lines
        if len(left) > LONGEST_LINE:
            raise ValueError(f"a line of more than {LONGEST_LINE} bytes")
    yield left
