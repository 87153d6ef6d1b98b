# SPDX-License-Identifier: Apache-2.0
"""Calls of functions in native threads: for what blocks (files, C libraries) or works long, while the hub goes on.

gevent prints a traceback for everything that a job of its thread pools raises, also when the caller awaits the
error and handles it. The jobs here never raise: what the function raised is carried over and raised in the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from gevent.threadpool import ThreadPool

_T = TypeVar("_T")


class Running(Generic[_T]):
    """A call that was begun by `NativeThreads.begin`."""

    def __init__(self, outcome: Any) -> None:
        self._outcome = outcome

    def ready(self) -> bool:
        """Whether the function has returned or raised."""
        return bool(self._outcome.ready())

    def wait(self, timeout: float) -> None:
        """Returns when the call is ready, at the latest after `timeout` seconds."""
        self._outcome.wait(timeout)

    def get(self) -> _T:
        """Waits for the end of the call. Returns what the function returned, or raises what it raised."""
        result: _T
        result, raised = self._outcome.get()
        if raised is not None:
            raise raised
        return result


class NativeThreads:
    """At most `threads` native threads, none of which exists before it is needed.

    One object per purpose: who uses another one never waits for the calls of this one.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool: ThreadPool | None = None

    def begin(self, function: Callable[..., _T], *arguments: Any) -> Running[_T]:
        """Begins a call of `function`; waits while all threads are busy."""
        if self._pool is None:
            self._pool = ThreadPool(self._threads)
        return Running(self._pool.spawn(partial(_outcome, function, arguments)))

    def call(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Calls `function` and waits for its end. Returns what it returns, raises what it raises."""
        return self.begin(function, *arguments).get()

    def stop(self) -> None:
        """Ends the threads that have nothing to do. A call that hangs keeps its thread."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.kill()


def _outcome(function: Callable[..., _T], arguments: tuple[Any, ...]) -> tuple[_T | None, BaseException | None]:
    try:
        return function(*arguments), None
    except BaseException as raised:  # it is raised again where the call was made
        return None, raised


_shared = NativeThreads(10)


def in_thread(function: Callable[..., _T], *arguments: Any) -> _T:
    """Calls `function` in one of ten threads for our own files and the work of operators.

    Nothing that a stranger can cause uses these threads: no look-up of a name, no body of a request of an xApp. Returns
    what the function returns, raises what it raises.
    """
    return _shared.call(function, *arguments)
