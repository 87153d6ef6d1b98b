# SPDX-License-Identifier: Apache-2.0
"""Who may use the requests of the platform API that change something."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from flask import request

from submgr.platform.http.app import ApiError
from submgr.rest.use_cases import DebugWrite

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="submgr"'}


def require_write(debug_write: Callable[[], DebugWrite]) -> None:
    """Raise ApiError 401 unless the current request may change something, 403 when it comes from a foreign web page.

    The latter since a browser in the operator's network would send such a request for any page that asks it to.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise ApiError(403, "requests that change something are not taken from web pages of another origin")
    allowed = debug_write()
    if allowed.mode == "open" or (allowed.mode == "token" and _bears(allowed.token)):
        return
    if allowed.mode != "token":
        raise ApiError(401, "requests that change something are switched off (debug.write: off)", headers=_CHALLENGE)
    raise ApiError(
        401, "a header 'Authorization: Bearer <token>' with the token of debug.token is needed", headers=_CHALLENGE
    )


def _bears(token: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return False
    return hmac.compare_digest(given.strip().encode("latin-1", "replace"), token.encode())
