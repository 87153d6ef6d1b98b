# SPDX-License-Identifier: Apache-2.0
"""Writes the log on stderr without ever blocking the process, and keeps the recent lines in memory.

A line is text or JSON (`log_formats`). In JSON it has `ts` (ms since 1970), `crit` (ERROR, WARNING, INFO, DEBUG), `id`
(the program), `logger`, `msg`, and what the caller passed as `extra`.
"""

import heapq
import logging
import os
import select
import sys
import time
from collections import deque
from collections.abc import Hashable
from types import TracebackType
from typing import Any

import gevent
from gevent import monkey

from submgr.platform.log_formats import JsonFormatter, TextFormatter
from submgr.platform.log_records import Record
from submgr.platform.sparse_log import LibraryBound
from submgr.platform.supervised import SupervisedLoop

LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}

_NOISY = ("asyncio", "urllib3", "werkzeug", "redis", "kubernetes")
_PIPE_UNIT = 4096
"""Bytes that a pipe takes without blocking when it polls as writable (PIPE_BUF)."""
_BACKLOG = 4 * 1024 * 1024
_RETRY_SECONDS = 0.5
_SOURCE = logging._srcfile


class LogOutput(logging.Handler):
    """Writes lines to a descriptor as long as it takes them without waiting.

    When nobody reads the other end (a full pipe), lines wait in memory, up to 4 MiB; lines beyond that are
    dropped and counted. The most recent lines are kept in any case: `recent` in all, and when there are more, the
    logger and level with most of them loses its oldest. So a flood of one kind pushes no other lines out.
    """

    def __init__(self, descriptor: int, recent: int = 2000) -> None:
        super().__init__()
        self._fd = descriptor
        self._poll = _native_poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._recent = _Recent(recent)
        self.dropped = 0
        """Lines that were not written because nobody read and memory is bounded."""

    def createLock(self) -> None:
        """A lock of the operating system: for native threads. No greenlet has it while another one runs."""
        self.lock = monkey.get_original("_thread", "RLock")()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        line = self.format(record)
        self._recent.add((record.name, record.levelno), line)
        data = line.encode("utf-8", "replace") + b"\n"
        if self._waiting_bytes + len(data) > _BACKLOG:
            self.dropped += 1
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self.write_out()

    def write_out(self) -> None:
        """Writes the waiting lines, as long as the descriptor takes them."""
        while self._waiting:
            data = self._waiting[0]
            if not self._poll.poll(0):
                return
            try:
                count = os.write(self._fd, data[:_PIPE_UNIT])
            except BlockingIOError:
                return
            except OSError:  # nobody will ever read it: not a reason to stop working
                self._waiting.clear()
                self._waiting_bytes = 0
                return
            self._waiting_bytes -= count
            if count == len(data):
                self._waiting.popleft()
            else:
                self._waiting[0] = data[count:]

    @property
    def backlog(self) -> int:
        """Bytes that wait for a reader."""
        return self._waiting_bytes

    def recent(self) -> list[str]:
        """The most recent lines, the oldest first, whether they could be written or not."""
        return self._recent.lines()


class _Recent:
    """The latest lines, at most `most`, of which no kind takes the place of the others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._number = 0
        self._kinds: dict[Hashable, deque[tuple[int, str]]] = {}
        self._largest: deque[tuple[int, str]] | None = None
        """The kind that has lost a line last: one of the largest again as soon as it gets another one."""

    def add(self, kind: Hashable, line: str) -> None:
        self._number += 1
        lines = self._kinds.get(kind)
        if lines is None:
            lines = self._kinds[kind] = deque()
        lines.append((self._number, line))
        if self._number <= self._most:
            return
        if lines is not self._largest:
            self._largest = max(self._kinds.values(), key=len)
        self._largest.popleft()

    def lines(self) -> list[str]:
        """All lines in their order."""
        return [line for _, line in heapq.merge(*self._kinds.values())]


def _native_poll() -> Any:
    # gevent's patching replaces select.poll by one that switches greenlets
    return monkey.get_original("select", "poll")()


class Logs:
    """The process's logging between `start` and `stop`."""

    def __init__(self, program: str, descriptor: int = 2, recent: int = 2000) -> None:
        self._program = program
        self._descriptor = descriptor
        self._recent_lines = recent
        self._output: LogOutput | None = None
        self._before: tuple[int, list[logging.Handler]] | None = None
        self._writer = SupervisedLoop("log output", self._keep_writing)
        self._hub_report: Any = None
        self._made_before: Any = None

    def start(self, level: int = 3) -> None:
        """Takes over the root logger, uncaught exceptions and those of greenlets. `level` as in `set_level`."""
        root = logging.getLogger()
        self._before = (root.level, root.handlers[:])
        self._output = LogOutput(self._descriptor, self._recent_lines)
        self.set_format("auto")
        self._output.addFilter(LibraryBound())
        root.handlers[:] = [self._output]
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.captureWarnings(True)
        logging._srcfile = None  # see `log_records`
        self._made_before = logging.getLogRecordFactory()
        logging.setLogRecordFactory(Record)
        self.set_level(level)
        hub = gevent.get_hub()
        self._hub_report = hub.print_exception
        hub.print_exception = _report_greenlet
        sys.excepthook = _report_uncaught
        self._writer.start()

    def set_level(self, level: int) -> None:
        """1: errors, 2: also warnings, 3: also information, 4: also debugging. May be called at any time."""
        logging.getLogger().setLevel(LEVELS[level])

    def adjust(self, level: int, form: str) -> None:
        """Both at once, see `set_level` and `set_format`."""
        self.set_level(level)
        self.set_format(form)

    def set_format(self, name: str) -> None:
        """The form of the lines from now on, one of FORMATS. May be called at any time."""
        if self._output is not None:
            text = name == "text" or (name == "auto" and os.isatty(self._descriptor))
            self._output.setFormatter(TextFormatter() if text else JsonFormatter(self._program))

    def recent(self) -> list[str]:
        """The most recent lines, the oldest first."""
        return self._output.recent() if self._output else []

    @property
    def dropped(self) -> int:
        """Lines lost because nobody read stderr."""
        return self._output.dropped if self._output else 0

    def stop(self, seconds: float = 1.0) -> None:
        """Writes the waiting lines, for at most `seconds`, and gives the root logger back."""
        if self._output is None or self._before is None:
            return
        self._writer.stop()
        deadline = time.monotonic() + seconds
        while self._output.backlog and time.monotonic() < deadline:
            gevent.sleep(0.02)
            self._output.write_out()
        root = logging.getLogger()
        root.setLevel(self._before[0])
        root.handlers[:] = self._before[1]
        logging.captureWarnings(False)
        logging._srcfile = _SOURCE
        logging.setLogRecordFactory(self._made_before)
        gevent.get_hub().print_exception = self._hub_report
        sys.excepthook = sys.__excepthook__
        self._output = None

    def _keep_writing(self) -> bool:
        gevent.sleep(_RETRY_SECONDS)
        if self._output is None:
            return False
        self._output.write_out()
        return True


def _report_greenlet(
    context: object, kind: type[BaseException], value: BaseException, trace: TracebackType | None
) -> None:
    """Makes a log line of an exception that nobody caught in a greenlet; gevent calls it."""
    logging.getLogger("gevent").error("greenlet failed", exc_info=(kind, value, trace), extra={"in": str(context)})


def _report_uncaught(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("python").error("uncaught exception", exc_info=(kind, value, trace))
