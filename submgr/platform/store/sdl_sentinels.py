# SPDX-License-Identifier: Apache-2.0
# redis-py annotates only a part of itself.
# mypy: allow-untyped-calls
"""The Sentinels of one master name: asks them where the master is."""

from __future__ import annotations

import logging
import time

from redis.client import Redis
from redis.exceptions import RedisError
from redis.sentinel import MasterNotFoundError, Sentinel

from submgr.platform.sparse_log import Sparsely
from submgr.platform.store.sdl_errors import in_words

_log = logging.getLogger(__name__)

_AT_ABOUT_THE_SAME_TIME = 5.0
"""Seconds. Sentinels of one database agree on its master after a failover well within them."""


class Sentinels:
    """All Sentinels that the address list has for one master name, by "host:port".

    Each entry of the list is a database of its own with a Sentinel of its own. When that Sentinel does not answer or
    does not know the name, the others are asked: where the list has several Sentinels of one database, they all name
    the same master. Two of them that lately named different masters at about the same time are not asked for each
    other.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._sentinels: dict[str, Sentinel] = {}
        self._named: dict[str, tuple[tuple[str, int], float]] = {}
        self._apart: set[frozenset[str]] = set()
        self._sparsely = Sparsely(_log)

    def add(self, where: str, client: Redis) -> None:
        sentinel = Sentinel([])
        sentinel.sentinels = [client]
        self._sentinels.setdefault(where, sentinel)

    def master(self, first: str) -> tuple[str, int]:
        """Host and port of the master, by the Sentinel at `first` or else by another one. Raises RedisError."""
        try:
            return self._ask(first)
        except RedisError as error:
            others = [where for where in self._sentinels if where != first]
            others = [where for where in others if frozenset((first, where)) not in self._apart]
            if not others:
                raise
            why = in_words(error)
        for where in others:
            try:
                found = self._ask(where)
            except RedisError as error:
                why = f"{why}; {in_words(error)}"
            else:
                self._sparsely.log(logging.WARNING, first, f"{why}; the one at {where} names it")
                return found
        raise MasterNotFoundError(why)

    def _ask(self, where: str) -> tuple[str, int]:
        sentinel = self._sentinels[where]
        try:
            state = sentinel.sentinels[0].sentinel_masters().get(self._name)
            master = None if state is None else (str(state["ip"]), int(state["port"]))
        except RedisError as error:
            raise MasterNotFoundError(f"the Sentinel at {where} does not answer: {in_words(error)}") from error
        except Exception as error:  # redis-py makes a dict of the answer, whatever it is
            raise MasterNotFoundError(f"the answer of the Sentinel at {where} makes no sense: {error!r}") from error
        if master is None:
            raise MasterNotFoundError(f"the Sentinel at {where} knows no master {self._name!r}")
        if not sentinel.check_master_state(state, self._name):
            raise MasterNotFoundError(f"the Sentinel at {where} says that the master {self._name!r} is down")
        return self._take(where, master)

    def _take(self, where: str, master: tuple[str, int]) -> tuple[str, int]:
        """Notes the answer, and whether others named the same master just before."""
        now = time.monotonic()
        for other, (named, since) in self._named.items():
            if other != where and now - since < _AT_ABOUT_THE_SAME_TIME:
                pair = frozenset((where, other))
                self._apart = self._apart - {pair} if named == master else self._apart | {pair}
        self._named[where] = (master, now)
        return master
