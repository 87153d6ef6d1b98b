# SPDX-License-Identifier: Apache-2.0
"""Two redis servers and the Sentinel that says which one is the master."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import gevent

from support.processes.redis_server import RedisServer
from support.processes.sentinel import Sentinel


class Masters:
    """The replica and the Sentinel live as long as the block; the first master is the caller's."""

    def __init__(self, directory: Path, master: RedisServer) -> None:
        self._master = master
        self._replica = RedisServer("--replicaof", master.host, str(master.port))
        self._sentinel = Sentinel(directory, master)
        self._stack = ExitStack()

    def __enter__(self) -> Masters:
        with ExitStack() as stack:
            for server in (self._replica, self._sentinel):
                stack.enter_context(server)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which SDL finds the Sentinel."""
        return self._sentinel.environment

    def fail_over(self, behind: float, takes: float) -> RedisServer:
        """The replica hears nothing for `behind` seconds, then is the new master, after `takes` seconds without one.

        The old master follows it.
        """
        old, new = self._master, self._replica
        _command(new, "REPLICAOF", "NO", "ONE")
        gevent.sleep(behind)
        _command(self._sentinel, "SENTINEL", "REMOVE", "dbaasmaster")
        gevent.sleep(takes)
        _command(self._sentinel, "SENTINEL", "MONITOR", "dbaasmaster", new.host, str(new.port), "1")
        _command(old, "REPLICAOF", new.host, str(new.port))
        self._master, self._replica = new, old
        return new


def _command(server: RedisServer, *words: str) -> None:
    gevent.get_hub().threadpool.apply(lambda: server.command(*words))
