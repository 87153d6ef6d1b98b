# SPDX-License-Identifier: Apache-2.0
"""Files that commands write."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from submgr.platform.progress import Progress


@contextmanager
def whole(file: str, *, packs: bool = False) -> Iterator[IO[bytes]]:
    """A file that is there only once it is complete; -: standard output. `packs`: *.gz is written packed."""
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{file}.part")
    try:
        with gzip.open(part, "wb") if packs and file.endswith(".gz") else part.open("wb") as out:
            yield out  # type: ignore[misc]
        os.replace(part, file)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def of_file(file: str, words: str) -> Iterator[Progress]:
    """The progress of what is written to a file. Standard output may be the terminal where it would be said."""
    progress = Progress()
    if file == "-":
        yield progress
        return
    with progress:
        progress.says(words)
        yield progress
