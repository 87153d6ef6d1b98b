# SPDX-License-Identifier: Apache-2.0
# redis-py annotates only a part of itself.
# mypy: allow-untyped-calls
"""One redis server: whether it answers, whether what it is given is written for good, and whether it has lost any."""

from __future__ import annotations

import logging
from collections.abc import Collection
from hashlib import sha1
from typing import Any

from redis.exceptions import InvalidResponse, NoPermissionError, NoScriptError, ResponseError

from submgr.platform.store.base import StoreFenced, StoreLost, StoreRefusesWrites, StoreTimeout, StoreUnavailable
from submgr.platform.store.marker import Marker
from submgr.platform.store.sdl_errors import translated
from submgr.platform.store.sdl_lane import MASTER, Lane, packed
from submgr.platform.store.sdl_marked import TAKE, WRITE, Marked

_log = logging.getLogger(__name__)

_SHA = sha1(WRITE, usedforsecurity=False).hexdigest().encode()
_ROLE = packed(b"ROLE")


class Server:
    """A server and the connections to it that were given up with a command on the way.

    `lost`: the names of those connections at the server. `marked`: what is known of its marker. `watched`: a Sentinel
    says which server is the master, so that another one may be it by now. `replica_of`: the server takes writes
    although it is a replica; it forgets them when it next follows its master.
    """

    def __init__(self, client: Any, where: str, lost: set[str], marked: Marked, *, watched: bool = False) -> None:
        self.client = client
        self.where = where
        self.lost = lost
        self.marked = marked
        self.replica_of: str | None = None
        self._watched = watched
        self._tells_role = True
        self._lane = Lane(client)

    def write(self, keys: Collection[bytes], values: Collection[bytes]) -> None:
        """Sets the first ones of `keys` to `values`, removes the other ones and marks, all in one step; asks the server
        in the same round trip what it is.

        Raises the errors of redis-py, StoreFenced and StoreLost. Raises StoreRefusesWrites for a replica, without
        sending anything, and StoreTimeout when the server has become one: it took the write and may forget it.
        """
        if self.replica_of is not None:
            raise StoreRefusesWrites(self._replica_words())
        role = self._write(self.marked.writing(keys, values))
        if role is None:
            role = self._write(self.marked.writing(keys, values))
        try:
            self._take_role(role or [])
        except StoreUnavailable as demoted:
            raise StoreTimeout(str(demoted)) from demoted
        if self.replica_of is not None:
            raise StoreTimeout(self._replica_words())

    def _write(self, arguments: list[bytes]) -> list[Any] | None:
        """The answer to ROLE, if it was asked. None: nothing was written, and nothing is checked from now on."""
        takes = self.marked.takes
        role, count = (_ROLE, 2) if self._tells_role else (b"", 1)
        answer, *told = self._lane.ask(packed(b"EVALSHA", _SHA, *arguments) + role, count)
        if isinstance(answer, NoScriptError):  # a server that has restarted knows the script no more
            answer, *told = self._lane.ask(packed(b"EVAL", WRITE, *arguments) + role, count)
        if isinstance(answer, Exception):
            raise answer
        return told if self.marked.written(answer, takes) else None

    def marker(self) -> Marker:
        """The marker that the server has. Raises the errors of redis-py."""
        return Marker.parse(self.client.get(self.marked.key))

    def take(self, epoch: int | None = None) -> None:
        """Takes the server for this process; `epoch`: None for the next one.

        Raises the errors of redis-py, and StoreFenced.
        """
        held = self.marker()
        self._take(self.marked.first(held.epoch + 1 if epoch is None else epoch, held))

    def take_again(self) -> None:
        """Takes the server that has lost writes. Raises the errors of redis-py, and StoreFenced."""
        self._take(self.marked.again())

    def say_complete(self) -> None:
        """Everything has been written back. Raises as `write`."""
        self._write(self.marked.complete())

    def _take(self, mark: Marker) -> None:
        self.marked.taken(self.client.execute_command("EVAL", TAKE, *self.marked.taking(mark)), mark)

    def probe(self) -> None:
        """Asks whether the server answers and takes writes.

        A server that hung executes what it finds in its socket buffers when it goes on, even if the sender closed that
        connection long ago. So every connection that was given up is ended at the server before this returns or
        raises StoreRefusesWrites; nothing sent on it is executed after that.

        Raises the errors of redis-py when the server does not answer; StoreUnavailable when it is not the master that
        the Sentinel means; StoreRefusesWrites when it answers and takes no writes.
        """
        given_up = set(self.lost)
        refusal = self._ping()
        if given_up:
            self._end_connections(given_up)
        self.lost -= given_up
        refusal = refusal or self._try_write()
        if refusal is not None:
            raise StoreRefusesWrites(refusal)

    def _ping(self) -> str | None:
        """Why the server takes no writes, if it refuses even PING because of that."""
        try:
            if not self.client.ping():
                raise InvalidResponse("no PONG")
        except ResponseError as error:
            refused = translated(error, f"PING at {self.where}")
            if not isinstance(refused, StoreRefusesWrites):
                raise
            return str(refused)
        return None

    def _try_write(self) -> str | None:
        """Why the server takes no writes; None when it does. Looks at its marker by the way."""
        try:
            if self.marked.takes_by_itself:
                self.take()
            role = self._write(self.marked.looking()) or []
        except (StoreLost, StoreFenced):
            return None  # noted in `marked`
        except ResponseError as error:
            return str(translated(error, f"a write at {self.where}"))
        self._take_role(role)
        return self._replica_words() if self.replica_of is not None else None

    def _take_role(self, answers: list[Any]) -> None:
        for answer in answers:
            if answer is MASTER:
                self.replica_of = None
            elif isinstance(answer, Exception):
                if isinstance(answer, NoPermissionError) or "unknown command" in str(answer).lower():
                    _log.info("redis at %s does not tell whether it is a replica: %s", self.where, answer)
                    self._tells_role = False
                    self.replica_of = None
            elif isinstance(answer, list) and len(answer) > 2 and answer[0] == b"slave":
                self._found_replica(f"{_text(answer[1])}:{_text(answer[2])}")
            else:
                self.replica_of = None

    def _found_replica(self, master: str) -> None:
        if self._watched:
            # the next connection asks the Sentinel again
            self.client.connection_pool.disconnect()
            raise StoreUnavailable(f"redis: {self.where} is not the master any more, it is a replica of {master}")
        self.replica_of = master

    def _replica_words(self) -> str:
        return (
            f"redis at {self.where} is a replica of {self.replica_of}: it answers OK to writes and forgets them later"
        )

    def _end_connections(self, names: set[str]) -> None:
        try:
            for each in self.client.client_list():
                if each.get("name") in names:
                    self.client.client_kill_filter(_id=each["id"])
                    _log.info("redis at %s: ended a connection that had been given up", self.where)
        except ResponseError as error:
            # The right to end connections is missing. redis reads every socket that has data before it answers any:
            # once it has answered a second command, it has executed the commands that had arrived.
            _log.warning("redis at %s does not let connections be ended: %s", self.where, error)
            self._ping()


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
