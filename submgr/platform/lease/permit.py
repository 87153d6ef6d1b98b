# SPDX-License-Identifier: Apache-2.0
"""What those who send ask before each thing that leaves: may this process act at this moment?

They ask right before the bytes are given to the kernel, after every queue and every wait: no timer can fire in a
process that was stopped, so nothing else keeps what was queued before from leaving afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

MaySend = Callable[[], bool]

NOT_ACTING = "not sent: another process may be the active one"


def always() -> bool:
    """The permit of a process that shares its work with no other one."""
    return True
