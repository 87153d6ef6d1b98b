# SPDX-License-Identifier: Apache-2.0
"""The stand-alone run listens where it says: on 127.0.0.1 and nowhere else."""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
import sys
from pathlib import Path

from support.processes.children import START, spawn
from support.waiting import eventually


def listening(pid: int) -> set[str]:
    """The addresses that a process listens on, as /proc has them."""
    links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    inodes = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1].partition(":")[0])
    return found


def test_every_listener_is_on_the_loopback_address(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "submgr", "run", "--standalone", "--mec", "--free-ports"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RMR_", "CFG_"))}
    with log.open("wb") as out:
        running: subprocess.Popen[bytes] = spawn(
            [*command, "--database", str(tmp_path / "db")], stdout=out, stderr=out, env=environment
        )
    try:
        eventually(lambda: re.search("ready for xApps", log.read_text()), START, what="the start")
        eventually(lambda: "/dev_app/v1/openapi.yaml" in log.read_text(), START, what="the demonstrations of MEC")
        loopback = ipaddress.IPv4Address("127.0.0.1").packed[:: -1 if sys.byteorder == "little" else 1].hex().upper()
        assert listening(running.pid) == {loopback}
    finally:
        running.terminate()
        running.wait(20)
