# SPDX-License-Identifier: Apache-2.0
"""Secrets in what is printed: the name of a value tells whether it is one."""

from collections.abc import Mapping
from typing import Any

_SECRET_WORDS = ("password", "passwd", "secret", "token", "credential", "authorization", "apikey", "api_key", "private")
MASK = "******"


def is_secret(name: str) -> bool:
    """Whether a key of this name is taken to hold a secret."""
    lowered = name.lower()
    return any(word in lowered for word in _SECRET_WORDS)


def masked(value: Any) -> Any:
    """A copy of nested mappings and lists with every non-empty value under a secret's name replaced."""
    if isinstance(value, Mapping):
        return {
            name: (MASK if item not in (None, "") else item) if is_secret(str(name)) else masked(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return value
