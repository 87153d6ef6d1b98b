# SPDX-License-Identifier: Apache-2.0
"""The common base of the HTTP interfaces of the MEC services.

Every error is answered with problem details (RFC 9457), bodies and parameters are read with `json_fields`, and large
answers are sent in pieces.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from typing import Any, cast

from flask import Blueprint, Response, current_app, request

from submgr.platform.http.app import ApiError, JsonApp
from submgr.platform.http.changes import refuse_foreign_origins
from submgr.platform.http.error_formats import problem_errors
from submgr.platform.http.json_body import NotJson, read_json, take_turn
from submgr.platform.http.json_fields import Dialect, Fields, Mistakes

Answers = Mapping[type[Exception], Callable[[Any], ApiError]]
"""How the errors of a service are answered: its types of errors, and what makes an ApiError of one."""

DIALECT = Dialect(absent="is missing", limit=math.inf)
"""Of requests to all MEC services but the orchestrator."""


def problem_app(name: str, *, origins: Iterable[str] = ()) -> JsonApp:
    """An application whose errors are application/problem+json; views raise `ApiError`.

    `origins`: the web pages that may change something, see `refuse_foreign_origins`.
    """
    app = JsonApp(name, errors=problem_errors)
    refuse_foreign_origins(app, origins)
    return app


def only_parameters(routes: Blueprint, known: Mapping[str, Collection[str]]) -> None:
    """Has `routes` answer 400 to query parameters that are not `known`, by the name of the view (without: none)."""

    def look() -> None:
        view = (request.endpoint or "").rpartition(".")[2]
        unknown = sorted(set(request.args) - set(known.get(view, ())))
        if unknown:
            raise ApiError(
                400,
                f"unknown query parameter {unknown[0][:60]!r}",
                [{"field": name[:60], "message": "is no query parameter of this resource"} for name in unknown[:20]],
            )

    routes.before_request(look)


def answer_errors(routes: Blueprint, answers: Answers) -> None:
    """Lets the views of `routes` raise the errors of their service.

    Each is answered as `answers` says of its type, or of the nearest base of its type.
    """

    def register(kind: type[Exception], answer: Callable[[Any], ApiError]) -> None:
        routes.register_error_handler(kind, lambda error: current_app.handle_user_exception(answer(error)))

    for kind, answer in answers.items():
        register(kind, answer)


def bad_field(field: str, message: str) -> ApiError:
    """400: one field or parameter of the request is wrong."""
    return ApiError(400, f"{field}: {message}", [{"field": field, "message": message}])


def json_object() -> dict[str, Any]:
    """The JSON object in the body of the current request. Raises ApiError 400 when the body is anything else."""
    take_turn(request.content_length)
    try:
        value = read_json(request.get_data())
    except NotJson as exc:
        raise ApiError(400, f"the body {exc}") from exc
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
    """A JSON answer that is sent piece by piece; `size` is the sum of their bytes, None if it is not known."""
    return passed_on(chain(pieces, (b"\n",)), None if size is None else size + 1)


def passed_on(pieces: Iterable[bytes | memoryview], size: int | None) -> Response:
    """The JSON answer of somebody else, as it is; `size` is the sum of the bytes of its pieces, None if not known."""
    answer = Response(cast(Iterable[bytes], pieces), content_type="application/json")
    if size is not None:
        answer.content_length = size
    return answer
