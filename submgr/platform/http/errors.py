# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a request to another HTTP server, and the name of the server it went to."""

from dataclasses import dataclass


class HttpError(Exception):
    """A request got no answer. `sent` tells whether the peer may have seen the request."""

    sent = True


class HttpConnectError(HttpError):
    """Refused, unresolvable, TLS refused, or not an address at all: nothing was sent."""

    sent = False


class HttpTimeout(HttpError):
    """No connection, or no complete answer, in time."""

    def __init__(self, message: str, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class HttpProtocolError(HttpError):
    """The peer closed before the answer was complete, or the answer is not HTTP, or it is too large."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where connections go: what pooled ones are kept by."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
