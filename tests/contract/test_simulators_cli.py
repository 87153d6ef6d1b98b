# SPDX-License-Identifier: Apache-2.0
"""The simulators as processes: what they print, that they end, and R-NIB in a real redis."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from click.testing import CliRunner
from support.processes.children import spawn
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer

from submgr.simulators.cli import sim
from submgr.simulators.nodes import NodeState
from submgr.simulators.rnib import CHANNEL, NAMES, nb_identity, node_key, nodeb_info

PROGRAM = "from gevent import monkey; monkey.patch_all()\nfrom submgr.simulators.cli import sim\nsim()"
Start = Callable[..., dict[str, Any]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a simulator and returns what it says about itself."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-c", PROGRAM, *arguments]
        process = spawn(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        said: dict[str, Any] = json.loads(process.stdout.readline())
        return said

    yield begin
    for process in running:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=10)
        assert (process.returncode, rest) == (0, "")


def get(address: str, path: str, method: str = "GET") -> Any:
    request = urllib.request.Request(f"http://{address}{path}", method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        body = answer.read()
    return json.loads(body) if body else None


def test_each_says_where_it_listens_and_ends_when_told(start: Start, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- {procedure: delete, delay: 1}\n")
    e2term = start("e2term", "--node", "gnb1", "--node", "gnb2", "--script", str(script))
    assert e2term["nodes"] == ["gnb1", "gnb2"]
    state = get(e2term["control"], "/state")
    assert state["endpoint"] == e2term["rmr"]
    assert [node["state"] for node in state["nodes"].values()] == ["CONNECTED", "CONNECTED"]
    assert get(e2term["control"], "/rules") == [{"procedure": "delete", "delay": 1.0, "seen": 0}]
    assert get(start("rtmgr")["http"], "/state") == {"routes": {}, "surprises": []}
    xapp = start("xapp", "--rmr", "127.0.0.1:0", "--submgr", "127.0.0.1:4560")
    assert get(xapp["http"], "/state") == {
        "notifications": [],
        "answers": [],
        "indications": {},
        "measured": {},
    }
    assert xapp["rmr"].startswith("127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["e2term", "--rmr", "nowhere"], "not a listen address"),
        (["rtmgr", "--script", "{script}"], "rule 0: Object contains unknown field `sttatus`"),
        (["rtmgr", "--listen", "203.0.113.1:1"], "cannot listen on 203.0.113.1:1"),
        (["e2term", "--rnib", "redis://127.0.0.1:1"], "--rnib redis://127.0.0.1:1: .*(refused|closed)"),
        (["e2term", "--rnib", "nonsense"], "--rnib nonsense: "),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], words: str, tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('[{"sttatus": 500}]')
    result = CliRunner().invoke(sim, [argument.format(script=script) for argument in arguments])
    assert result.exit_code != 0
    line = result.output.splitlines()[-1]
    assert line.startswith("Error: ") and re.search(words, line), result.output


@pytest.mark.redis
@pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)
def test_rnib(start: Start) -> None:
    with RedisServer() as server:
        database = redis.Redis(server.host, server.port, socket_timeout=5)
        channel = database.pubsub()
        channel.subscribe(CHANNEL)
        assert channel.get_message(timeout=5) is not None
        said = start("e2term", "--node", "gnb1", "--rnib", f"redis://{server.host}:{server.port}")
        for action, state in (
            (None, NodeState.CONNECTED),
            ("disconnected", NodeState.DISCONNECTED),
            ("under_reset", NodeState.UNDER_RESET),
            ("connected", NodeState.CONNECTED),
        ):
            if action is not None:
                get(said["control"], f"/nodes/gnb1/{action}", "POST")
            message = channel.get_message(timeout=5)
            assert message is not None and message["data"] == f"gnb1_{state.value}".encode()
            assert database.smembers(NAMES) == {nb_identity("gnb1", state)}
            assert database.get(node_key("gnb1")) == nodeb_info("gnb1", state)
        server.stop()
        get(said["control"], "/nodes/gnb1/disconnected", "POST")
        assert get(said["control"], "/state")["nodes"]["gnb1"]["state"] == "DISCONNECTED"
        (entry,) = get(said["control"], "/log?event=rnib")
        assert entry["meid"] == "gnb1" and entry["error"]
        channel.close()
        database.close()
