# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens (RFC 6750)."""

import hmac
from collections.abc import Iterable

from flask import request

from submgr.platform.http.app import ApiError


def require_token(tokens: Iterable[str | None]) -> None:
    """Raise ApiError 401 unless the current request bears one of `tokens`; when there are none, anybody may ask."""
    known = [token.encode() for token in tokens if token]
    if not known:
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        bearer = given.strip().encode("utf-8", "replace")
        if any(hmac.compare_digest(bearer, token) for token in known):
            return
    raise ApiError(401, "a bearer token is needed", headers={"WWW-Authenticate": "Bearer"})
