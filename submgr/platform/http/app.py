# SPDX-License-Identifier: Apache-2.0
"""The Flask side of the HTTP servers: JSON for every error, one resource for `/a`, `/a/` and `//a`."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Rule

from submgr.platform.http.connections import MAX_BODY
from submgr.platform.http.error_formats import ErrorFormat, FieldErrors, json_errors, reason_of
from submgr.platform.http.plain_answers import PlainAnswer, encode_json, plain_json_bytes

log = logging.getLogger(__name__)

_SLASHES = re.compile("/{2,}")


class ApiError(Exception):
    """Ends a view with an error answer.

    `errors` are field errors (`{"field": ..., "message": ...}`), `headers` further ones of the answer (Retry-After),
    `extra` further members of the body.
    """

    def __init__(
        self,
        status: int,
        message: str,
        errors: FieldErrors = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class _MatchingRule(Rule):
    """A rule that is matched. What makes URLs of it is compiled only when somebody makes one: nobody does, and to
    compile it for all rules is a twentieth of a start."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_builder = super()._compile_builder
        return lambda rule, **values: compile_builder(append_unknown)(rule, **values)


class JsonApp(Flask):
    """A Flask application without redirects, HTML, static files and automatic OPTIONS.

    `json_only`: a POST, PUT or PATCH with a Content-Type that is not JSON is 415 before anything else is looked at,
    but not before an unknown path (404). An absent Content-Type is taken as JSON.
    """

    url_rule_class = _MatchingRule

    def __init__(
        self,
        name: str,
        *,
        errors: ErrorFormat = json_errors,
        json_only: bool = False,
        max_body: int = MAX_BODY,
    ) -> None:
        super().__init__(name, static_folder=None)
        self.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
        self.config["MAX_CONTENT_LENGTH"] = max_body
        self.url_map.strict_slashes = False
        self.url_map.merge_slashes = False  # _OnePath has done it; werkzeug's way is a redirect
        self.url_map.redirect_defaults = False
        self._errors = errors
        self.wsgi_app = _OnePath(self.wsgi_app)  # type: ignore[method-assign]
        self.register_error_handler(HTTPException, self._http_error)
        self.register_error_handler(ApiError, self._api_error)
        if json_only:
            self.before_request(_refuse_other_content)

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """A view failed with what it should not: a bug, logged with its traceback, answered by a 500."""
        log.error("request failed", exc_info=exc_info, extra={"method": request.method, "path": request.path})

    def error_answer(
        self,
        status: int,
        message: str,
        errors: FieldErrors = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Response:
        """An error answer in this application's format."""
        body, content_type = self._errors(status, message, errors, extra or {})
        answer = Response(body, status, content_type=content_type)
        answer.headers.update(dict(headers or {}))
        return answer

    def _api_error(self, error: ApiError) -> Response:
        return self.error_answer(error.status, error.message, error.errors, error.headers, error.extra)

    def _http_error(self, error: HTTPException) -> Any:
        if error.response is not None:  # a view has said all of it
            return error.response
        status = error.code or 500
        headers = {}
        if isinstance(error, MethodNotAllowed):
            allowed = sorted(set(error.valid_methods or ()))
            headers["Allow"] = ", ".join(allowed)
            message = f"{request.method} is not possible on {request.path}, only {', '.join(allowed)}"
        elif isinstance(error, NotFound) and request.routing_exception is error:
            message = f"there is no {request.path}"
        elif status == 500:
            message = "internal error, see the log"
        elif status == 413:
            message = f"the body is larger than {self.config['MAX_CONTENT_LENGTH']} bytes"
        else:
            message = error.description or reason_of(status)
        return self.error_answer(status, message, (), headers)


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` (anything msgspec encodes) as a JSON answer."""
    answer = Response(encode_json(value), status, content_type="application/json")
    if headers:
        answer.headers.update(dict(headers))
    return answer


def json_bytes(body: bytes) -> Response:
    """An answer with encoded JSON, and a newline. A large body is not copied for it."""
    return from_plain(plain_json_bytes(body))


def from_plain(plain: PlainAnswer) -> Response:
    """The same answer, as Flask has it."""
    answer = Response(plain.pieces, plain.status, content_type=plain.content_type)
    answer.content_length = plain.length
    return answer


def after_sent(answer: Response, callback: Callable[[], None]) -> Response:
    """Have `callback` called once the answer has been written to the socket, or its client found gone."""
    answer.call_on_close(callback)
    return answer


def is_json(content_type: str | None) -> bool:
    """Whether a Content-Type header (None or empty: absent) is to be read as JSON."""
    if not content_type:
        return True
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def require_json() -> None:
    """Raise ApiError 415 when the current request says that its body is something else than JSON."""
    if not is_json(request.content_type):
        raise ApiError(415, f"Content-Type {request.content_type} is not taken, only application/json")


def _refuse_other_content() -> None:
    if request.method in ("POST", "PUT", "PATCH") and not isinstance(request.routing_exception, NotFound):
        require_json()


class _OnePath:
    """WSGI middleware: doubled and trailing slashes name the same resource as the plain path."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if "//" in path or path.endswith("/") or not path:
            environ["PATH_INFO"] = _SLASHES.sub("/", path).rstrip("/") or "/"
        return self._app(environ, start_response)
