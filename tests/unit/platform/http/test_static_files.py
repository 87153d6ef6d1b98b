# SPDX-License-Identifier: Apache-2.0
"""Files of a page: these and no others, with their type, their policy and a tag."""

import pytest
from flask.testing import FlaskClient

from mec.common.problem_details import problem_app
from submgr.platform.http.static_files import StaticFiles


@pytest.fixture(scope="module")
def files() -> StaticFiles:
    return StaticFiles("mec.manager", "page")


@pytest.fixture
def client(files: StaticFiles) -> FlaskClient:
    app = problem_app("page")
    app.add_url_rule("/", "page", files.answer)
    app.add_url_rule("/page/<path:name>", "file", files.answer)
    return app.test_client()


def test_the_page_and_its_files(client: FlaskClient, files: StaticFiles) -> None:
    page = client.get("/")
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    for name, kind in (
        ("app.js", "text/javascript"),
        ("style.css", "text/css"),
        ("vendor/uPlot.iife.min.js", "text/javascript"),
    ):
        answer = client.get(f"/page/{name}")
        assert (answer.status_code, answer.mimetype, answer.data) == (200, kind, files.files[name].content)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["page.js", "../page_files.py", "..%2fpage_files.py", "/etc/passwd", "vendor", "vendor/"]
)
def test_no_other_files(client: FlaskClient, name: str) -> None:
    assert client.get(f"/page/{name}").status_code in (404, 308)


def test_what_a_browser_has_is_not_sent_again(client: FlaskClient) -> None:
    tag = client.get("/").headers["ETag"]
    again = client.get("/", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get("/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_licences_stand_beside_what_they_are_for(files: StaticFiles) -> None:
    assert {"vendor/LICENSE.uPlot.txt", "vendor/LICENSE.preact.txt", "vendor/LICENSE.htm.txt"} <= files.files.keys()
