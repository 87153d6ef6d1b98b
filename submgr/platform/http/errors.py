# SPDX-License-Identifier: Apache-2.0
"""The errors of the HTTP client, and the endpoint that their messages name."""

from msgspec import Struct


class HttpError(Exception):
    """A request got no complete answer. `sent`: whether the peer may have seen the request."""

    sent = True


class HttpConnectError(HttpError):
    """No connection: the address is none, its name has no address, or the peer refuses TCP or TLS. Nothing was sent."""

    sent = False


class HttpForbidden(HttpConnectError):
    """The rules of outbound refuse the address: this says nothing about the peer."""


class HttpTimeout(HttpError):
    """There was no connection, or no complete answer, in time."""

    def __init__(self, message: str, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class HttpProtocolError(HttpError):
    """The peer closed before its answer was complete, or the answer is not HTTP, or it is too large."""


class Endpoint(Struct, frozen=True):
    """The other end of a connection. Connections to the same endpoint can stand in for each other."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
