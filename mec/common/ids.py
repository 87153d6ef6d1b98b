# SPDX-License-Identifier: Apache-2.0
"""Identifiers of applications and MECs as requests and files give them."""

import re
from typing import Any

_APP = re.compile(r"[A-Za-z0-9_.@+-]{1,64}\Z")
_MEC = re.compile(r"[0-9]{1,18}\Z")


def app_id(value: Any) -> str:
    """An application id as text; most are numbers. Raises ValueError in words."""
    if isinstance(value, bool) or not isinstance(value, int | str) or not _APP.match(str(value)):
        raise ValueError("an application id is a number, or a text of up to 64 letters, digits and _ . @ + -")
    return str(value)


def mec_id(value: Any) -> int:
    """The number of a MEC. Raises ValueError in words."""
    if isinstance(value, bool) or not isinstance(value, int | str) or not _MEC.match(str(value).strip()):
        raise ValueError("a MEC id is a whole number from 0 on")
    return int(value)
