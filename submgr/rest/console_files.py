# SPDX-License-Identifier: Apache-2.0
"""The files of the console."""

from __future__ import annotations

from functools import cache

from flask import Response

from submgr.platform.http.static_files import StaticFiles


@cache
def console_files() -> StaticFiles:
    """The files in `console`, and those of the libraries that they use; read at the first call."""
    return StaticFiles("submgr.rest", "console")


def console_file(name: str = "index.html") -> Response:
    """The answer with a file of the console. Raises ApiError 404."""
    return console_files().answer(name)
