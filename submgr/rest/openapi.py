# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI documents of the two ports, and where they are served."""

from flask import Flask

from submgr.platform.http.api_documents import ApiDocument, DocumentFile
from submgr.platform.http.api_pages import add_api_pages, add_document

XAPP = ApiDocument(DocumentFile("submgr.rest", "openapi.yaml"))
PLATFORM = ApiDocument(
    DocumentFile("submgr.rest", "openapi_platform.yaml"), DocumentFile("submgr.rest", "openapi_overview.yaml")
)
_BASE = "/ric/v1"
_TITLES = "Subscription Manager: xApps", "Subscription Manager: platform"


def add_xapp_document(app: Flask) -> None:
    """Adds the pages of the xApp port."""
    add_api_pages(app, _TITLES[0], XAPP)
    add_document(app, XAPP, _BASE)


def add_platform_documents(app: Flask) -> None:
    """Adds the pages of the platform port. Under its base path stands the document of the xApp port."""
    add_api_pages(app, _TITLES[1], PLATFORM, {_TITLES[0]: f"{_BASE}/openapi.json"})
    add_document(app, XAPP, _BASE)
