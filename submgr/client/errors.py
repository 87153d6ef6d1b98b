# SPDX-License-Identifier: Apache-2.0
"""What can go wrong for an xApp, by whose fault it is."""

from __future__ import annotations

from collections.abc import Sequence

from submgr.client.values import FieldError, Instance


class ClientError(Exception):
    """The base of all errors of this package."""


class Unreachable(ClientError):
    """The Subscription Manager cannot be reached, or does not answer as one. The text says what happened last."""


class Closed(ClientError):
    """The `Subscriptions` has been closed."""


class Refused(ClientError):
    """The Subscription Manager refused a request. `message` says why, `errors` names each wrong field.

    `retry_after`: seconds after which another try is useful, where that was told.
    """

    def __init__(
        self, status: int, message: str, errors: Sequence[FieldError] = (), retry_after: float | None = None
    ) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.errors = tuple(errors)
        self.retry_after = retry_after


class InvalidRequest(Refused):
    """400: the request is wrong, or contradicts what is subscribed under its id."""


class NotAllowed(Refused):
    """401 or 403: the client's certificate, or its absence, does not allow it."""


class NotKnown(Refused):
    """404: the SubscriptionId is not known, or another client's."""


class StillWorking(Refused):
    """409: the previous request with this id and another content is not finished."""


class NotAvailable(Refused):
    """503: the E2 node is not connected, the database cannot be reached, or too much waits. Nothing was subscribed."""


class SubscriptionFailed(ClientError):
    """One or more E2 subscriptions of a request failed.

    `error_cause`, `error_source` and `timeout_type` are those of the first, `failures` has all. `successes`: the
    others, which are subscribed.
    """

    def __init__(self, failures: Sequence[Instance], successes: Sequence[Instance] = ()) -> None:
        first = failures[0]
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        source = ", ".join(filter(None, (first.error_source, first.timeout_type)))
        super().__init__(f"{first.xapp_event_instance_id}: {first.error_cause} [{source}]{more}")
        self.error_cause = first.error_cause
        self.error_source = first.error_source
        self.timeout_type = first.timeout_type
        self.failures = tuple(failures)
        self.successes = tuple(successes)


class NotNotified(ClientError, TimeoutError):
    """Not all notifications came in time. `missing`: the XappEventInstanceIds without one."""

    def __init__(self, missing: Sequence[int], seconds: float) -> None:
        numbers = ", ".join(map(str, missing))
        super().__init__(
            f"no notification for {numbers} within {seconds:g} s: is this xApp reached at its own endpoint?"
        )
        self.missing = tuple(missing)


_BY_STATUS: dict[int, type[Refused]] = {
    400: InvalidRequest,
    401: NotAllowed,
    403: NotAllowed,
    404: NotKnown,
    409: StillWorking,
    503: NotAvailable,
}


def refused(status: int, message: str, errors: Sequence[FieldError] = (), retry_after: float | None = None) -> Refused:
    """The error of a status."""
    return _BY_STATUS.get(status, Refused)(status, message, errors, retry_after)
