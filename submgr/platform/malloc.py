# SPDX-License-Identifier: Apache-2.0
"""Has the C library give memory back to the system that a peer has made the process use for a moment.

glibc serves a large piece of memory from the system by itself, and gives it back when it is freed. But the first one
that is freed raises the size from which it does so, up to 32 MiB: after a few requests of a megabyte, those of the
same size come out of the heap, which stays as large as it once was.
"""

import ctypes

_LARGE = 128 * 1024
"""Bytes from which a piece is the system's: where glibc begins. Also how much may be free at the end of the heap."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Of `mallopt`, see malloc.h."""


def give_memory_back() -> None:
    """Sets both sizes for good. Does nothing where the C library is another one."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)
