# SPDX-License-Identifier: Apache-2.0
"""Who may do what on a running daemon, and what is seen of it: tokens, web pages, the audit, floods of the log."""

from __future__ import annotations

import http.client
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.processes.daemon import Daemon, Neighbourhood
from support.rmr.frames import frame
from support.rmr.peer import Link
from support.waiting import eventually

from submgr.rmr import mtypes

EMPTY = "test/emptydb"


@pytest.fixture
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as around:
        yield around


def audited(daemon: Daemon) -> list[tuple[str, str]]:
    return [(line["msg"], line["outcome"]) for line in daemon.logged("submgr.platform.audit")]


def rebound(port: int, method: str, path: str, body: object = None) -> int:
    """What a browser is answered that takes us for evil.example, the origin of its page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Host": "evil.example", "Origin": "http://evil.example", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_token_in_a_file_is_rotated_without_a_restart(around: Neighbourhood, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    with Daemon(around, debug={"write": "token", "tokenFile": str(file)}) as daemon:

        def status(token: str) -> int:
            return daemon.platform("POST", EMPTY, Authorization=f"Bearer {token}")[0]

        assert [status("first"), status("second")] == [200, 401]
        file.write_text("second\n")
        assert [status("first"), status("second")] == [401, 200]
        assert audited(daemon) == [("POST", "200"), ("POST", "401"), ("POST", "200")]
        assert daemon.platform("GET", "config")[1]["debug"]["tokenFile"] == str(file)


def test_web_pages_of_others_change_nothing_and_changes_are_audited(around: Neighbourhood) -> None:
    with Daemon(around) as daemon:
        subscription = daemon.subscribe(around.request())
        assert rebound(daemon.platform_port, "POST", f"/ric/v1/{EMPTY}") == 403
        assert rebound(daemon.xapp_port, "POST", "/ric/v1/subscriptions", around.request("gnb_2")) == 403
        assert rebound(daemon.xapp_port, "DELETE", f"/ric/v1/subscriptions/{subscription}") == 403
        eventually(lambda: list(daemon.rests()) == [subscription])
        own = f"http://127.0.0.1:{daemon.platform_port}"
        assert daemon.platform("DELETE", "delete_all_e2node_subscriptions/gnb_1", Origin=own)[0] == 200
        assert daemon.platform("DELETE", "delete_all_e2node_subscriptions/gnb_9")[0] in (200, 404)
        daemon.configure(logger={"level": 4})
        eventually(lambda: ("configuration reloaded", "applied") in audited(daemon))
        assert audited(daemon)[:2] == [("POST", "403"), ("DELETE", "200")]
        lines = daemon.logged("submgr.platform.audit")
        assert {line["crit"] for line in lines} == {"WARNING"}
        assert {line["peer"] for line in lines} == {"127.0.0.1", "configuration file"}


def test_undecodable_messages_push_nothing_out_of_the_symptom_data(around: Neighbourhood) -> None:
    with Daemon(around) as daemon:
        link = Link.to(daemon.rmr_port)
        # a RIC Subscription Response of a procedure that nobody knows
        octets = bytes.fromhex("20ea0021000003001d00050000010001000500020000001100080000000a40030000")
        message = frame(octets, mtype=mtypes.RIC_SUB_RESP, meid=b"gnb\xc2\x9b1")
        link.send(message * 3000)
        eventually(lambda: daemon.metric("RMR_Received") >= 3000)
        link.close()
        answer = daemon.http.request("GET", f"http://127.0.0.1:{daemon.platform_port}/ric/v1/symptomdata")
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            recent = [json.loads(line) for line in archive.read("log.txt").decode().splitlines()]
        assert "ready for xApps" in [line["msg"] for line in recent]
        written = daemon.log_file.read_bytes()
        assert b"\xc2\x9b" not in written
        lines = [json.loads(line) for line in written.splitlines() if line.startswith(b"{")]
        assert 0 < len([line for line in lines if line["msg"].startswith("ignored: ")]) <= 40
        assert len(lines) < 200
