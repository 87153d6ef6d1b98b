# SPDX-License-Identifier: Apache-2.0
"""The forms of a log line: JSON for programs, text for people.

Characters that a terminal acts upon are escaped and passwords in URLs masked: peers have them in names and addresses.
"""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from submgr.platform.log_records import Line
from submgr.platform.masking import masked_text
from submgr.platform.printable import escaped

FORMATS = ("auto", "json", "text")
"""The names of the forms; auto: text on a terminal, else JSON."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""The attributes of each record; the others are what the caller passed beside the text."""
_MAX_LINE = 16 * 1024
_ENCODER = msgspec.json.Encoder(enc_hook=str)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def __init__(self, program: str) -> None:
        super().__init__()
        self._program = program

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end. A value that JSON cannot hold is shown by its `str`."""
        line: dict[str, Any] = {
            "ts": int(record.created * 1000),
            "crit": record.levelname,
            "id": self._program,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        fields = _beside(record)
        if fields.keys().isdisjoint(line):
            line.update(fields)
        else:
            for name, value in fields.items():
                line[name if name not in line else f"{name}_"] = value
        if record.exc_info and record.exc_info[0] is not None:
            line["trace"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        text = _encoded(line)
        text = masked_text(text if len(text) <= _MAX_LINE else _encoded(_shortened(line)))
        # in JSON the characters below the space are escaped already, and the next one that is obeyed ends ASCII
        return text if text.isascii() and "\x7f" not in text else escaped(text)


class TextFormatter(logging.Formatter):
    """A record for people: local time, level, text, what the caller passed as `extra`; a traceback on further lines."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        words = [f"{when}.{int(record.msecs):03} {record.levelname:<7} {_one_line(record.getMessage())}"]
        words += [f"{name}={_shown(value)}" for name, value in _beside(record).items() if value not in (None, "")]
        text = " ".join(words)
        if len(text) > _MAX_LINE:
            text = f"{text[:_MAX_LINE]}... ({len(text)} characters)"
        if record.exc_info and record.exc_info[0] is not None:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        return escaped(masked_text(text))


def _beside(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller passed beside the text."""
    if isinstance(record, Line):
        names = record.beside
        return dict(zip(names, map(vars(record).get, names), strict=True))
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _one_line(text: str) -> str:
    """A peer that has the end of a line in its name must not begin one of its own."""
    return text.replace("\n", "\\n")


def _shown(value: Any) -> str:
    """A value so that one sees where it ends."""
    text = value if isinstance(value, str) else _encoded(value)
    return text if text and not set(text) & set(' "=\n\t') else _encoded(text)


def _encoded(value: Any) -> str:
    try:
        return _ENCODER.encode(value).decode()
    except (UnicodeEncodeError, OverflowError):  # text with lone surrogates, integers over 64 bits
        return json.dumps(value, default=str)


def _shortened(line: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields, each cut to its fair part of the longest line."""
    room = _MAX_LINE // (2 * len(line))
    short: dict[str, Any] = {}
    for name, value in line.items():
        text = value if isinstance(value, str) else _encoded(value)
        short[name] = value if len(text) <= room else f"{text[:room]}... ({len(text)} characters)"
    return short
