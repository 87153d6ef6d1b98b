# SPDX-License-Identifier: Apache-2.0
"""Errors by whose fault they are. The cause is a field; nobody parses it out of text."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Source(StrEnum):
    """ErrorSource of a notification: whose fault the failure is."""

    SUBMGR = "SUBMGR"
    RTMGR = "RTMGR"
    DBAAS = "DBAAS"
    ASN1 = "ASN1"
    E2NODE = "E2Node"


class TimeoutType(StrEnum):
    """TimeoutType of a notification: which neighbour did not answer in time."""

    E2 = "E2-Timeout"
    RTMGR = "RTMGR-Timeout"
    DBAAS = "DBAAS-Timeout"


class Failure(Struct, frozen=True):
    """Why a procedure failed, as the xApp is told it. `cause`: a sentence, never empty."""

    cause: str
    source: Source
    timeout: TimeoutType | None = None


class FieldError(Struct, frozen=True):
    """One mistake in a request: `field` as a path into the JSON body, e.g. `SubscriptionDetails[0].Meid`."""

    field: str
    message: str


class RefusedError(Exception):
    """A request that is answered with an HTTP status 4xx or 503 and changes nothing."""

    def __init__(
        self, status: int, message: str, errors: tuple[FieldError, ...] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.retry_after = retry_after


class NodeDownError(RefusedError):
    """503: the E2 node is unknown, not connected or under reset. Told apart because it is counted on its own."""

    def __init__(self, message: str) -> None:
        super().__init__(503, message)
