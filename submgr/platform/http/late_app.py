# SPDX-License-Identifier: Apache-2.0
"""A WSGI application that is imported and made when the first request comes for it, beside everything else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from submgr.platform.http.error_formats import json_errors
from submgr.platform.http.plain_answers import PlainAnswer, Wsgi
from submgr.platform.late_imports import import_beside

log = logging.getLogger(__name__)


class LateApp:
    """The application that `make` returns after the modules `names` have been imported in a native thread.

    Requests that come meanwhile wait for the same import, all others go on. When it fails, the request is answered 500
    and `internal_error` called; the next request tries again.
    """

    def __init__(self, make: Callable[[], Wsgi], *names: str, internal_error: Callable[[], None]) -> None:
        self._make = make
        self._names = names
        self._internal_error = internal_error
        self._app: Wsgi | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._app is None:
            try:
                import_beside(*self._names)
                # no other greenlet runs while it is made, and it is made once
                self._app = self._app or self._make()
            except Exception:
                told = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"]}
                log.exception("request failed: what answers it cannot be loaded", extra=told)
                return self._failed(environ, start_response)
        return self._app(environ, start_response)

    def _failed(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self._internal_error()
        body, content_type = json_errors(500, "internal error, see the log", (), {})
        pieces = PlainAnswer((body,), 500, content_type).send(start_response)
        return () if environ["REQUEST_METHOD"] == "HEAD" else pieces
