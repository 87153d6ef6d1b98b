# SPDX-License-Identifier: Apache-2.0
"""Another source to compare this one with: a directory, or a commit, which is taken out of git for the time being."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from msgspec import Struct

import submgr
from submgr.bench.children import BenchError, on_path

_ENTRY = "submgr/__main__.py"


class Source(Struct, frozen=True):
    """A source of the daemon. `directory` has its package `submgr`; "" is the source that is running."""

    name: str
    directory: str

    @property
    def label(self) -> str:
        """In JSON: the directory that was named, or the commit; a temporary directory says nothing."""
        return self.directory if Path(self.name).is_dir() else self.name


THIS = Source("this", "")


@contextmanager
def other_source(named: str) -> Iterator[Source]:
    """The source that a directory or a revision of this checkout names; what is taken out of git is removed at the end.

    A commit is exported (`git archive`), not checked out: nothing about it is written into the repository, so nothing
    is left in there when the benchmark is killed. Raises BenchError when there is no such source.
    """
    directory = Path(named)
    if (directory / _ENTRY).is_file():
        yield Source(named, str(directory.resolve()))
        return
    checkout = _checkout()
    commit = _commit(checkout, named)
    with tempfile.TemporaryDirectory(prefix="submgr-source-") as exported:
        with tarfile.open(fileobj=BytesIO(_archive(checkout, commit))) as files:
            files.extractall(exported, filter="data")
        # the bytecode of this source is there already
        subprocess.run([sys.executable, "-m", "compileall", "-q", f"{exported}/submgr"], check=False)
        yield Source(named, exported)


def _checkout() -> Path:
    """The directory of the source that is running, which has to be in git."""
    directory = Path(submgr.__path__[0]).parent
    on_path("git", "git is not on PATH: apt-get install git; or name a directory with the other source")
    status, _, words = _git(directory, "rev-parse", "--show-toplevel")
    if status:
        raise BenchError(f"{directory} is no checkout of git ({words}): name a directory with the other source")
    return directory


def _commit(checkout: Path, revision: str) -> str:
    status, commit, _ = _git(checkout, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if status:
        what = "has no package submgr" if Path(revision).is_dir() else "is neither a commit nor a directory"
        raise BenchError(f"{revision} {what} (looked in the checkout {checkout})")
    name = commit.decode().strip()
    if _git(checkout, "cat-file", "-e", f"{name}:./{_ENTRY}")[0]:
        raise BenchError(f"commit {revision} has no package submgr")
    return name


def _git(directory: Path, *arguments: str) -> tuple[int, bytes, str]:
    """Exit status, output, and the last of its words."""
    done = subprocess.run(["git", "-C", str(directory), *arguments], capture_output=True, check=False)
    words = done.stderr.decode(errors="replace").strip().splitlines()
    return done.returncode, done.stdout, words[-1] if words else ""


def _archive(checkout: Path, commit: str) -> bytes:
    status, files, words = _git(checkout, "archive", "--format=tar", commit)
    if status:
        raise BenchError(f"git archive {commit}: {words}")
    return files
