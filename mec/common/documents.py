# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI documents of the ports of the MEC services."""

from submgr.platform.http.api_documents import ApiDocument, DocumentFile

_COMMON = DocumentFile("mec.common", "openapi.yaml")


def port_document(*packages: str) -> ApiDocument:
    """The document of a port: those of the packages, in their `openapi.yaml`, and what all ports have.

    It has the title of the first.
    """
    return ApiDocument(*(DocumentFile(package, "openapi.yaml") for package in packages), _COMMON)
