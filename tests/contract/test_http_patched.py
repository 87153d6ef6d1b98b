# SPDX-License-Identifier: Apache-2.0
"""Server, client and logs together in a process that gevent has patched, as the daemon is."""

import json
import subprocess
import sys

PROGRAM = """
from gevent import monkey; monkey.patch_all()
import logging, sys, time, warnings
import gevent
from submgr.platform.health import Health
from submgr.platform.http.app import JsonApp, json_response
from submgr.platform.http.client import HttpClient
from submgr.platform.http.target import Target
from submgr.platform.http.server import HttpServer
from submgr.platform.logs import Logs

logs = Logs("submgr")
logs.start(4)
app = JsonApp("test")

@app.get("/things")
def things():
    return json_response([1])

@app.get("/bug")
def bug():
    raise RuntimeError("a bug")

server = HttpServer("test", ":0", app)
server.start()
health = Health(interval=0.02)
health.start()
client = HttpClient()
target = Target("localhost", server.address[1], "/things/")
statuses = [client.request("GET", target).status for _ in range(20)]
statuses.append(client.request("GET", Target("127.0.0.1", server.address[1], "/bug")).status)
gevent.joinall([gevent.spawn(client.request, "GET", target) for _ in range(50)], raise_error=True)
gevent.spawn(lambda: 1 / 0).join()
warnings.warn("watch out")
server.stop(1)
health.stop()
client.close()
logs.stop()
print(sorted(set(statuses)), len(server.connections), len(logs.recent()))
"""


def test_the_platform_in_a_patched_process():
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == ("[200, 500] 0 0\n", 0)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    messages = [line["msg"] for line in lines]
    assert messages[0] == "listening"
    assert sum("a bug" in line.get("trace", "") for line in lines) == 1
    assert messages.count("greenlet failed") == 1
    assert any("watch out" in message for message in messages)
    assert messages.count("http") == 71  # at debug level only
