# SPDX-License-Identifier: Apache-2.0
"""Masks IMSIs in every line of the log, wherever they stand."""

import logging
import re
from typing import Any

from mec.common import imsi as imsis

_NAMED = re.compile(r"(imsi\W{1,6}|/ues/)(\d{6,})", re.IGNORECASE)
# what has the length of an IMSI, but for milliseconds since 1970 of these years
_LONG = re.compile(r"(?<![\d.])(?!1[5-9]\d{11}(?!\d))\d{13,15}(?![\d.])")
_PLAIN = frozenset(vars(logging.makeLogRecord({})))


class IdentityMask(logging.Filter):
    """Masks whatever looks like an IMSI, also in request lines, URLs and errors of libraries.

    `in_full`: debug lines stay as they are.
    """

    def __init__(self, in_full: bool = False) -> None:
        super().__init__()
        self._in_full = in_full

    def filter(self, record: logging.LogRecord) -> bool:
        if self._in_full and record.levelno <= logging.DEBUG:
            return True
        record.msg, record.args = mask_text(record.getMessage()), None
        for name, value in list(vars(record).items()):
            if name not in _PLAIN:
                masked = _mask_value(name, value)
                if masked != value:
                    setattr(record, name, masked)
        if record.exc_info and record.exc_info[0] is not None:
            trace = logging.Formatter().formatException(record.exc_info)
            if mask_text(trace) != trace:
                record.exc_info, record.stack_info = None, mask_text(trace)
        return True


def _mask_value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {each: _mask_value(str(each), item) for each, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask_value(name, item) for item in value]
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    text = str(value)
    masked = mask_text(f"imsi={text}")[5:] if name.lower() == "imsi" else mask_text(text)
    return masked if masked != text else value


def mask_text(text: str) -> str:
    """A text with its IMSIs masked."""
    text = _NAMED.sub(lambda found: found[1] + imsis.masked(found[2]), text)
    return _LONG.sub(lambda found: imsis.masked(found[0]), text)


def mask_identities(in_full: bool = False) -> None:
    """Puts an IdentityMask on every handler of the log."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(each, IdentityMask) for each in handler.filters):
            handler.addFilter(IdentityMask(in_full))
