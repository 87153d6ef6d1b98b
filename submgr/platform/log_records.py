# SPDX-License-Identifier: Apache-2.0
"""Log records that do not look for the place in the source, the thread and the process that they come from.

Our lines have none of them, and the search takes two thirds of the time of a record.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

_NOWHERE: Mapping[str, Any] = {
    **dict.fromkeys(("args", "exc_info", "exc_text", "stack_info", "funcName")),
    **dict.fromkeys(("pathname", "filename", "module"), ""),
    **dict.fromkeys(("thread", "threadName", "process", "processName", "taskName")),
    "lineno": 0,
    "relativeCreated": 0.0,
}
"""The attributes of a record without a place."""


class Record(logging.LogRecord):
    """A record that `logging` makes, see `logging.setLogRecordFactory`."""

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        sinfo: str | None = None,
        **others: object,
    ) -> None:
        if args and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            args = args[0]  # for "%(name)s"
        _begin(self, name, level, msg)
        self.args, self.exc_info, self.stack_info = args, exc_info, sinfo


class Line(logging.LogRecord):
    """A record with a text that is made and the `fields` beside it, for `logging.Logger.handle`. It costs a third of
    what `logging` makes of an `extra`. `beside`: the names of the fields."""

    def __init__(self, name: str, level: int, text: str, fields: Mapping[str, Any]) -> None:
        _begin(self, name, level, text)
        self.beside = list(fields)
        vars(self).update(fields)


def _begin(record: logging.LogRecord, name: str, level: int, msg: object) -> None:
    vars(record).update(_NOWHERE)
    record.name, record.msg = name, msg
    record.levelno, record.levelname = level, logging.getLevelName(level)
    record.created = time.time()
    record.msecs = int(record.created % 1 * 1000) + 0.0
