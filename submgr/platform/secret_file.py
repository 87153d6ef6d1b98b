# SPDX-License-Identifier: Apache-2.0
"""Secrets in files: read anew when they have changed, as a mounted Secret of Kubernetes does when it is rotated."""

import logging
import os
from functools import lru_cache
from pathlib import Path

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024

Stamp = tuple[int, int, int, int]


def stamp(path: str) -> Stamp | None:
    """What tells one content of a file from the next, without reading it; None when there is no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class SecretFile:
    """The text of one file, without the blanks and line ends around it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: Stamp | None = None
        self._text: str | None = None

    def text(self) -> str:
        """The text as it is now. While the file cannot be read the last text counts, and the log says so once.

        Raises OSError or ValueError when it never could be read.
        """
        now = stamp(self._path)
        if self._text is not None and now == self._stamp:
            return self._text
        try:
            read = read_secret(self._path)
        except (OSError, ValueError) as exc:
            if self._text is None:
                raise
            log.error("secret unreadable, the old one stays in use", extra={"file": self._path, "why": str(exc)})
            read = self._text
        else:
            if self._text is not None and read != self._text:
                log.warning("secret changed", extra={"file": self._path})
        self._stamp, self._text = now, read
        return read


def read_secret(path: str) -> str:
    """The text of a file of at most 64 KiB. Raises OSError, and ValueError for one that is larger or no UTF-8."""
    with Path(path).open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    return data.decode("utf-8").strip()


@lru_cache(maxsize=1024)
def secret_file(path: str) -> SecretFile:
    """The file of this path, always the same object."""
    return SecretFile(path)
