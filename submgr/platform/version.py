# SPDX-License-Identifier: Apache-2.0
"""The version of what is installed."""

from __future__ import annotations

from importlib import metadata

UNKNOWN = "unknown"


def version() -> str:
    """The version of this distribution, `UNKNOWN` when it runs without being installed."""
    try:
        return metadata.version("ric-submgr")
    except metadata.PackageNotFoundError:
        return UNKNOWN
