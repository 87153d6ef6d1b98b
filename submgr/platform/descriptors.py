# SPDX-License-Identifier: Apache-2.0
"""The open files and sockets that the process may have."""

import resource

_WANTED = 65536
_PARTS = 8


def raise_limit() -> None:
    """Asks the kernel for 65,536 descriptors, or as many as it allows.

    A thousand clients on each listener and a pool to each neighbour want more than the usual 1024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _allowed(hard):
        resource.setrlimit(resource.RLIMIT_NOFILE, (_allowed(hard), hard))


def part(most: int) -> int:
    """`most` descriptors, or an eighth of what `raise_limit` gets when that is less."""
    return min(most, _allowed(resource.getrlimit(resource.RLIMIT_NOFILE)[1]) // _PARTS)


def _allowed(hard: int) -> int:
    return _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
