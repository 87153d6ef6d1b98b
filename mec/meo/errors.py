# SPDX-License-Identifier: Apache-2.0
"""The errors of the orchestrator, a class for each reason why a request is refused."""

from collections.abc import Mapping


class MeoError(Exception):
    """An error whose message is for the client."""


class Unknown(MeoError):
    """There is no such application, platform or context."""


class Conflict(MeoError):
    """The request contradicts what is registered."""


class Rejected(MeoError):
    """No platform can take a context. `reasons`: why not, by platform."""

    def __init__(self, message: str, reasons: Mapping[str, str]) -> None:
        super().__init__(message)
        self.reasons = dict(reasons)


class Unavailable(MeoError):
    """The store cannot be used now. Nothing has changed; the client may ask again later."""
