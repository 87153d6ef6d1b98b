# SPDX-License-Identifier: Apache-2.0
"""Makes the outputs in docs/xapps.md: follows the page in a stand-alone run, and writes down what was printed."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.followed_page import Follower, Step, steps, with_printed

PAGE = Path(__file__).parents[1] / "docs" / "xapps.md"
STARTS = "make run"
"""The command that starts the run; what it prints stands on the page as far as it is of use."""
OWN_PORTS = ("20040", "20041", "20042")
"""Where the programs of the page listen."""
_ADDRESS = re.compile(r"^  (\S.*?) {2,}http://127\.0\.0\.1:(\d+)", re.MULTILINE)
_ROWS = ("xApp REST", "platform REST", "what they hold", "routes", "notifications")


def configuration(page: str) -> str:
    """The configuration file that the page has for the run."""
    return next(step.text for step in steps(page) if step.name == "config.yaml")


def addresses(page: str, banner: str) -> dict[str, str]:
    """The ports that the page says, to those of a run with this banner."""
    of_page, of_run = dict(_ADDRESS.findall(page)), dict(_ADDRESS.findall(banner))
    posted = re.search(r'"RMRPort": (\d+)', banner)
    assert posted is not None
    return {of_page[row]: of_run[row] for row in _ROWS} | {"20031": posted[1]}


def to_follow(page: str) -> list[Step]:
    """The steps after the start."""
    return [step for step in steps(page) if step.name != "config.yaml" and not step.command.startswith(STARTS)]


@contextmanager
def running(directory: Path, config: str, spawn: Callable[..., Any] = subprocess.Popen) -> Iterator[tuple[str, int]]:
    """A stand-alone run on free ports. Gives its banner and its process id. Its log goes nowhere: a file of its own
    could not be written when the page has the disk full."""
    file = directory / "config.yaml"
    file.write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "submgr", "run", "--standalone", "--free-ports", "--no-mec", "-f", str(file)]
    with spawn(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            banner = ""
            for line in process.stdout:
                banner += line
                if line.startswith("curl "):
                    break
            yield banner, process.pid
        finally:
            process.terminate()


def made(page: str) -> str:
    """The page with the outputs of a run."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            running(directory, configuration(page)) as (banner, pid),
            Follower(directory, addresses(page, banner), {"PID": str(pid)}) as follower,
        ):
            ran = [(step, follower.follow(step)) for step in to_follow(page)]
    return with_printed(page, {step.line: printed for step, printed in ran if step.command})


if __name__ == "__main__":
    PAGE.write_text(made(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
