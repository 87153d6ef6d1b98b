# SPDX-License-Identifier: Apache-2.0
"""Checks whether requests bear a token that their sender should know (bearer tokens, RFC 6750)."""

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from hashlib import sha256

import gevent
from flask import request

from submgr.platform.http.app import ApiError

CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Failures:
    """Slows down those who guess tokens, by address. A right token is never slowed down, whoever guesses beside it:
    all that come through one proxy have one address.

    The first `free` wrong tokens of an address are answered at once, each further one `pause` seconds later than the
    one before, at most `longest`. So an address makes as many guesses as it has connections, each `longest` seconds.
    An address that was right, or that has not been wrong for `forget` seconds, begins anew. The latest `most` addresses
    are remembered.
    """

    def __init__(
        self,
        free: int = 3,
        pause: float = 0.25,
        longest: float = 2.0,
        forget: float = 60.0,
        most: int = 1000,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = gevent.sleep,
    ) -> None:
        self._free = free
        self._pause = pause
        self._longest = longest
        self._forget = forget
        self._most = most
        self._clock = clock
        self._sleep = sleep
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._wrong)

    def right(self, address: str) -> None:
        """The address has sent a right token."""
        self._wrong.pop(address, None)

    def wrong(self, address: str) -> None:
        """The address has sent a wrong token. Returns when it may be told so."""
        now = self._clock()
        count, last = self._wrong.get(address, (0, now))
        count = 1 if now - last >= self._forget else count + 1
        self._wrong[address] = (count, now)
        self._wrong.move_to_end(address)
        if len(self._wrong) > self._most:
            self._wrong.popitem(last=False)
        if count > self._free:
            self._sleep(min((count - self._free) * self._pause, self._longest))


_failures = Failures()


def bears(tokens: Collection[str | None], failures: Failures = _failures) -> bool:
    """Whether the current request bears one of `tokens`. None and "" are no tokens, and no request bears them.

    The comparison takes the same time wherever a wrong token differs and however long it is, so that nobody can guess
    one by measuring. For a wrong one it returns when its sender may be told so.
    """
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        return False
    address = request.remote_addr or ""
    # WSGI hands a header's octets over as Latin-1
    digest = sha256(given.strip().encode("latin-1", "replace")).digest()
    if sum(hmac.compare_digest(digest, sha256(token.encode()).digest()) for token in tokens if token):
        failures.right(address)
        return True
    failures.wrong(address)
    return False


def require_token(tokens: Collection[str | None] | None) -> None:
    """Raises ApiError 401 unless the current request bears one of `tokens`. None: anybody may ask."""
    if tokens is not None and not bears(tokens):
        raise ApiError(401, "a bearer token is needed", headers=CHALLENGE)
