# SPDX-License-Identifier: Apache-2.0
"""Bodies as people and programs see them: a JSON object, and an outline in lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from submgr.e2sm.decoding import Decoded, Undecoded
from submgr.e2sm.words import words


def shown(body: Decoded | Undecoded) -> dict[str, Any]:
    """A JSON object. Of what cannot be decoded: `Hex` and `Reason`; else the tree under `Content`."""
    if isinstance(body, Undecoded):
        return {"Words": words(body), "Hex": body.octets.hex(), "Reason": body.reason}
    view: dict[str, Any] = {"Words": words(body), "Model": str(body.model), "Versions": list(body.versions)}
    if body.layout.dialect:
        view["Dialect"] = body.layout.dialect
    if body.notes:
        view["Notes"] = list(body.notes)
    return view | {"Content": body.tree()}


def outline(tree: Any, indent: str = "") -> Iterator[str]:
    """The lines of a tree. What has no parts stands behind its name."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree, 1)
    for name, part in parts:
        if isinstance(part, (dict, list)) and part:
            yield f"{indent}{name}:"
            yield from outline(part, f"{indent}  ")
        else:
            yield f"{indent}{name}: {'none' if part in ({}, []) else str(part).lower() if part is True else part}"
