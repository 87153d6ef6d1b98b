# SPDX-License-Identifier: Apache-2.0
"""Requests to the Subscription Manager, tried again where that may help."""

from __future__ import annotations

import http.client
import json
import logging
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from submgr.client.errors import Closed, NotAvailable, Refused, StillWorking, Unreachable, refused
from submgr.client.retries import Retries
from submgr.client.tls import Tls
from submgr.client.values import Json, Listed, field_errors, listed_of

log = logging.getLogger(__name__)

BASE = "/ric/v1"
_RESOURCE = f"{BASE}/subscriptions"
_LARGEST_ANSWER = 64 * 1024 * 1024
_WORDS = 500
"""Characters of an unexpected answer that an error has."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after: str | None

    def value(self) -> Any:
        """The JSON in the body. Raises ValueError."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class Exchange:
    """Speaks with one Subscription Manager. `url`: its address, with or without the base path.

    `timeout`: seconds for the connection, and for each part of an answer. `close` ends the pauses between tries.
    Raises ValueError for what is no http or https URL.
    """

    def __init__(self, url: str, timeout: float, retries: Retries, tls: Tls | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not the http or https URL of a Subscription Manager")
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 8088)
        self._prefix = parts.path.rstrip("/").removesuffix("/subscriptions").removesuffix(BASE)
        self._context = (tls or Tls()).as_client() if parts.scheme == "https" else None
        self._timeout = timeout
        self._retries = retries
        self._closed = threading.Event()

    def subscribe(self, body: Json) -> str:
        """Posts a request. Returns the SubscriptionId. Raises Refused or Unreachable."""
        answer = self._tried("POST", _RESOURCE, json.dumps(body).encode())
        try:
            value = answer.value()
            subscription_id = value["SubscriptionId"]
        except (ValueError, TypeError, KeyError) as error:
            raise Unreachable(
                f"an answer {answer.status} without a SubscriptionId: {answer.body[:_WORDS]!r}"
            ) from error
        if not isinstance(subscription_id, str) or not subscription_id:
            raise Unreachable(f"{subscription_id!r} is no SubscriptionId")
        return subscription_id

    def unsubscribe(self, subscription_id: str) -> None:
        """Deletes. An id that is not known counts as deleted. Raises Refused or Unreachable."""
        self._tried("DELETE", f"{_RESOURCE}/{quote(subscription_id, safe='')}")

    def listed(self) -> tuple[Listed, ...]:
        """All completed E2 subscriptions. Raises Refused or Unreachable."""
        answer = self._tried("GET", _RESOURCE)
        try:
            return listed_of(answer.value())
        except ValueError as error:
            raise Unreachable(f"not a list of subscriptions: {error}") from error

    def pause(self, tried: int, told: float | None = None) -> None:
        """Waits before another try, see `Retries.pause`. Raises Closed."""
        if self._closed.wait(self._retries.pause(tried, told)):
            raise Closed("the client was closed between two tries")

    def close(self) -> None:
        """Ends the pauses between tries; whoever is in one gets Closed."""
        self._closed.set()

    def _tried(self, method: str, path: str, body: bytes | None = None) -> _Answer:
        tried = 0
        while True:
            tried += 1
            told = None
            try:
                return self._once(method, path, body)
            except (Unreachable, NotAvailable, StillWorking) as error:
                if tried >= self._retries.tries:
                    raise
                told = error.retry_after if isinstance(error, Refused) else None
                log.info("%s %s is tried again: %s", method, path, error)
            self.pause(tried, told)

    def _once(self, method: str, path: str, body: bytes | None) -> _Answer:
        answer = self._asked(method, self._prefix + path, body)
        if 200 <= answer.status < 300:
            return answer
        try:
            value = answer.value()
            message = str(value["message"])
        except (ValueError, TypeError, KeyError):
            value, message = (
                None,
                answer.body[:_WORDS].decode(errors="replace") or http.client.responses.get(answer.status, "no words"),
            )
        if answer.status >= 500 and answer.status != 503:
            raise Unreachable(f"{method} {path} is answered {answer.status}: {message}")
        raise refused(answer.status, message, field_errors(value), _seconds(answer.retry_after))

    def _asked(self, method: str, path: str, body: bytes | None) -> _Answer:
        connection = self._connection()
        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if body is not None else {})}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            octets = answer.read(_LARGEST_ANSWER + 1)
            if len(octets) > _LARGEST_ANSWER:
                raise Unreachable(f"{method} {path}: an answer of more than {_LARGEST_ANSWER} bytes")
            return _Answer(answer.status, octets, answer.headers.get("Retry-After"))
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{method} {path} at {self.host}:{self.port}: {error or error!r}") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=self._timeout)
        return http.client.HTTPSConnection(self.host, self.port, timeout=self._timeout, context=self._context)


def _seconds(text: str | None) -> float | None:
    """A Retry-After in seconds; None for one that is absent or a date."""
    return float(text) if text is not None and text.isascii() and text.isdecimal() and len(text) <= 6 else None
