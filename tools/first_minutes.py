# SPDX-License-Identifier: Apache-2.0
"""Measures a newcomer's first minutes: `python3 -m tools.first_minutes [REPOSITORY]`.

Clones the repository into an empty directory, says `make run` there with an empty home and without a cache of pip, and
subscribes as the banner says. Prints what comes, each line with the seconds since the start, and how much CPU it took
from the clone to the banner. It needs nothing but Python's standard library, git and make.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_CURL = re.compile(r"curl -s -X POST (?P<url>\S+) -H 'Content-Type: application/json' -d '(?P<body>.*)'")
_TICKS = os.sysconf("SC_CLK_TCK")


class Clock:
    """Prints lines with the seconds since it was made."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def say(self, line: str) -> None:
        print(f"{time.monotonic() - self._begun:6.1f} s  {line}".rstrip(), flush=True)


def environment(home: Path) -> dict[str, str]:
    """A user who has nothing yet. Certificates and proxies of the machine stay."""
    kept = {name: value for name, value in os.environ.items() if re.search("proxy|cert|CA_", name, re.IGNORECASE)}
    return {**kept, "HOME": str(home), "PATH": os.environ["PATH"], "PIP_NO_CACHE_DIR": "1", "LANG": "C.UTF-8"}


def cpu_of_group(group: int) -> float:
    """The CPU seconds of the processes of a group, with those of their children that have ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[2]) == group:
            ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS


def cpu_of_children() -> float:
    """The CPU seconds of the children of this process that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def main(repository: str) -> None:
    """Prints the first minutes. Exits with 1 when no banner came."""
    with tempfile.TemporaryDirectory(prefix="first-minutes-") as directory:
        home, clone = Path(directory) / "home", Path(directory) / "ric-submgr"
        home.mkdir()
        variables, clock = environment(home), Clock()
        clock.say("$ git clone … && cd ric-submgr && make run")
        subprocess.run(["git", "clone", "--quiet", repository, str(clone)], env=variables, check=True)
        running = subprocess.Popen(
            ["make", "run", "PORTS=free"],
            cwd=clone,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            found = _watch(running, clock)
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.communicate()
    if not found:
        sys.exit("no banner")


def _watch(running: subprocess.Popen[str], clock: Clock) -> bool:
    """Prints the lines up to the curl line of the banner, and what that command answers."""
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("{"):  # a line of the log
            continue
        clock.say(line.rstrip())
        if command := _CURL.search(line):
            used = cpu_of_children() + cpu_of_group(running.pid)
            clock.say(f"--- {used:.1f} CPU seconds from the clone to here")
            _subscribe(command["url"], command["body"], clock)
            return True
    return False


def _subscribe(url: str, body: str, clock: Clock) -> None:
    from urllib.request import Request, urlopen

    request = Request(url, body.encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=10) as answer:
        clock.say(answer.read().decode().rstrip())


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).parents[1]))
