# SPDX-License-Identifier: Apache-2.0
"""Documents of several files are one, and nothing of them gets lost."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from submgr.platform.http.api_documents import ApiDocument, DocumentFile, merged
from submgr.platform.http.api_pages import add_api_pages


def document(base: str, path: str, **parts: Any) -> dict[str, Any]:
    answer = {"200": {"description": "ok", "schema": {"$ref": "#/components/schemas/Thing"}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": base},
        "servers": [{"url": base}],
        "paths": {path: {"parameters": [{"name": "x"}], "get": {"responses": answer}}},
        **parts,
    }


def thing(kind: str, **others: Any) -> dict[str, Any]:
    return {"components": {"schemas": {"Thing": {"type": kind}, **others}}}


def test_paths_get_the_base_of_their_document() -> None:
    whole = merged([document("/", "/health"), document("/dev_app/v1", "/apps")])
    assert list(whole["paths"]) == ["/health", "/dev_app/v1/apps"]
    assert whole["servers"] == [{"url": "/"}]
    assert whole["info"] == {"title": "/"}


def test_equal_components_are_one() -> None:
    whole = merged([document("/", "/a", **thing("string")), document("/b/v1", "/b", **thing("string"))])
    assert whole["components"]["schemas"] == {"Thing": {"type": "string"}}


def test_others_of_the_same_name_get_another_one() -> None:
    box = {"items": {"$ref": "#/components/schemas/Thing"}}
    second = document("/dev_app/v1", "/b", **thing("integer", Box=box))
    whole = merged([document("/", "/a", **thing("string")), second])
    assert whole["components"]["schemas"] == {
        "Thing": {"type": "string"},
        "DevAppThing": {"type": "integer"},
        "Box": {"items": {"$ref": "#/components/schemas/DevAppThing"}},
    }
    answer = whole["paths"]["/dev_app/v1/b"]["get"]["responses"]["200"]
    assert answer["schema"] == {"$ref": "#/components/schemas/DevAppThing"}


def test_security_of_a_document_stays_with_its_operations() -> None:
    whole = merged([document("/", "/a"), document("/b", "/b", security=[{"token": []}])])
    assert "security" not in whole
    assert "security" not in whole["paths"]["/a"]["get"]
    assert whole["paths"]["/b/b"]["get"]["security"] == [{"token": []}]
    assert whole["paths"]["/b/b"]["parameters"] == [{"name": "x"}]


def test_a_path_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="/b/c"):
        merged([document("/", "/b/c"), document("/b", "/c")])


@pytest.fixture
def app() -> Flask:
    app = Flask("pages")
    add_api_pages(app, 'A "title"', ApiDocument(DocumentFile("submgr.rest", "openapi.yaml")), {"other": "/o.json"})
    return app


def test_the_page_loads_only_from_its_own_port(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/docs")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "A &#34;title&#34;" in answer.text or "A &quot;title&quot;" in answer.text
    assert "/o.json" in answer.text
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "docs.js"):
        assert f"/docs/{name}" in answer.text
        file = client.get(f"/docs/{name}")
        assert (file.status_code, int(file.headers["Content-Length"])) == (200, len(file.data))
        assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/docs/../docs.html").status_code == 404


def test_without_swagger_ui_the_page_says_so(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from submgr.platform.http import api_pages
    from submgr.platform.http.app import ApiError

    monkeypatch.setattr(api_pages.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ApiError, match="flask-swagger-ui") as caught:
        api_pages._swagger_ui_file("swagger-ui.css")
    assert caught.value.status == 404
