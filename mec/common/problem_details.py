# SPDX-License-Identifier: Apache-2.0
"""What the HTTP interfaces of the MEC services share: problem details for every error (RFC 9457), reading requests."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

import msgspec
from flask import Response, request

from submgr.platform.http.app import ApiError, JsonApp, problem_errors

T = TypeVar("T")

MAX_BODY = 16 * 1024 * 1024


def problem_app(name: str, *, max_body: int = MAX_BODY) -> JsonApp:
    """An application whose errors are application/problem+json; views raise `ApiError`."""
    return JsonApp(name, errors=problem_errors, max_body=max_body)


def bad_field(field: str, message: str) -> ApiError:
    """400: one field or parameter of the request is wrong."""
    return bad_fields({field: message})


def bad_fields(mistakes: Mapping[str, str]) -> ApiError:
    """400 that names every field or parameter that is wrong, with what is wrong about it."""
    words = "; ".join(f"{field}: {message}" for field, message in mistakes.items())
    return ApiError(400, words, [{"field": field, "message": message} for field, message in mistakes.items()])


def json_object() -> dict[str, Any]:
    """The body of the current request as a JSON object; ApiError 400 when it is none."""
    try:
        value = msgspec.json.decode(request.get_data())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ApiError(400, f"the body is not JSON: {exc}") from exc
    if not isinstance(value, dict):
        raise ApiError(400, "the body must be a JSON object")
    return value


class Fields:
    """Reads the fields of one request; `check` raises one ApiError 400 that names all mistakes."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._mistakes: dict[str, str] = {}

    def need(self, name: str, convert: Callable[[Any], T], otherwise: T) -> T:
        """`convert` of a field that must be there; `otherwise` after a mistake, which `check` tells."""
        if self._values.get(name) in (None, ""):
            self._mistakes[name] = "is missing"
            return otherwise
        return self._converted(name, convert, otherwise)

    def take(self, name: str, convert: Callable[[Any], T], default: T) -> T:
        """`convert` of a field that may be absent."""
        if self._values.get(name) in (None, ""):
            return default
        return self._converted(name, convert, default)

    def check(self) -> None:
        """Raise ApiError 400 when there were mistakes."""
        if self._mistakes:
            raise bad_fields(self._mistakes)

    def _converted(self, name: str, convert: Callable[[Any], T], otherwise: T) -> T:
        try:
            return convert(self._values[name])
        except ValueError as exc:
            self._mistakes[name] = str(exc)
            return otherwise


def in_pieces(pieces: Iterable[bytes | memoryview], size: int | None = None) -> Response:
    """A JSON answer that is sent piece by piece, without being put together before; `size` is that of all."""
    answer = Response(cast(Iterable[bytes], pieces), content_type="application/json")
    if size is not None:
        answer.content_length = size
    return answer
