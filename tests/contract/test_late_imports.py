# SPDX-License-Identifier: Apache-2.0
"""What a daemon has loaded when it is ready, and that what it loads later holds up nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.ports import free_port

SCRIPT = """
import submgr.__main__
import json, sys

import gevent
from gevent import socket
from submgr.platform.late_imports import import_beside
import submgr.cli.starting
from submgr.app import build
from submgr.platform.logs import Logs
from submgr.settings.live import LiveSettings
from submgr.settings.loader import load

text, seed = sys.argv[1:]
environment = {
    "RMR_RTG_SVC": "-1", "RMR_SEED_RT": seed, "RMR_SRC_ID": "127.0.0.1", "RMR_BIND_IF": "127.0.0.1"
}
daemon = build(LiveSettings(load(text, environment, {}), environment, {}), environment, Logs("submgr"))
daemon.start()

def get(path):
    # http.client would load what the daemon does without
    with socket.create_connection(daemon.parts.platform_http.address, timeout=60) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\\r\\nHost: here\\r\\nConnection: close\\r\\n\\r\\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\\r\\n\\r\\n")
    return int(head.split()[1]), body

while get("/ric/v1/health/ready")[0] != 200:
    gevent.sleep(0.01)
assert get("/metrics")[0] == get("/ric/v1/subscriptions")[0] == 200
loaded = sorted(sys.modules)

turns = 0
def others():
    global turns
    while True:
        gevent.sleep(0.001)
        turns += 1

get("/ric/v1/health/alive")
watch = gevent.spawn(others)
gevent.sleep(0)
while_importing = []
for ask in (
    lambda: get("/ric/v1/config"),  # which Flask answers
    lambda: import_beside("submgr.e2sm.shown", "submgr.e2sm.subscription"),
):
    before = turns
    ask()
    while_importing.append(turns - before)
status, body = get("/ric/v1/contents")
watch.kill()
print(json.dumps({
    "loaded": loaded,
    "turns": while_importing,
    "contents": [status, json.loads(body)],
    "service models": "submgr.e2sm.decoding" in sys.modules,
}))
sys.stdout.flush()
daemon.stop()
"""

HEAVY = (
    "asyncio",
    "click",
    "dpkt",
    "flask",
    "http.server",
    "importlib.metadata",
    "itsdangerous",
    "jinja2",
    "kubernetes",
    "mec.app",
    "mec.meo",
    "opentelemetry",
    "prometheus_client.exposition",
    "pycrate_asn1dir",
    "pycrate_asn1rt",
    "pycrate_mobile",
    "redis.exceptions",
    "requests",
    "submgr.bench",
    "submgr.cli.ctl",
    "submgr.cli.standalone",
    "submgr.e2sm.decoding",
    "submgr.e2sm.kpm",
    "submgr.rmr.librmr",
    "submgr.simulators",
    "submgr.standby",
    "tempfile",
    "werkzeug",
)
"""Loaded by nobody who does not use it: each is a part of a start, and of the memory at rest."""


def facts(tmp_path: Path) -> dict[str, Any]:
    settings = {
        "subscription": {"host": "127.0.0.1:0"},
        "local": {"host": "127.0.0.1:0"},
        "rmr": {"protPort": f"tcp:{free_port()}"},
        "sdl": {"backend": "sqlite", "path": str(tmp_path / "submgr.db")},
        "controls": {"checkE2State": False},
    }
    seed = tmp_path / "seed.rt"
    seed.write_text("newrt|start|1\nmse|12010|-1|127.0.0.1:4560\nnewrt|end|1\n")
    command = [sys.executable, "-c", SCRIPT, json.dumps(settings), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_ready_daemon_has_loaded_what_it_uses_and_the_rest_holds_up_nobody(tmp_path: Path) -> None:
    found = facts(tmp_path)
    loaded = found["loaded"]
    assert "submgr.app" in loaded
    assert [name for name in loaded if name in HEAVY or name.startswith(tuple(f"{heavy}." for heavy in HEAVY))] == []
    # some hundred milliseconds of imports, in which everybody else had many turns
    assert min(found["turns"]) >= 10
    assert found["contents"] == [200, []] and found["service models"]
