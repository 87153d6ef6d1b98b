# SPDX-License-Identifier: Apache-2.0
"""Masks secrets in printed data. The name of a value tells whether it is a secret."""

from collections.abc import Mapping
from typing import Any

_SECRET_WORDS = ("password", "passwd", "secret", "token", "credential", "authorization", "apikey", "api_key", "private")
MASK = "******"


def is_secret(name: str) -> bool:
    """Whether a value of this name counts as a secret."""
    lowered = name.lower()
    return any(word in lowered for word in _SECRET_WORDS)


def masked(value: Any) -> Any:
    """A copy of nested mappings and lists in which every secret that is not empty is replaced by MASK."""
    if isinstance(value, Mapping):
        return {
            name: (MASK if item not in (None, "") else item) if is_secret(str(name)) else masked(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return value
