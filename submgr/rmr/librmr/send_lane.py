# SPDX-License-Identifier: Apache-2.0
"""Runs blocking sends one after the other on a native thread, with a deadline for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic

import gevent
from gevent.event import Event
from msgspec import Struct

from submgr.platform.native_threads import NativeThreads
from submgr.platform.supervised import SupervisedLoop
from submgr.rmr.message import Status
from submgr.rmr.transport import Failed

_LOOK_AGAIN = 0.1
_RETRY_PAUSE = 0.01


class Job(Struct, frozen=True):
    """A send: `attempt` blocks, and answers OK, RETRY (to be tried again) or why it is in vain."""

    attempt: Callable[[], tuple[Status, str]]
    deadline: float
    """On the monotonic clock."""
    done: Callable[[], None]
    failed: Failed
    dispose: Callable[[], None]
    """Called once when the job is over, whatever became of it."""


class SendLane:
    """A bounded queue of sends, made in order.

    A send that blocks delays the sends behind it. A send whose deadline passes meanwhile is reported as failed, even
    while the native thread is still stuck.
    """

    def __init__(self, threads: NativeThreads, length: int) -> None:
        """All lanes share `threads`, which are as many as the lanes."""
        self._threads = threads
        self._length = length
        self._jobs: deque[Job] = deque()
        self._filled = Event()
        self._loop = SupervisedLoop("librmr sender", self._step)

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, job: Job) -> bool:
        """Queues a send; False when the queue is full."""
        if len(self._jobs) >= self._length:
            return False
        self._jobs.append(job)
        self._filled.set()
        self._loop.start()
        return True

    def stop(self, reason: str) -> None:
        """Gives up what is queued. A send that is stuck on its native thread ends by itself."""
        self._loop.stop(block=False)
        while self._jobs:
            self._give_up(self._jobs.popleft(), reason)

    def _step(self) -> None:
        if not self._jobs:
            self._filled.clear()
            self._filled.wait()
        self._expire()
        if self._jobs:
            self._do(self._jobs.popleft())

    def _do(self, job: Job) -> None:
        told = False
        try:
            while True:
                attempt = self._threads.begin(job.attempt)
                while not attempt.ready():
                    attempt.wait(_LOOK_AGAIN)
                    self._expire()
                    if not told and not attempt.ready() and monotonic() > job.deadline:
                        told = True
                        job.failed("librmr has not returned from sending in time")
                status, reason = attempt.get()
                if status is Status.OK:
                    job.done()
                    return
                if told:
                    return
                if status is not Status.RETRY or monotonic() + _RETRY_PAUSE > job.deadline:
                    job.failed(reason)
                    return
                gevent.sleep(_RETRY_PAUSE)
        finally:
            job.dispose()

    def _expire(self) -> None:
        now = monotonic()
        while self._jobs and self._jobs[0].deadline <= now:
            self._give_up(self._jobs.popleft(), "librmr was busy for too long")

    def _give_up(self, job: Job, reason: str) -> None:
        job.failed(reason)
        job.dispose()
