# SPDX-License-Identifier: Apache-2.0
"""What the programs share: a start that complains in one line, a run until SIGTERM, a filter for the log."""

import logging
import os
import re
import signal
import sys
from collections.abc import Mapping
from typing import Any, Protocol

import click
import gevent
from gevent.event import Event

from mec import imsi as imsis
from mec import settings as mec_settings
from mec.settings import MecConfig
from submgr.platform.config import ConfigError
from submgr.platform.http_server import ListenError
from submgr.platform.logs import Logs
from submgr.platform.store import StoreError

CANNOT_START = (ConfigError, ListenError, StoreError)

_NAMED = re.compile(r"(imsi\W{1,6}|/ues/)(\d{6,})", re.IGNORECASE)
_LONG = re.compile(r"(?<![\d.])\d{13,15}(?![\d.])")


class Program(Protocol):
    """What `run` starts."""

    def start(self) -> None:
        """Raises one of CANNOT_START."""

    def stop(self) -> None: ...

    def facts(self) -> Mapping[str, Any]:
        """Where it listens, for the first line of its output."""


class HideIdentities(logging.Filter):
    """Masks whatever looks like an IMSI in a record: request lines, URLs and errors of libraries have them too."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hidden(record.getMessage()), None
        for name, value in list(vars(record).items()):
            if name not in _PLAIN and isinstance(value, str | int) and not isinstance(value, bool):
                text = str(value)
                masked = hidden(f"imsi={text}")[5:] if name.lower() == "imsi" else hidden(text)
                if masked != text:
                    setattr(record, name, masked)
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            trace = logging.Formatter().formatException(record.exc_info)
            if hidden(trace) != trace:
                record.exc_info, record.stack_info = None, hidden(trace)
        return True


_PLAIN = frozenset(vars(logging.makeLogRecord({})))


def hidden(text: str) -> str:
    """A text with its IMSIs masked."""
    text = _NAMED.sub(lambda found: found[1] + imsis.masked(found[2]), text)
    return _LONG.sub(lambda found: imsis.masked(found[0]), text)


def hide_identities() -> None:
    """Have every line of the log pass HideIdentities."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(each, HideIdentities) for each in handler.filters):
            handler.addFilter(HideIdentities())


def configured(path: str | None, overrides: Mapping[str, Any]) -> MecConfig:
    """The configuration of `-f`, with what the command line says beside it. Ends the program when it is wrong."""
    try:
        return mec_settings.read(path, {name: value for name, value in overrides.items() if value is not None})
    except ConfigError as failed:
        _complain(failed)
        sys.exit(1)


def run(name: str, config: MecConfig, program: Program) -> None:
    """Start, print one line that says where it listens, and stop at SIGTERM or SIGINT."""
    logs = Logs(name)
    logs.start(config.log_level)
    if not (config.mec.log_identities and config.log_level == 4):
        hide_identities()
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, ended.set)
    try:
        for warning in config.warnings:
            click.echo(f"{name}: {warning}", err=True)
        program.start()
        places = " ".join(f"{what} {where}" for what, where in program.facts().items())
        click.echo(f"{name}: {places}")
        sys.stdout.flush()
        ended.wait()
    except CANNOT_START as failed:
        _complain(failed)
        sys.exit(1)
    finally:
        program.stop()
        logs.stop()


def _complain(failed: Exception) -> None:
    lines = [str(problem) for problem in failed.problems] if isinstance(failed, ConfigError) else [str(failed)]
    for line in lines:
        click.echo(f"mec cannot start: {line}", err=True)


def environment() -> dict[str, str]:
    """A copy of the process's."""
    return dict(os.environ)
