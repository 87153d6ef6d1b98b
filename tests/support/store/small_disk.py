# SPDX-License-Identifier: Apache-2.0
"""A small file system of its own, for tests of a full disk. Only root may mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 2 << 20


class Disk:
    """A small file system of its own. `fill` leaves no byte of it free."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(4096))

    def make_room(self) -> None:
        self._filler.unlink()


@contextmanager
def small_disk(path: Path, size: int = SIZE) -> Iterator[Disk]:
    """Mounts one of so many octets at `path` until the end of the block. Skips the test where that is not possible."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small file system")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
