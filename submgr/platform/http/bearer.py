# SPDX-License-Identifier: Apache-2.0
"""Checks whether requests bear a token that their sender should know (bearer tokens, RFC 6750)."""

import hmac
from collections.abc import Iterable

from flask import request

from submgr.platform.http.app import ApiError


def bears(tokens: Iterable[str | None]) -> bool:
    """Whether the current request bears one of `tokens`. None and "" are no tokens, and no request bears them.

    The comparison takes the same time wherever a wrong token differs, so that nobody can guess one by measuring.
    """
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    # WSGI hands a header's octets over as Latin-1
    octets = given.strip().encode("latin-1", "replace")
    return any(hmac.compare_digest(octets, token.encode()) for token in tokens if token)


def require_token(tokens: Iterable[str | None]) -> None:
    """Raises ApiError 401 unless the current request bears one of `tokens`; when there are none, anybody may ask."""
    known = [token for token in tokens if token]
    if known and not bears(known):
        raise ApiError(401, "a bearer token is needed", headers={"WWW-Authenticate": "Bearer"})
