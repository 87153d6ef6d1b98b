# SPDX-License-Identifier: Apache-2.0
"""Answers requests that failed: a RefusedError as the HTTP error that it describes, a bug as 500."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import Response, g, request

from submgr.core.errors import RefusedError
from submgr.platform.http.app import JsonApp
from submgr.platform.sparse_log import Sparsely
from submgr.rest.use_cases import InternalError

log = logging.getLogger(__name__)

_BURST, _MOST = 20, 600
"""Warnings in a minute: of one kind, of all."""


def answer_refusals(app: JsonApp) -> None:
    """Lets the views of `app` raise RefusedError. `refusal` finds the error afterwards.

    A refusal that is not the client's fault is a WARNING; those that are alike are not all logged.
    """
    sparsely = Sparsely(log, burst=_BURST, most=_MOST)

    def answer(error: RefusedError) -> Response:
        g.refusal = error
        told: dict[str, Any] = {
            "method": request.method,
            "path": request.path,
            "status": error.status,
            "why": error.message,
        }
        if error.status < 500:
            log.info("request refused", extra={**told, "peer": request.remote_addr})
        else:
            kind = f"{request.method} {error.message}"
            sparsely.log(logging.WARNING, kind, "request refused", **told, peer=request.remote_addr)
        errors = [{"field": mistake.field, "message": mistake.message} for mistake in error.errors]
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        return app.error_answer(error.status, error.message, errors, headers)

    app.register_error_handler(RefusedError, answer)


def answer_only_if(app: JsonApp, refuse: Callable[[], None]) -> None:
    """Has `refuse` called before each request and before each answer; it raises RefusedError unless this may be sent.

    A process that was stopped in the middle of a request must not promise afterwards what somebody else knows nothing
    of. What an answer has called once it is sent is called all the same.
    """

    def still(answer: Response) -> Response:
        if answer.status_code >= 400:
            return answer
        try:
            refuse()
        except RefusedError as error:
            refused = app.make_response(app.handle_user_exception(error))
            refused.call_on_close(answer.close)
            return refused
        return answer

    app.before_request(refuse)
    app.after_request(still)


def answer_only_where(app: JsonApp, refuse: Callable[[str], None]) -> None:
    """Has `refuse` called with the path of each request; it raises RefusedError unless that may be answered now."""
    app.before_request(lambda: refuse(request.path))


def report_internal_errors(app: JsonApp, internal_error: InternalError) -> None:
    """Has `internal_error` called for each answer 500 of `app`. `JsonApp` logs the traceback."""

    def reported(answer: Response) -> Response:
        if answer.status_code == 500:
            internal_error()
        return answer

    app.after_request(reported)


def refusal() -> RefusedError | None:
    """The error that refused the current request; None when it was not refused."""
    error = g.get("refusal")
    return error if isinstance(error, RefusedError) else None
