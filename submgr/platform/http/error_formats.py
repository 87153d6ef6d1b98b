# SPDX-License-Identifier: Apache-2.0
"""How the HTTP servers tell an error: as JSON of one form or another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from submgr.platform.http.plain_answers import encode_json

FieldErrors = Sequence[Mapping[str, str]]
ErrorFormat = Callable[[int, str, FieldErrors, Mapping[str, Any]], tuple[bytes, str]]


def json_errors(status: int, message: str, errors: FieldErrors, extra: Mapping[str, Any]) -> tuple[bytes, str]:
    """`{"code": 400, "message": "...", "errors": [{"field": "...", "message": "..."}]}`."""
    body = {"code": status, "message": message, "errors": list(errors), **extra}
    return encode_json(body), "application/json"


def problem_errors(status: int, message: str, errors: FieldErrors, extra: Mapping[str, Any]) -> tuple[bytes, str]:
    """Problem details (RFC 9457); field errors are an extension member `errors`, others come from `extra`."""
    body: dict[str, Any] = {"type": "about:blank", "title": reason_of(status), "status": status, "detail": message}
    if errors:
        body["errors"] = list(errors)
    return encode_json({**body, **extra}), "application/problem+json"


def reason_of(status: int) -> str:
    """The status in words."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
