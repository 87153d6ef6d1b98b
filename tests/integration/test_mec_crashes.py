# SPDX-License-Identifier: Apache-2.0
"""MEC programs that end in the middle of their work, and how they start."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gevent
import pytest
from support.http.peer import OK, HttpPeer, Request, answer
from support.mec.processes import Api, Program
from support.ports import free_port
from support.waiting import eventually

import mec
from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.replay import Replayer

IMSI = "001010000000001"
CALL = Call(5, 100, IMSI, ["192.168.3.2"])
SUBJECT = f"imsi={IMSI}&appId=12345"


def test_controller_killed_in_the_middle_of_telling(tmp_path: Path) -> None:
    hung = True

    def hang(request: Request) -> bytes:
        if hung:
            gevent.sleep(60)
        return OK

    idp, api, s1ap, http = HttpPeer(hang), Api(), free_port(), free_port()
    program = Program(
        tmp_path, "controller", "-n", "home", "--listen", f"127.0.0.1:{s1ap}", "--http", f"127.0.0.1:{http}",
        "--idp-url", f"http://127.0.0.1:{idp.port}",
    )  # fmt: skip
    try:
        program.start()
        replayer = Replayer("127.0.0.1", s1ap)
        for each in [*set_up(), *attach(CALL)]:
            replayer.send("", each)
        idp.until(1)
        gevent.sleep(0.2)  # the record is on its way while the request is
        program.kill()
        replayer.close()
        hung = False
        program.start()
        assert idp.until(2)[1].json["imsi"] == IMSI
        status, ue = api.get(http, f"/ues/{IMSI}")
        assert (status, ue["ip"], ue["state"]) == (200, ["192.168.3.2"], "idle")
        eventually(lambda: 'outcome="delivered"} 1.0' in api.text(http, "/metrics"))
        replayer = Replayer("127.0.0.1", s1ap)
        for each in attach(Call(6, 101, IMSI, ["192.168.3.3"]), CALL.guti):
            replayer.send("", each)
        told = [(request.json["event"], request.json["remote_ip"]) for request in idp.until(4)[2:]]
        assert told == [("released", "192.168.3.2"), ("attached", "192.168.3.3")]
        replayer.close()
    finally:
        assert program.stop() == 0
        idp.stop()
        api.client.close()


def test_manager_killed_in_the_middle_of_a_prefetch(tmp_path: Path) -> None:
    hung = True

    def hang(request: Request) -> bytes:
        if hung:
            gevent.sleep(60)
        return answer("200 OK", json.dumps({"state": {"count": 8}}).encode())

    proxy, api, port = HttpPeer(hang), Api(), free_port()
    program = Program(
        tmp_path, "manager", "--host", f"127.0.0.1:{port}", "-n", "foreign", "--mec-id", "9",
        "--proxy-url", f"http://127.0.0.1:{proxy.port}",
    )  # fmt: skip
    try:
        program.start()
        assert api.get(port, f"/ams/app/notification/?{SUBJECT}&mecId=5")[0] == 200
        assert api.ask("POST", port, "/ams/prefetch/state", {"imsi": IMSI})[0] == 200
        proxy.until(1)
        program.kill()
        hung = False
        program.start()
        for _ in range(2):
            assert api.get(port, f"/ams/fetch/state/?{SUBJECT}") == (200, {"found": True, "state": {"count": 8}})
        assert len(proxy.requests) == 2
        gevent.sleep(0.2)
        program.kill()
        program.start()
        assert api.get(port, f"/ams/fetch/state/?{SUBJECT}")[0] == 200
        assert len(proxy.requests) == 2
        assert api.get(port, f"/ams/app/notification/?{SUBJECT}&mecId=5")[0] == 200
        program.kill()
        program.start()
        api.get(port, f"/ams/fetch/state/?{SUBJECT}")
        assert len(proxy.requests) == 3
    finally:
        assert program.stop() == 0
        proxy.stop()
        api.client.close()


@pytest.mark.parametrize("form", ["module", "file"])
def test_command_lines_of_the_controller(tmp_path: Path, form: str) -> None:
    script = Path(mec.__file__).parent / "controller" / "controller.py"
    command = [sys.executable, "-m", "mec.controller"] if form == "module" else [sys.executable, str(script)]
    program = Program(
        tmp_path, "-u", "-s", "-n", "home", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", command=command
    )
    api = Api()
    program.start()
    assert api.get(program.ports[1], "/health/ready")[0] == 200
    assert program.stop() == 0
    api.client.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["manager", "--data-file", "data.json", "--host", "127.0.0.1:0"], "line 2: users[0].imsi"),
        (["manager", "-n", "foreign", "--mec-id", "5"], "mec.mecId"),
        (["manager", "-f", "missing.yaml"], "missing.yaml"),
        (["proxy", "--listen", "127.0.0.1:0"], "mecInfo.json"),
        (["proxy", "--listen", "127.0.0.1:0", "--mec-info", "data.json"], "mecs"),
        (["controller", "-n", "home", "--listen", "nonsense"], "nonsense"),
        (["controller", "-n", "nowhere"], "nowhere"),
    ],
)
def test_start_that_cannot_be_is_explained_in_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "data.json").write_text('{"users": [\n{"imsi": "x", "subscriptionData": {}}]}')
    program = Program(tmp_path, *arguments).spawn()
    assert program.wait() in (1, 2)
    said = program.log.read_text()
    assert words in said and "Traceback" not in said
