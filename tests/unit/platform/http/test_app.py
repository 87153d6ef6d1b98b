# SPDX-License-Identifier: Apache-2.0
"""URLs can still be made of the rules of an application, though nothing is compiled for that before."""

from __future__ import annotations

from flask import Response, url_for

from submgr.platform.http.app import JsonApp


def test_a_url_is_made_when_somebody_wants_one() -> None:
    app = JsonApp("test")
    app.add_url_rule("/nodes/<path:name>/functions", "functions", lambda name: Response(name))
    with app.test_request_context("/"):
        assert url_for("functions", name="a/b") == "/nodes/a/b/functions"
        assert url_for("functions", name="c", deep="1") == "/nodes/c/functions?deep=1"
    assert app.test_client().get("/nodes/x/functions").text == "x"
