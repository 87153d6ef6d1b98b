# SPDX-License-Identifier: Apache-2.0
"""The page at `/` of the manager: what its orchestrator does, live. It has no data; these come from `/meo/v1`."""

from functools import cache

from flask import Blueprint, Response

from submgr.platform.http.static_files import StaticFiles


@cache
def page_files() -> StaticFiles:
    """The files of the page, read at the first call."""
    return StaticFiles(__package__, "page")


def page_blueprint() -> Blueprint:
    """`/`, and below `/page/` what it loads."""
    routes = Blueprint("page", __name__)

    @routes.get("/")
    def page() -> Response:
        return page_files().answer()

    @routes.get("/page/<path:name>")
    def file(name: str) -> Response:
        return page_files().answer(name)

    return routes
