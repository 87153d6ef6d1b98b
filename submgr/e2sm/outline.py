# SPDX-License-Identifier: Apache-2.0
"""Trees as people read them: an outline in lines. It imports no service model, so that a command starts quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def outline(tree: Any, indent: str = "") -> Iterator[str]:
    """The lines of a tree. What has no parts stands behind its name."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree, 1)
    for name, part in parts:
        if isinstance(part, (dict, list)) and part:
            yield f"{indent}{name}:"
            yield from outline(part, f"{indent}  ")
        else:
            yield f"{indent}{name}: {'none' if part in ({}, []) else str(part).lower() if part is True else part}"
