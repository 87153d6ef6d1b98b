# SPDX-License-Identifier: Apache-2.0
"""Serves the OpenAPI documents of the interfaces, as YAML and as JSON."""

from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml
from flask import Blueprint, Response


@cache
def document_text(name: str) -> str:
    """The text of a document of the package."""
    return resources.files("mec.meo").joinpath(name).read_text(encoding="utf-8")


@cache
def document_json(name: str) -> bytes:
    """A document of the package as JSON."""
    parsed: Any = yaml.load(document_text(name), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return msgspec.json.encode(parsed)


def document_routes(routes: Blueprint, name: str) -> None:
    """Adds `openapi.yaml` and `openapi.json` to a blueprint."""

    @routes.get("/openapi.yaml")
    def openapi_yaml() -> Response:
        return Response(document_text(name), content_type="application/yaml")

    @routes.get("/openapi.json")
    def openapi_json() -> Response:
        return Response(document_json(name), content_type="application/json")
