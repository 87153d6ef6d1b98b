# SPDX-License-Identifier: Apache-2.0
"""The interfaces described by OpenAPI documents, served beside them as YAML and as JSON."""

from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml
from flask import Blueprint, Response


@cache
def document_text(name: str) -> str:
    """The document as it is in the package."""
    return resources.files("mec.meo").joinpath(name).read_text(encoding="utf-8")


@cache
def document_json(name: str) -> bytes:
    """The same as JSON."""
    parsed: Any = yaml.load(document_text(name), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return msgspec.json.encode(parsed)


def document_routes(routes: Blueprint, name: str) -> None:
    """`openapi.yaml` and `openapi.json` under the blueprint."""

    @routes.get("/openapi.yaml")
    def openapi_yaml() -> Response:
        return Response(document_text(name), content_type="application/yaml")

    @routes.get("/openapi.json")
    def openapi_json() -> Response:
        return Response(document_json(name), content_type="application/json")
