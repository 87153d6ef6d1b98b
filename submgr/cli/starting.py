# SPDX-License-Identifier: Apache-2.0
"""Starts the daemon from its configuration file and waits for its end. Mistakes are told in a line each."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from submgr.app import build
from submgr.daemon import Daemon
from submgr.platform.config.file import ConfigError, read_text
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.garbage_collection import keep_collections_short
from submgr.platform.http.listen import ListenError
from submgr.platform.logs import Logs
from submgr.platform.malloc import give_memory_back
from submgr.platform.store.base import StoreError
from submgr.platform.termination import run_until_terminated
from submgr.rmr.environment import RmrEnvironmentError
from submgr.rmr.transport import TransportError
from submgr.settings.live import LiveSettings
from submgr.settings.loader import load

if TYPE_CHECKING:
    from submgr.cli.standalone import Neighbours

CANNOT_START = (ConfigError, ListenError, TransportError, RmrEnvironmentError, StoreError)


def run_daemon(path: str) -> int:
    """Runs the daemon with the configuration file `path` until SIGTERM. Returns its exit status."""
    return with_logs(lambda logs: until_end(daemon_of(path, {}, logs)), path)


def with_logs(run: Callable[[Logs], int], path: str, hint: str = "") -> int:
    """Calls `run`, which returns an exit status, while the log is written.

    What keeps the daemon from starting is told on standard error, and the status is 1. `path`: the configuration file,
    if there is one. `hint`: what follows where a port is taken.
    """
    keep_collections_short()
    give_memory_back()
    logs = Logs("submgr")
    logs.start()
    try:
        return run(logs)
    except CANNOT_START as failed:
        _complain(failed, path)
        if hint and _is_taken(failed):
            say(hint)
        return 1
    finally:
        logs.stop()


def daemon_of(path: str, overrides: Mapping[str, Any], logs: Logs, neighbours: Neighbours | None = None) -> Daemon:
    """The daemon, not started. `neighbours`: simulated ones, whose settings `overrides` has."""
    environment = dict(os.environ)
    text = read_text(path) if path else ""
    settings = load(text, environment, overrides)
    logs.adjust(settings.logger.level, settings.logger.format)
    for warning in settings.warnings:
        say(f"submgr: {warning}")
    live = LiveSettings(settings, environment, overrides)
    watcher = ConfigWatcher(path, text, lambda changed: _apply(live, changed)) if path else None
    if neighbours is not None:
        environment["RMR_RTG_SVC"] = "-1"
        environment["RMR_SRC_ID"] = environment["RMR_BIND_IF"] = "127.0.0.1"
        return build(live, environment, logs, watcher, neighbours.nodes, neighbours.edge)
    return build(live, environment, logs, watcher)


def until_end(daemon: Daemon, started: Callable[[], None] | None = None) -> int:
    """Runs the daemon until SIGTERM. `started` is called when it has been started. Returns its exit status."""

    def start() -> None:
        daemon.start()
        if started is not None:
            started()

    run_until_terminated(start, daemon.stop, daemon.ended, lambda: daemon.end(0))
    return daemon.exit_code or 0


def say(line: str) -> None:
    """Tells somebody at a terminal, or who reads the log of a container."""
    print(line, file=sys.stderr, flush=True)


def _apply(live: LiveSettings, text: str) -> None:
    live.apply(text)


def _complain(failed: Exception, path: str) -> None:
    lines = [str(failed)]
    if isinstance(failed, ConfigError):
        lines = [str(problem) for problem in failed.problems]
        lines = [line if not path or path in line else f"{path}, {line}" for line in lines]
    for line in lines:
        say(f"submgr cannot start: {line}")


def _is_taken(failed: BaseException | None) -> bool:
    """Whether something could not start because another process listens on its port."""
    while failed is not None and not isinstance(failed, OSError):
        failed = failed.__cause__
    return failed is not None and failed.errno == errno.EADDRINUSE
