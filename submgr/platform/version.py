# SPDX-License-Identifier: Apache-2.0
"""The version of what is installed."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache

UNKNOWN = "unknown"

_BEFORE, _AFTER = "ric_submgr-", ".dist-info"
"""Of the name of the directory where an installer says what it has installed ("Recording installed projects", PyPA)."""


@cache
def version() -> str:
    """The version of this distribution, `UNKNOWN` when it runs without being installed.

    `importlib.metadata` would import a fifth of the standard library to say it.
    """
    for directory in sys.path:
        with suppress(OSError):
            for name in os.listdir(directory or os.curdir):
                if name.startswith(_BEFORE) and name.endswith(_AFTER):
                    return name[len(_BEFORE) : -len(_AFTER)]
    return UNKNOWN
