# SPDX-License-Identifier: Apache-2.0
"""Decides who may use the requests of the platform API that change something."""

from __future__ import annotations

from collections.abc import Callable

from flask import request

from submgr.platform.http.app import ApiError
from submgr.platform.http.bearer import bears
from submgr.rest.use_cases import DebugWrite

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="submgr"'}


def require_write(debug_write: Callable[[], DebugWrite]) -> None:
    """Raises ApiError unless the sender of the current request may change something.

    401: `debug_write` does not allow it. 403: a web page of another origin has asked the browser of somebody in the
    operator's network to send the request; a browser does so for any page.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise ApiError(403, "requests that change something are not taken from web pages of another origin")
    allowed = debug_write()
    if allowed.mode == "open" or (allowed.mode == "token" and bears([allowed.token])):
        return
    if allowed.mode != "token":
        raise ApiError(401, "requests that change something are switched off (debug.write: off)", headers=_CHALLENGE)
    raise ApiError(
        401, "a header 'Authorization: Bearer <token>' with the token of debug.token is needed", headers=_CHALLENGE
    )
