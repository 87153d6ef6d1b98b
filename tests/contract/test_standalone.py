# SPDX-License-Identifier: Apache-2.0
"""The stand-alone run: where it listens, what it says when it cannot, and what is left of it."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from support.processes.children import START
from support.processes.forked import Forked, start
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


@contextmanager
def standalone(log: Path, *arguments: str) -> Iterator[Forked | subprocess.Popen[bytes]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RMR_", "CFG_"))}
    with log.open("wb") as out:
        environment["TMPDIR"] = str(log.parent)
        running = start("submgr", ["run", "--standalone", *arguments], stdout=out, stderr=out, env=environment)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(20)


def banner(log: Path) -> str:
    """What the run says of itself, as soon as it does."""
    return eventually(lambda: re.search(r"\nRIC Subscription Manager.*\ncurl [^\n]*\n", log.read_text(), re.DOTALL),
                      START, what="the banner").group()  # fmt: skip


def subscribe(text: str) -> str:
    """Does what the curl line says. The id of the subscription."""
    words = shlex.split(text[text.index("\ncurl ") :])
    url = words[words.index("POST") + 1]
    request = Request(url, words[words.index("-d") + 1].encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["SubscriptionId"])


def known(text: str) -> set[str]:
    """The ids of the subscriptions there are, stored ones among them."""
    (url,) = re.findall(r"platform REST +(http://127.0.0.1:\d+/ric/v1)/", text)
    with urlopen(f"{url}/restsubscriptions", timeout=10) as answer:
        return set(json.load(answer))


def test_every_listener_is_on_the_loopback_address(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with standalone(log, "--mec", "--free-ports") as running:
        eventually(lambda: "/dev_app/v1/openapi.yaml" in log.read_text(), START, what="the demonstrations of MEC")
        loopback = ipaddress.IPv4Address("127.0.0.1").packed[:: -1 if sys.byteorder == "little" else 1].hex().upper()
        assert listening(running.pid) == {loopback}


def test_the_banner_holds_when_it_is_read_and_the_next_run_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for _ in range(2):
        with standalone(log, "--no-mec", "--free-ports"):
            told = banner(log)
            assert known(told) == set()
            identity = subscribe(told)
            assert known(told) == {identity}
        assert list(tmp_path.iterdir()) == [log], "the database is gone with the run"


def test_json_bodies_end_with_a_newline(tmp_path: Path) -> None:
    """Of every listener, lists and errors as well: a terminal shows them as lines."""
    log = tmp_path / "log"
    with standalone(log, "--mec", "--free-ports"):
        told = banner(log)
        subscribe(told)
        everything = eventually(lambda: re.search("dev_app/v1/openapi.yaml\n", log.read_text()) and log.read_text())
        (xapp,) = re.findall(r"xApp REST +(\S+)", told)
        (platform,) = re.findall(r"platform REST +(http://\S+)/health/ready", told)
        simulators = re.findall(r"(http://\S+)/state", told)
        (manager, ues), _ = re.findall(r"manager (\S+), UEs (\S+)", everything)
        (orchestrator,) = re.findall(r"Its interfaces: (\S+)/openapi.yaml", everything)
        urls = [xapp, f"{xapp}/none", *(f"{each}{path}" for each in simulators for path in ("/state", "/none"))]
        listed = (
            "subscriptions",
            "restsubscriptions",
            "contents",
            "config",
            "health/ready",
            "events",
            "openapi.json",
            "none",
        )
        urls += [f"{platform}/{path}" for path in listed]
        urls += [ues, f"{manager}/none", f"{orchestrator}/none", f"{orchestrator}/openapi.json"]
        assert {url: body(url)[-2:] for url in urls if not re.fullmatch(rb"[\]}]\n", body(url)[-2:])} == {}


def body(url: str) -> bytes:
    """Of an answer whose Content-Length is right. Of an error as well."""
    try:
        with urlopen(url, timeout=10) as answer:
            return bytes(answer.read())
    except HTTPError as refused:
        return refused.read()


def test_a_database_that_is_named_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    kept = ["--database", str(tmp_path / "kept.db"), "--no-mec", "--free-ports"]
    with standalone(log, *kept):
        identity = subscribe(banner(log))
    with standalone(log, *kept):
        assert known(banner(log)) == {identity}


def test_a_taken_port_names_the_way_out() -> None:
    """Whether it is one of the daemon, that of RMR or one of a simulator."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code = (
            "from gevent import monkey; monkey.patch_all()\n"
            "import msgspec, sys\n"
            "from submgr.cli import run, standalone\n"
            "free = standalone.TcpPorts.free()\n"
            f"taken = msgspec.structs.replace(free, **{{sys.argv.pop(1): {port}}})\n"
            "standalone.TcpPorts = lambda: taken\n"
            "run.run()\n"
        )
        for name in ("platform", "rmr", "rtmgr"):
            command = [sys.executable, "-c", code, name, "--standalone", "--no-mec"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 1, name
            told = [line for line in done.stderr.splitlines() if not line.startswith("{")]
            assert len(told) == 2, done.stderr
            assert f"127.0.0.1:{port}" in told[0]
            assert told[1] == "Free ports instead of the usual ones: --free-ports (make run PORTS=free)"
