# SPDX-License-Identifier: Apache-2.0
"""The source of another commit: exported for the time being, and nothing left of it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import submgr
from submgr.bench.children import BenchError
from submgr.bench.sources import other_source

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="no git: apt-get install git")


def git(directory: Path, *arguments: str) -> None:
    settings = (
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@x",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
    )
    subprocess.run(["git", "-C", str(directory), *settings, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the source that is running is said to be: a repository of two commits, the second with the package."""
    root, temporary = tmp_path / "checkout", tmp_path / "tmp"
    (root / "submgr").mkdir(parents=True)
    temporary.mkdir()
    git(root, "init")
    git(root, "commit", "--allow-empty", "-m", "nothing")
    (root / "submgr/__main__.py").write_text("committed = True\n")
    git(root, "add", ".")
    git(root, "commit", "-m", "package")
    (root / "submgr/__main__.py").write_text("committed = False\n")
    monkeypatch.setattr(submgr, "__path__", [str(root / "submgr")])
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return root


@needs_git
def test_a_commit_is_there_for_the_time_being(checkout: Path) -> None:
    with other_source("HEAD") as source:
        assert (source.name, source.label) == ("HEAD", "HEAD")
        assert Path(source.directory, "submgr/__main__.py").read_text() == "committed = True\n"
    assert not Path(source.directory).exists()


@needs_git
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_it_whatever_happens(checkout: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), other_source("HEAD"):
        raise error
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
    status = subprocess.run(
        ["git", "-C", str(checkout), "worktree", "list"], capture_output=True, text=True, check=True
    )
    assert len(status.stdout.splitlines()) == 1


@needs_git
@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("nosuch", "nosuch is neither a commit nor a directory"),
        ("--help", "--help is neither a commit nor a directory"),
        ("/", "/ has no package submgr"),
        ("HEAD~1", "commit HEAD~1 has no package submgr"),
    ],
)
def test_what_is_no_source_is_named(checkout: Path, named: str, words: str) -> None:
    with pytest.raises(BenchError, match=f"^{words}"), other_source(named):
        pass


@needs_git
def test_a_source_outside_of_git_has_no_other_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submgr, "__path__", [str(tmp_path / "submgr")])
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(BenchError, match=r"is no checkout of git .*name a directory"), other_source("HEAD"):
        pass


def test_without_git_a_directory_can_be_named(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="git is not on PATH"), other_source("HEAD"):
        pass
    with other_source(str(checkout)) as source:
        assert source.directory == source.label == str(checkout)
    assert (checkout / "submgr/__main__.py").exists()
