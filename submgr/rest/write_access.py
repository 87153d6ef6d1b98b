# SPDX-License-Identifier: Apache-2.0
"""Decides who may use the requests of the platform API that change something."""

from __future__ import annotations

from collections.abc import Callable

from submgr.platform.http.app import ApiError
from submgr.platform.http.bearer import bears
from submgr.rest.use_cases import DebugWrite

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="submgr"'}


def require_write(debug_write: Callable[[], DebugWrite]) -> None:
    """Raises ApiError 401 unless `debug_write` allows the sender of the current request to change something."""
    allowed = debug_write()
    if allowed.mode == "open" or (allowed.mode == "token" and bears([allowed.token])):
        return
    if allowed.mode != "token":
        raise ApiError(401, "requests that change something are switched off (debug.write: off)", headers=_CHALLENGE)
    raise ApiError(
        401, "a header 'Authorization: Bearer <token>' with the token of debug.token is needed", headers=_CHALLENGE
    )
