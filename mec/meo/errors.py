# SPDX-License-Identifier: Apache-2.0
"""Why a request is not done, by whose fault."""

from collections.abc import Mapping


class MeoError(Exception):
    """Any of them; the message is for the client."""


class Unknown(MeoError):
    """There is no such application, platform or context."""


class Conflict(MeoError):
    """What is asked for contradicts what is there."""


class Rejected(MeoError):
    """No platform can take a context; why not, per platform."""

    def __init__(self, message: str, reasons: Mapping[str, str]) -> None:
        super().__init__(message)
        self.reasons = dict(reasons)


class Unavailable(MeoError):
    """The store cannot be used at the moment; nothing was changed. Asking again later may help."""
