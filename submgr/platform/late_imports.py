# SPDX-License-Identifier: Apache-2.0
"""Imports of what a running service needs seldom, when it is needed: in a native thread, so that the hub goes on.

The statement `import` in a greenlet would hold up everybody for as long as it takes.
"""

from __future__ import annotations

import sys
from importlib import import_module

from submgr.platform.native_threads import NativeThreads

_SWITCH = 0.001
"""Seconds after which the thread that imports lets the hub go on when it wants to; usually it is five times that."""

_done: set[str] = set()
_thread = NativeThreads(1)
"""One for all imports: two threads that want the same modules would wait for each other's locks."""


def import_beside(*names: str) -> None:
    """Imports these modules, unless that has been done. The caller waits, and imports them as usual afterwards."""
    for name in names:
        if name not in _done:
            _thread.call(_import, name)
            _done.add(name)


def _import(name: str) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        import_module(name)
    finally:
        sys.setswitchinterval(usual)
