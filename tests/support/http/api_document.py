# SPDX-License-Identifier: Apache-2.0
"""Compares the routes of an application with its OpenAPI document, both ways."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask

from submgr.platform.http.api_documents import Document

METHODS = {"get", "put", "post", "delete", "patch"}
PAGES = " of the interface"
"""How the endpoints end under which a port serves its documents: these are not in the documents themselves."""


def operations(document: Document) -> dict[tuple[str, str], Any]:
    """The operations of a document by method and path, with its base; names of parameters do not count."""
    base = document["servers"][0]["url"].rstrip("/")
    return {
        (method.upper(), re.sub(r"{[^}]*}", "{}", base + path)): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def differences(app: Flask, *documents: Document) -> list[str]:
    """What is served and not documented, and what is documented and not served.

    An operation that is served under several paths is documented under one of them.
    """
    documented = {key for document in documents for key in operations(document)}
    served: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if not rule.endpoint.endswith(PAGES):
                path = re.sub("<[^>]*>", "{}", rule.rule)
                served.setdefault((method, rule.endpoint), set()).add((method, path))
    forgotten = [f"not documented: {sorted(paths)}" for paths in served.values() if not paths & documented]
    invented = documented - {path for paths in served.values() for path in paths}
    return forgotten + [f"not served: {method} {path}" for method, path in sorted(invented)]


def lost_references(document: Document) -> list[str]:
    """References of a document that lead nowhere."""
    return [reference for reference in _references(document) if not _is_there(document, reference)]


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        here = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return here + [found for inner in part.values() for found in _references(inner)]
    return [found for inner in part for found in _references(inner)] if isinstance(part, list) else []


def _is_there(document: Any, reference: str) -> bool:
    for step in reference.removeprefix("#/").split("/"):
        if step not in document:
            return False
        document = document[step]
    return True
