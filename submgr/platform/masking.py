# SPDX-License-Identifier: Apache-2.0
"""Masks secrets in what is printed: values whose name tells that they are secret, and secrets inside URLs."""

import re
from collections.abc import Mapping
from typing import Any

_SECRET_WORDS = ("password", "passwd", "secret", "token", "credential", "authorization", "apikey", "api_key", "private")
MASK = "******"

# user and password stand before the last @ of the authority; in JSON a quotation mark among them has a backslash
_USER_INFO = re.compile(r"""://(?:[^/?#\s"\\]|\\.)*@""")
_PARAMETER = re.compile(r"""([?&;])([\w.-]{1,64})=((?:[^&;#\s"\\]|\\.)+)""")


def is_secret(name: str) -> bool:
    """Whether a value of this name counts as a secret. Where one is kept does not (`tokenFile`, `credentialsDir`)."""
    lowered = name.lower()
    return not lowered.endswith(("file", "dir")) and any(word in lowered for word in _SECRET_WORDS)


def masked_text(text: str) -> str:
    """`text` without the users, passwords and tokens of the URLs in it."""
    if "://" in text:
        text = _USER_INFO.sub(f"://{MASK}@", text)
    return _PARAMETER.sub(_masked_parameter, text) if "=" in text else text


def _masked_parameter(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}={MASK}" if is_secret(found[2]) else found[0]


def masked(value: Any) -> Any:
    """A copy of nested mappings and lists in which every secret that is not empty is replaced by MASK."""
    if isinstance(value, Mapping):
        return {
            name: (MASK if item not in (None, "") else item) if is_secret(str(name)) else masked(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return masked_text(value) if isinstance(value, str) else value
