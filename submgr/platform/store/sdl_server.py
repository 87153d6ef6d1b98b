# SPDX-License-Identifier: Apache-2.0
# redis-py annotates only a part of itself.
# mypy: allow-untyped-calls
"""One redis server: whether it answers, and whether what it is given is written for good."""

from __future__ import annotations

import logging
from typing import Any

from redis.exceptions import InvalidResponse, NoPermissionError, ResponseError

from submgr.platform.store.base import StoreRefusesWrites, StoreTimeout, StoreUnavailable
from submgr.platform.store.sdl_errors import translated

_log = logging.getLogger(__name__)

_NO_KEY = "{submgr},no such key"
"""A key that never exists: setting it only if it exists is a write that changes nothing."""


class Server:
    """A server and the connections to it that were given up with a command on the way.

    `lost`: the names of those connections at the server. `watched`: a Sentinel says which server is the master, so
    that another one may be it by now. `replica_of`: the server takes writes although it is a replica; it forgets them
    when it next follows its master.
    """

    def __init__(self, client: Any, where: str, lost: set[str], *, watched: bool = False) -> None:
        self.client = client
        self.where = where
        self.lost = lost
        self.replica_of: str | None = None
        self._watched = watched
        self._tells_role = True

    def write(self, values: dict[str, bytes], removals: list[str]) -> None:
        """Sends MSET or DEL, or both in one MULTI transaction, and asks the server in the same round trip what it is.

        Raises the errors of redis-py. Raises StoreRefusesWrites for a replica, without sending anything, and
        StoreTimeout when the server has become one: it took the write and may forget it.
        """
        if self.replica_of is not None:
            raise StoreRefusesWrites(self._replica_words())
        with self.client.pipeline(transaction=bool(values and removals)) as commands:
            if values:
                commands.mset(values)
            if removals:
                commands.delete(*removals)
            written = len(commands)
            if self._tells_role:
                commands.execute_command("ROLE")
            answers = commands.execute(raise_on_error=False)
        for answer in answers[:written]:
            if isinstance(answer, Exception):
                raise answer
        if (values and answers[0] is not True) or (removals and type(answers[written - 1]) is not int):
            raise InvalidResponse("neither an error nor what MSET and DEL answer")
        try:
            self._take_role(answers[written:])
        except StoreUnavailable as demoted:
            raise StoreTimeout(str(demoted)) from demoted
        if self.replica_of is not None:
            raise StoreTimeout(self._replica_words())

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
        """Why the server takes no writes; None when it does, or does not let us find out."""
        with self.client.pipeline(transaction=False) as commands:
            commands.set(_NO_KEY, b"", xx=True)
            if self._tells_role:
                commands.execute_command("ROLE")
            attempt, *role = commands.execute(raise_on_error=False)
        if isinstance(attempt, Exception):
            refused = translated(attempt, f"a write at {self.where}")
            if isinstance(refused, StoreRefusesWrites):
                return str(refused)
        self._take_role(role)
        return self._replica_words() if self.replica_of is not None else None

    def _take_role(self, answers: list[Any]) -> None:
        for answer in answers:
            if isinstance(answer, Exception):
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
