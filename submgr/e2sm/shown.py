# SPDX-License-Identifier: Apache-2.0
"""Bodies as programs see them: a JSON object."""

from __future__ import annotations

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
