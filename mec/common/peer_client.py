# SPDX-License-Identifier: Apache-2.0
"""Requests to applications, proxies and managers, with one time limit for all of a request.

A header counts how often a request has been passed on, so that circles end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import gevent
from flask import has_request_context, request

from submgr.platform.http.client import HttpClient, HttpResponse, HttpStream
from submgr.platform.http.errors import HttpError, HttpTimeout

TIMEOUT = 2.0
"""Seconds for a request from the beginning to the last byte of its answer."""
HOPS = "MEC-Hops"
"""Header: how many MEC programs have passed this request on."""
MAX_HOPS = 4
MAX_ANSWER = 1024 * 1024


class NoAnswer(Exception):
    """A peer gave no usable answer. The message is one line that says why."""


@dataclass(frozen=True, slots=True)
class PeerClient:
    """Makes requests with `client`. Each takes `seconds` at the most, from connecting to the last byte."""

    client: HttpClient
    seconds: float = TIMEOUT

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_ANSWER,
        passed_on: int | None = None,
    ) -> HttpResponse:
        """Makes a request and returns the whole answer, of at most `limit` bytes. Raises NoAnswer.

        `passed_on`: how often the request has been passed on; None: once more than the request that is being answered.
        """
        late = HttpTimeout(f"no answer within {self.seconds:g} s")
        try:
            with gevent.Timeout(self.seconds, late):
                return self.client.request(
                    method,
                    url,
                    body=body,
                    headers=_with_hops(headers, passed_on),
                    connect_timeout=self.seconds,
                    read_timeout=self.seconds,
                    max_response=limit,
                )
        except (HttpError, OSError) as exc:
            raise NoAnswer(str(exc) or type(exc).__name__) from exc

    def stream(self, method: str, url: str) -> HttpStream:
        """Makes a request and returns the head of the answer within the time limit. The caller reads the body.

        Raises NoAnswer.
        """
        late = HttpTimeout(f"no answer within {self.seconds:g} s")
        try:
            with gevent.Timeout(self.seconds, late):
                return self.client.stream(
                    method,
                    url,
                    headers=_with_hops(None, None),
                    connect_timeout=self.seconds,
                    read_timeout=self.seconds,
                )
        except (HttpError, OSError) as exc:
            raise NoAnswer(str(exc) or type(exc).__name__) from exc


def hops() -> int:
    """How many MEC programs have passed on the request that is being answered."""
    if not has_request_context():
        return 0
    given = request.headers.get(HOPS, "0").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) < 4 else 0


def _with_hops(headers: Mapping[str, str] | None, passed_on: int | None) -> dict[str, str]:
    return {**(headers or {}), HOPS: str(hops() + 1 if passed_on is None else passed_on)}
