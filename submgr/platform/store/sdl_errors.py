# SPDX-License-Identifier: Apache-2.0
"""The errors of redis-py as errors of the store: by what they mean, and in redis's own words."""

from __future__ import annotations

import re

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from submgr.platform.store.base import StoreError, StoreRefusesWrites, StoreTimeout, StoreUnavailable


class NotSent(ConnectionError):
    """There was no connection, so that the command was not sent."""


_CODES: dict[type[RedisError], str] = {
    BusyLoadingError: "LOADING",
    MasterDownError: "MASTERDOWN",
    ClusterDownError: "CLUSTERDOWN",
    NoPermissionError: "NOPERM",
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
    AuthenticationError: "NOAUTH",
}
"""redis-py cuts these codes off the texts of the errors; operators look for them."""

_NOT_ALLOWED = "executing the script can't run this command"
"""How redis up to version 7.0 says NOPERM of a command in a script."""
_OF_SCRIPT = re.compile(r"@user_script: ?\d+: -")
"""What redis up to version 6 puts before an error of a command in a script."""

_ANSWERS_NOTHING = (NotSent, BusyLoadingError, AuthenticationError, MasterDownError, ClusterDownError)
_REFUSES_WRITES = ("READONLY", "OOM", "MISCONF", "NOREPLICAS")


class translating:
    """Raises StoreError for the errors of redis-py, see `raise_translated`. `what` was asked for, in words."""

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            raise_translated(error, self._what)


def raise_translated(error: BaseException, what: str) -> None:
    """Raises StoreError for an error of redis-py, in its own words.

    Does nothing for a StoreError, and for what ends a greenlet. Any other exception comes from an answer that redis-py
    did not expect: it says nothing, as no answer does.
    """
    if not isinstance(error, Exception) or isinstance(error, StoreError):
        return
    if isinstance(error, RedisError):
        raise translated(error, what) from error
    words = f"{type(error).__name__}: {error}"[:200]
    raise StoreTimeout(f"redis: no answer to {what} that makes sense: {words}") from error


def translated(error: RedisError, what: str) -> StoreError:
    """The error of the store that `error` of redis-py means. `what` was asked for, in words."""
    words = in_words(error)
    if isinstance(error, _ANSWERS_NOTHING):
        return StoreUnavailable(f"redis: {words}")
    if isinstance(error, ResponseError):
        kind = StoreRefusesWrites if words.startswith(_REFUSES_WRITES) else StoreError
        return kind(f"redis refused {what}: {words}")
    return StoreTimeout(f"redis: no answer to {what}: {words}")


def in_words(error: BaseException) -> str:
    """The text of an answer of redis, with its code."""
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "")
    # in a transaction redis-py puts the command with its values before the answer
    text = _OF_SCRIPT.sub("", str(error).rpartition(" of pipeline caused error: ")[2])
    code = "NOPERM" if _NOT_ALLOWED in text else code
    return f"{code} {text}" if code and not text.startswith(code) else text
