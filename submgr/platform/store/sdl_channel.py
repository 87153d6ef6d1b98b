# SPDX-License-Identifier: Apache-2.0
"""Reads the sets and values that other components keep in SDL, and listens to their channels.

The listener subscribes again after a restart of redis until it succeeds, and notices a server that hangs. It tells its
user of each subscription; the user then reads what may have been missed.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from redis.exceptions import InvalidResponse

from submgr.platform.sparse_log import Sparsely
from submgr.platform.store.base import StoreError, check_namespace
from submgr.platform.store.sdl_client import SdlClient, SdlSettings
from submgr.platform.store.sdl_errors import translating
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.turns import Budget

_log = logging.getLogger(__name__)

_LONGEST_PAUSE = 1.0
"""Seconds between two tries to subscribe, however they fail."""

_AT_ONCE = 500
"""Messages that are read before they are passed on."""

_LATEST = 1.0
"""Seconds for which there may be no end of what has come: then nobody knows how old a message is that is read. Who
listens subscribes anew, and reads what there is now."""
_KIND = 80
"""Characters of an error that tell it from another one."""

OnPayload = Callable[[bytes], None]
OnSubscribed = Callable[[], None]


class SdlChannel:
    """Reads and subscriptions in SDL, on connections of their own.

    `retry_interval`: seconds before a lost subscription is made again. `health_interval`: seconds of
    silence after which the listener asks the server whether it is there.
    """

    def __init__(self, settings: SdlSettings, *, retry_interval: float = 0.25, health_interval: float = 1.0) -> None:
        self._client = SdlClient(settings, writes=False)
        self._settings = settings
        self._retry_interval = retry_interval
        self._health_interval = health_interval
        self._listeners: list[Listener] = []

    def start(self) -> None:
        """Prepares; connections are made when they are needed. Raises StoreError for wrong settings."""
        self._client.open()

    def stop(self) -> None:
        """Ends all subscriptions."""
        for listener in self._listeners:
            listener.stop()
        self._listeners = []
        self._client.close()

    def members(self, namespace: str, set_name: str) -> frozenset[bytes]:
        """The members of a set; none when there is no such set. Raises StoreError."""
        check_namespace(namespace)
        return self._client.members(namespace, set_name)

    def get(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """The values of those keys that exist. Raises StoreError."""
        if isinstance(keys, str):
            raise TypeError("keys: a collection of strings, not one string")
        check_namespace(namespace)
        return self._client.values(namespace, keys) if keys else {}

    def publish(self, namespace: str, channel: str, payload: bytes) -> None:
        """Sends a payload to all that listen to a channel, this process included. Raises StoreError."""
        check_namespace(namespace)
        redis: Any = self._client.redis(namespace)
        with self._client.asking(f"a message of {channel} of {namespace}"):
            redis.publish(f"{{{namespace}}},{channel}", payload)

    def listen(self, namespace: str, channel: str, on_payload: OnPayload, on_subscribed: OnSubscribed) -> Listener:
        """Subscribes to a channel, until `stop()`.

        `on_payload` gets each payload as it was published (several events in one are joined by `___`).
        `on_subscribed` is called each time the subscription has been made, the first time included: events that
        were published before have been missed. One greenlet calls both, in order, and logs what they raise.
        """
        check_namespace(namespace)
        self._listeners = [each for each in self._listeners if not each.stopped]
        if len(self._listeners) > self._settings.connections - 2:
            raise StoreError(f"{len(self._listeners)} subscriptions leave no connection for another one")
        listener = Listener(
            self._client,
            (namespace, channel),
            (on_payload, on_subscribed),
            (self._retry_interval, self._health_interval),
        )
        self._listeners.append(listener)
        listener.start()
        return listener


class Listener:
    """One supervised subscription, made by `SdlChannel.listen`."""

    def __init__(
        self,
        client: SdlClient,
        name: tuple[str, str],
        callbacks: tuple[OnPayload, OnSubscribed],
        intervals: tuple[float, float],
    ) -> None:
        self._client = client
        self._namespace, channel = name
        self._channel = f"{{{self._namespace}}},{channel}"
        self._on_payload, self._on_subscribed = callbacks
        self._retry_interval, self._health_interval = intervals
        self._stopped = Event()
        self._subscribed = False
        self._told = False
        self._sparsely = Sparsely(_log)
        self._loop = SupervisedLoop("SDL channel", self._step, longest_pause=_LONGEST_PAUSE)

    @property
    def subscribed(self) -> bool:
        """Whether messages are received at the moment, as far as is known."""
        return self._subscribed

    @property
    def stopped(self) -> bool:
        return bool(self._stopped.is_set())

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._stopped.set()
        self._loop.stop()

    def _step(self) -> None:
        try:
            self._follow()
        except StoreError as error:
            if self._subscribed or not self._told:
                words = f"no messages of {self._channel}: {error}"
                self._sparsely.log(logging.WARNING, str(error)[:_KIND], words)
            self._told = True
        finally:
            self._subscribed = False
        gevent.sleep(self._retry_interval)

    def _follow(self) -> None:
        """Subscribes and receives until the connection is lost; raises StoreError then."""
        pool = self._client.redis(self._namespace).connection_pool
        with self._client.asking(f"the subscription of {self._channel}"):
            connection = pool.get_connection()
        try:
            with self._client.asking(f"the subscription of {self._channel}"):
                connection.send_command("SUBSCRIBE", self._channel)
                answer = connection.read_response()
                if not isinstance(answer, list) or answer[:1] != [b"subscribe"]:
                    raise InvalidResponse("no subscription")
            self._subscribed = True
            _log.info("subscribed to %s", self._channel)
            self._tell(self._on_subscribed)
            budget, late_since = Budget(), math.inf
            while time.monotonic() - late_since < _LATEST:
                self._receive(connection, budget)
                with translating(f"listening to {self._channel}"):
                    late = connection.can_read(timeout=0)
                late_since = min(late_since, time.monotonic()) if late else math.inf
            raise StoreError(f"they come faster than they can be read for {_LATEST:g} s: subscribed anew")
        finally:
            connection.disconnect()  # it is good for nothing else any more
            pool.release(connection)

    def _receive(self, connection: Any, budget: Budget) -> None:
        with translating(f"listening to {self._channel}"):
            arrived = connection.can_read(timeout=self._health_interval)
        answers = []
        with self._client.asking(f"PING after silence of {self._channel}"):
            if not arrived:
                connection.send_command("PING")
            answers.append(connection.read_response())
            # what has come already costs no wait: a flood must not make the listener late for long
            while len(answers) < _AT_ONCE and connection.has_more():
                answers.append(connection.read_response())
        for answer in answers:
            if isinstance(answer, list) and len(answer) == 3 and answer[0] == b"message":
                self._tell(partial(self._take, answer[2]))
            budget.spend()

    def _take(self, payload: object) -> None:
        if isinstance(payload, bytes):
            self._on_payload(payload)

    def _tell(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:  # the user's bug: later messages must still arrive
            _log.exception("a message of %s could not be handled", self._channel)
