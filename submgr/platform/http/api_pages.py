# SPDX-License-Identifier: Apache-2.0
"""The routes where a port serves its OpenAPI documents, and Swagger UI for people who look at them.

Swagger UI's files are those of the package flask-swagger-ui. The page loads nothing from anywhere else, so that it
works in a cluster without a way out. Its own two files (docs.html, docs.js) take the place of that package's page,
whose script stands in the page.
"""

from __future__ import annotations

import html
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import resources
from pathlib import Path

import msgspec
from flask import Blueprint, Flask, Response

from submgr.platform.http.api_documents import ApiDocument
from submgr.platform.http.app import ApiError, json_bytes

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page loads files of this port only. `data:` are the pictures in Swagger UI's own files."""
_KINDS = {".js": "text/javascript", ".css": "text/css", ".png": "image/png", ".html": "text/html"}
_SWAGGER_UI = ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "favicon-32x32.png")
_PIECE = 64 * 1024


def add_document(routes: Flask | Blueprint, document: ApiDocument, base: str = "") -> None:
    """Adds `openapi.yaml` and `openapi.json` below `base`."""

    def as_yaml() -> Response:
        return Response(document.as_yaml(), content_type="application/yaml")

    def as_json() -> Response:
        return json_bytes(document.as_json())

    _add(routes, f"{base}/openapi.yaml", as_yaml)
    _add(routes, f"{base}/openapi.json", as_json)


def add_api_pages(
    routes: Flask | Blueprint, title: str, document: ApiDocument, more: Mapping[str, str] | None = None
) -> None:
    """Adds the document of a port, and `/docs`, where people read it and try it out.

    `more`: further documents to choose on the page, titles to paths.
    """
    add_document(routes, document)
    documents = [{"name": name, "url": url} for name, url in ({title: "/openapi.json"} | dict(more or {})).items()]

    def page() -> Response:
        text = resources.files(__package__).joinpath("docs.html").read_text(encoding="utf-8")
        listed = html.escape(msgspec.json.encode(documents).decode())
        return _answer(text.replace("{title}", html.escape(title)).replace("{documents}", listed).encode(), ".html")

    def script() -> Response:
        return _answer(resources.files(__package__).joinpath("docs.js").read_bytes(), ".js")

    _add(routes, "/docs", page)
    _add(routes, "/docs/docs.js", script)
    for name in _SWAGGER_UI:
        _add(routes, f"/docs/{name}", partial(_swagger_ui_file, name))


def _add(routes: Flask | Blueprint, path: str, view: Callable[[], Response]) -> None:
    routes.add_url_rule(path, f"{path.replace('.', '_')} of the interface", view, methods=["GET"])


def _answer(body: bytes, suffix: str) -> Response:
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(body, content_type=f"{_KINDS[suffix]}; charset=utf-8", headers=headers)


def _swagger_ui_file(name: str) -> Response:
    """A file of the package, sent as it is read: the largest has 1.7 MB."""
    found = importlib.util.find_spec("flask_swagger_ui")
    if found is None or found.origin is None:
        raise ApiError(404, "the package flask-swagger-ui, which has the files of this page, is not installed")
    path = Path(found.origin).parent / "dist" / name
    headers = {"Cache-Control": "max-age=86400", "X-Content-Type-Options": "nosniff"}
    answer = Response(_pieces(path), content_type=_KINDS[path.suffix], headers=headers)
    answer.content_length = os.stat(path).st_size
    return answer


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
