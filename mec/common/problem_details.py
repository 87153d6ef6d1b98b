# SPDX-License-Identifier: Apache-2.0
"""What the HTTP interfaces of the MEC services share: problem details for every error (RFC 9457), reading requests."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
from flask import Response, request

from submgr.platform.http.app import ApiError, JsonApp, problem_errors
from submgr.platform.http.json_fields import Dialect, Fields, Mistakes

MAX_BODY = 16 * 1024 * 1024

DIALECT = Dialect(absent="is missing", limit=math.inf)
"""Of the requests that the MEC services take, but for those of the orchestrator."""


def problem_app(name: str, *, max_body: int = MAX_BODY) -> JsonApp:
    """An application whose errors are application/problem+json; views raise `ApiError`."""
    return JsonApp(name, errors=problem_errors, max_body=max_body)


def bad_field(field: str, message: str) -> ApiError:
    """400: one field or parameter of the request is wrong."""
    return ApiError(400, f"{field}: {message}", [{"field": field, "message": message}])


def json_object() -> dict[str, Any]:
    """The body of the current request as a JSON object; ApiError 400 when it is none."""
    try:
        value = msgspec.json.decode(request.get_data())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ApiError(400, f"the body is not JSON: {exc}") from exc
    if not isinstance(value, dict):
        raise ApiError(400, "the body must be a JSON object")
    return value


def parameters(values: Mapping[str, Any]) -> Fields:
    """The parameters of a query, or the members of a body that may stand for them; an empty one counts as absent."""
    return Fields({name: value for name, value in values.items() if value != ""}, "", Mistakes(DIALECT))


def check(mistakes: Mistakes, status: int = 400) -> None:
    """Raises one ApiError that names all mistakes, when there are any."""
    if mistakes:
        words = "; ".join(f"{each.field}: {each.message}" for each in mistakes.found)
        raise ApiError(status, words, [{"field": each.field, "message": each.message} for each in mistakes.found])


def in_pieces(pieces: Iterable[bytes | memoryview], size: int | None = None) -> Response:
    """A JSON answer that is sent piece by piece, without being put together before; `size` is that of all."""
    answer = Response(cast(Iterable[bytes], pieces), content_type="application/json")
    if size is not None:
        answer.content_length = size
    return answer
