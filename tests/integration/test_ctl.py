# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl` as a program, asking a running daemon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest
from support.ports import free_port
from support.processes.children import START, spawn
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.waiting import eventually


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as neighbours:
        yield neighbours


@pytest.fixture(scope="module")
def daemon(around: Neighbourhood) -> Iterator[Daemon]:
    with Daemon(around) as running:
        yield running


def command(daemon: Daemon, *arguments: str) -> list[str]:
    server = f"http://127.0.0.1:{daemon.platform_port}"
    return [sys.executable, "-m", "submgr", "ctl", "--server", server, *arguments]


def ctl(daemon: Daemon, *arguments: str, status: int = 0) -> str:
    """The standard output."""
    process = spawn(command(daemon, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # the simulators of this process go on meanwhile
    out, err = gevent.get_hub().threadpool.spawn(process.communicate, timeout=START).get()
    assert process.returncode == status, (out, err)
    assert "Traceback" not in err, err
    return str(out)


def answer(daemon: Daemon, *arguments: str) -> Any:
    return json.loads(ctl(daemon, *arguments, "-o", "json"))


def subscribed(daemon: Daemon, around: Neighbourhood, meid: str = "gnb_1", **more: Any) -> str:
    subscription_id = daemon.subscribe(around.request(meid, **more))
    eventually(lambda: daemon.platform("GET", f"get_e2subscriptions/{subscription_id}")[1], what="the subscription")
    return subscription_id


def test_a_subscription_from_its_beginning_to_its_end(daemon: Daemon, around: Neighbourhood) -> None:
    assert ctl(daemon, "status").startswith("state          ready, active\n")
    subscription_id = subscribed(daemon, around)
    eventually(lambda: answer(daemon, "subs")["Items"][0]["State"] == "established", what="an established one")
    row = ctl(daemon, "subs", "--node", "gnb_1", "--state", "established").splitlines()[1].split()
    assert row[:2] == [subscription_id, "gnb_1"]
    assert ctl(daemon, "subs", "--node", "gnb_2", "-o", "name") == ""
    shown = ctl(daemon, "show", subscription_id)
    assert "answered" in shown and "subscribe succeeded at gnb_1" in shown
    assert next(line.split()[:2] for line in ctl(daemon, "nodes").splitlines()[1:]) == ["gnb_1", "connected"]
    # what `status` had counted is good for a second
    eventually(lambda: ctl(daemon, "xapps", "-o", "name") == "127.0.0.1\n", what="a fresh count")
    assert subscription_id in ctl(daemon, "events", "-o", "wide", "--subscription", subscription_id)
    said = ctl(daemon, "delete", "--yes", subscription_id)
    assert said.endswith(f"REST subscription {subscription_id}: gone\n")
    assert around.empty()
    ctl(daemon, "show", subscription_id[::-1], status=1)
    ctl(daemon, "delete", "--yes", subscription_id[::-1], status=1)


def test_a_delete_that_the_node_does_not_answer(daemon: Daemon, around: Neighbourhood) -> None:
    subscription_id = subscribed(daemon, around, "gnb_2")
    around.node_does(meid="gnb_2", procedure="delete", silent="answer")
    said = ctl(daemon, "delete", "--yes", "--timeout", "0", subscription_id, status=1)
    assert said.endswith("still being undone\n")
    eventually(lambda: not daemon.rests(), what="the end of the delete")
    around.reset()


def test_all_of_a_node(daemon: Daemon, around: Neighbourhood) -> None:
    for number in range(3):
        subscribed(daemon, around, "gnb_3", SubscriptionDetails=[detail(number, trigger=[number])])
    assert ctl(daemon, "delete", "--yes", "--node", "gnb_3").endswith("all subscriptions of E2 node gnb_3: gone\n")
    assert around.empty()


def test_the_routes_are_those_of_the_table(daemon: Daemon, around: Neighbourhood) -> None:
    for mtype in ("12010", "12020"):
        _, route = ctl(daemon, "routes", "--type", mtype).splitlines()
        assert route.split() == [mtype, route.split()[1], "any", around.e2term.endpoint]


def test_symptom_data_is_a_zip(daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "report.zip"
    ctl(daemon, "symptom", str(file))
    with zipfile.ZipFile(file) as opened:
        assert opened.testzip() is None
        assert "config.json" in opened.namelist()


@contextmanager
def following(daemon: Daemon, *arguments: str) -> Iterator[subprocess.Popen[Any]]:
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with spawn(command(daemon, "events", "-f", *arguments), **pipes) as process:
        for pipe in (process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)
        try:
            yield process
        finally:
            process.kill()


def test_events_are_followed_over_a_restart_of_the_daemon(around: Neighbourhood) -> None:
    with Daemon(around) as daemon, following(daemon, "-o", "json") as process:
        out, err = bytearray(), bytearray()

        def seen(words: str) -> bool:
            for pipe, into in ((process.stdout, out), (process.stderr, err)):
                assert pipe is not None
                into += pipe.read() or b""
            return words in (out + err).decode()

        first = subscribed(daemon, around)
        eventually(lambda: seen(first), START, what="the first event")
        daemon.stop()
        eventually(lambda: seen("connection lost"), START, what="the end of the connection")
        daemon.start()
        eventually(lambda: seen("connected again"), START, what="the connection")
        second = subscribed(daemon, around, "gnb_2")
        eventually(lambda: seen(second), START, what="an event of the second run")
        assert seen("events may be missing here")
        process.send_signal(signal.SIGINT)
        eventually(lambda: process.poll() is not None, START, what="the end")
        assert process.returncode == 130
        assert seen("") and b"Traceback" not in err
        assert next(json.loads(line)["Kind"] for line in out.splitlines() if first.encode() in line) == "subscription"
    around.reset()


def test_a_reader_that_has_gone_ends_it_quietly(daemon: Daemon) -> None:
    with spawn(command(daemon, "status"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(START) == 141


def test_nobody_answers(daemon: Daemon) -> None:
    here = [sys.executable, "-m", "submgr", "ctl", "status", "--server", f"127.0.0.1:{free_port()}"]
    with spawn(here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        out, err = process.communicate(timeout=START)
    assert (process.returncode, out) == (3, "")
    assert "nobody answers" in err
