# SPDX-License-Identifier: Apache-2.0
# redis-py annotates only a part of itself.
# mypy: allow-untyped-calls
"""The lane of the writes to one redis server: a connection that is kept, without redis-py's work around each command.

A pool of redis-py looks at the socket before each command, packs each argument by itself, and reads each answer through
six calls. Each write of a subscription paid twice for that what redis takes for it. Here the writer of a store has a
connection of its own, a command is packed at once, and the one answer that a write has as a rule is read at a glance;
any other goes to the bounded parser of redis-py.
"""

from __future__ import annotations

import re
import time
from typing import Any

from redis.exceptions import ConnectionError, ResponseError

from submgr.platform.store.sdl_connection import SdlConnection

_READ = 65536
_IDLE = 0.005
"""Seconds after its last answer for which a connection counts as open. Later it is looked at before it is used."""

_MARKER = rb"\$[0-9]{1,2}\r\n([0-9]+:[0-9]+)\r\n"
_MASTER = rb"\*3\r\n\$6\r\nmaster\r\n:[0-9]+\r\n\*[0-9]+\r\n(?:\*3\r\n(?:\$[0-9]+\r\n[^\r\n]*\r\n){3})*"
_DONE = {1: re.compile(_MARKER + rb"\Z"), 2: re.compile(_MARKER + _MASTER + rb"\Z")}
"""What comes as a rule, by the number of answers: a marker, and perhaps the role of a master with its replicas."""
MASTER = [b"master"]


def packed(*words: bytes) -> bytes:
    """A command as redis reads it (RESP2): how many words, and each one behind its length."""
    lines = [b"*%d" % len(words), *words, *words, b""]
    lines[1:-1:2] = [b"$%d" % len(word) for word in words]
    lines[2:-1:2] = words
    return b"\r\n".join(lines)


class Lane:
    """The connection of one server that its writes go by. `client`: of redis-py, whose pool makes the connection.

    Who asks bounds the time. Any error ends the connection.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._kept: SdlConnection | None = None
        self._good_until = 0.0

    def ask(self, commands: bytes, count: int) -> list[Any]:
        """The answers to so many packed commands, one or two, errors among them. Raises the errors of redis-py."""
        connection = self._take()
        try:
            data = connection.exchange(commands, _READ)
            done = _DONE[count].match(data)
            answers = [done[1], MASTER][:count] if done else _read(connection, data, count)
        except OSError as error:
            self._end(connection)
            raise ConnectionError(f"Error while talking to {connection.host}:{connection.port}: {error}") from error
        except BaseException:
            self._end(connection)
            raise
        if self._kept is None:
            self._kept = connection
            self._good_until = time.monotonic() + _IDLE
        else:  # two asked at once
            connection.wait_no_longer_than(connection.socket_timeout)
            self._client.connection_pool.release(connection)
        return answers

    def drop(self) -> None:
        """Ends the connection that is kept: what comes next on it may be the answer to something else."""
        connection, self._kept = self._kept, None
        if connection is not None:
            self._end(connection)

    def _take(self) -> SdlConnection:
        connection, self._kept = self._kept, None
        if connection is not None:
            if connection.is_open and (time.monotonic() <= self._good_until or connection.is_quiet()):
                return connection
            self._end(connection)
        fresh: SdlConnection = self._client.connection_pool.get_connection()
        fresh.wait_no_longer_than(None)
        return fresh

    def _end(self, connection: SdlConnection) -> None:
        connection.disconnect()
        self._client.connection_pool.release(connection)


def _read(connection: SdlConnection, begin: bytes, count: int) -> list[Any]:
    """So many answers, of which `begin` has come already."""
    connection.put_back(begin)
    answers = [_answer(connection) for _ in range(count)]
    if connection.has_more():
        raise ConnectionError("more than was asked for")
    return answers


def _answer(connection: SdlConnection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
