# SPDX-License-Identifier: Apache-2.0
"""Marks the requests that go where a peer wants them, so that none of this program's own ports takes one.

The rules of outbound know the addresses of this host. A Service, a proxy or another replica that leads back here has
another address.
"""

from flask import request

from submgr.platform.http.app import ApiError
from submgr.platform.http.callback_mark import MARK


def refuse_callbacks() -> None:
    """Raises ApiError 403 when the current request has the mark."""
    if MARK in request.headers:
        raise ApiError(403, "a callback of this program is not taken by the program itself")
