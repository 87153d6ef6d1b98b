# SPDX-License-Identifier: Apache-2.0
"""Route tables as a real Routing Manager makes them, and its control port.

Its chart says `"RIC_E2NODE_CONFIG_UPDATE_ACK==12071"`, and descriptors of xApps list several message names in one
string: it has no number for these names, and writes records with an empty type. A target that somebody has added by
hand may have no port. Nothing comes before it is asked, or before it next changes something.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from support.ports import free_port
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.rmr.frames import frame
from support.rmr.peer import Link, Peer
from support.waiting import eventually

from submgr.rmr import mtypes

XAPPS = ("service-ricxapp-kpimon-rmr.ricxapp:4560", "service-ricxapp-rc-rmr.ricxapp:4560")
E2MGR, A1MED = "service-ricplt-e2mgr-rmr.ricplt:3801", "service-ricplt-a1mediator-rmr.ricplt:4562"


@pytest.fixture
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as around:
        yield around


class RealTable:
    """The full table for a daemon, with the records that each of the real ones has."""

    def __init__(self, daemon: Daemon, e2t: str, subscriptions: int = 0) -> None:
        me = f"127.0.0.1:{daemon.rmr_port}"
        self.records = [
            f"mse|12001,{e2t}|-1|{E2MGR}",
            f"mse|,{E2MGR}|-1|{e2t}",  # RIC_E2NODE_CONFIG_UPDATE_ACK==12071
            f"mse|1101,{E2MGR}|-1|{e2t}",
            f"mse|12010,{me}|-1|{e2t}",
            f"mse|12020,{me}|-1|{e2t}",
            f"mse|12011,{e2t}|-1|{me}",
            f"mse|12021,{e2t}|-1|{me}",
            f"mse|20011,{XAPPS[0]}|-1|{A1MED}",
            f"mse||-1|{XAPPS[0]}",  # "RIC_SUB_RESP, RIC_SUB_FAILURE, RIC_INDICATION" in a descriptor
            f"mse|12040,{XAPPS[1]}|-1|%meid",
            "mse|12010|7|service-ricplt-e2term-rmr-alpha.ricplt",  # added by hand
            f"mse|12020|8|service-ricplt-e2term-rmr-beta,{e2t}",
        ]
        for sub_id in range(1, subscriptions + 1):
            for xapp in XAPPS:
                self.records += [f"mse|{mtype},{me}|{sub_id}|{xapp}" for mtype in (12011, 12012, 12021, 12022)]
                self.records += [f"mse|{mtype},{e2t}|{sub_id}|{xapp}" for mtype in (12050, 12041, 12042)]

    @property
    def text(self) -> str:
        return "\n".join(["newrt|start|rtmgr_1", *self.records, f"newrt|end|{len(self.records)}", ""])


def meid_map(e2t: str, *meids: str) -> str:
    """The second half of what the Routing Manager sends: with a meid that is too long, as nobody checks them."""
    return (
        f"meid_map|start|rtmgr_1\nmme_ar|{e2t}|{' '.join(meids)} {'x' * 40}\nmme_ar|nobody|{meids[0]}\nmeid_map|end|2\n"
    )


class RoutingManager:
    """The RMR side of the Routing Manager: answers a question for the table, at once or when told to."""

    def __init__(self, port: int = 0) -> None:
        self.peer = Peer(port)

    def asked(self) -> int:
        return sum(message.mtype == mtypes.RMRRM_REQ_TABLE for message in self.peer.got)


def push(control: int, text: str, states: int) -> list[str]:
    """Sends a table to a control port; what it says of it."""
    link = Link.to(control)
    try:
        link.send(frame(text.encode(), mtype=mtypes.RMRRM_TABLE_DATA))
        eventually(lambda: len(link.got) >= states, 60.0, what=f"{states} states")
        return [message.payload.decode().rstrip("\n\0") for message in link.got]
    finally:
        link.close()


def own_environment(path: Path, **more: str) -> dict[str, str]:
    seed = path / "empty.rt"
    seed.write_text("newrt|start\nnewrt|end\n")
    return {"RMR_SEED_RT": str(seed), **more}


def test_a_real_table_gives_routes_and_says_what_it_skipped(around: Neighbourhood, tmp_path: Path) -> None:
    control = free_port()
    with Daemon(around, own_environment(tmp_path, RMR_RTG_SVC=str(control))) as daemon:
        e2t = around.e2term.endpoint
        table = RealTable(daemon, e2t)
        assert push(control, table.text + meid_map(e2t, "gnb_1", "gnb_2"), 2) == ["OK rtmgr_1 ", "OK rtmgr_1 "]
        ready = daemon.platform("GET", "health/ready")
        assert ready[0] == 200
        (warning,) = ready[1]["warnings"]
        assert "5 route records skipped: line 10: message type ''" in warning
        assert daemon.metric("submgr_rmr_routes_skipped") == 5
        assert daemon.metric("submgr_missing_routes") == 0
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        (told,) = around.xapp.instances()
        assert told["ErrorCause"] == ""

        file = tmp_path / "table.rt"
        file.write_text(table.text)
        me = f"127.0.0.1:{daemon.rmr_port}"
        command = [sys.executable, "-m", "submgr", "rmr", "routes", str(file), "--own", me]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert f"RIC_SUB_REQ -> {e2t}" in shown
    assert f"RIC_SUB_DEL_REQ with sub id 8 -> {e2t}" in shown
    assert [line.split(":")[1].strip() for line in shown if line.startswith("skipped")] == [
        "line 10",
        "line 12",
        "line 13",
    ]
    assert shown[-1].endswith("3 records skipped, 3 routes, 0 meids, 7 records for other senders")


def test_a_full_table_of_a_large_ric_is_taken_and_holds_nobody_up(around: Neighbourhood, tmp_path: Path) -> None:
    control = free_port()
    with Daemon(around, own_environment(tmp_path, RMR_RTG_SVC=str(control))) as daemon:
        table = RealTable(daemon, around.e2term.endpoint, subscriptions=20_000)
        assert len(table.text) > 16 << 20
        pushing = gevent.spawn(push, control, table.text, 1)
        slowest = 0.0
        while not pushing.ready():
            begun = time.monotonic()
            assert daemon.platform("GET", "health/alive")[0] == 200
            slowest = max(slowest, time.monotonic() - begun)
            gevent.sleep(0.02)
        assert pushing.get() == ["OK rtmgr_1 "]
        assert slowest < 2.0, "on a machine with other work"
        assert daemon.metric("submgr_hub_stall_longest_seconds") < 1.0
        assert daemon.metric("submgr_missing_routes") == 0


def test_the_table_is_asked_for_at_every_start_and_a_request_waits_for_it(
    around: Neighbourhood, tmp_path: Path
) -> None:
    manager, control = RoutingManager(), free_port()
    environment = own_environment(tmp_path, RMR_RTG_SVC=manager.peer.name, RMR_CTL_PORT=str(control))
    with Daemon(around, environment, controls={"e2tSubReqTimeout_ms": 8000}) as daemon:
        for start in (1, 2):
            eventually(lambda start=start: manager.asked() >= start, what="the question for a table")
            around.xapp.reset()
            daemon.subscribe(around.request("gnb_1", detail(start, [start])))
            gevent.sleep(1.0)
            assert around.xapp.instances() == []
            asking = [link for link in manager.peer.links if link.got][-1]
            asking.send(frame(RealTable(daemon, around.e2term.endpoint).text.encode(), mtype=mtypes.RMRRM_TABLE_DATA))
            assert around.xapp.wait(1)
            (told,) = around.xapp.instances()
            assert told["ErrorCause"] == ""
            assert daemon.metric("SUBMGR_SubReqToE2") == 1
            assert daemon.metric("SUBMGR_SubReReqToE2") == 0
            daemon.stop()
            asked = manager.asked()
            if start == 1:
                daemon.start()
                eventually(lambda asked=asked: manager.asked() > asked, what="the question after the second start")
    manager.peer.close()


def test_without_a_table_in_its_time_a_request_is_not_sent(around: Neighbourhood, tmp_path: Path) -> None:
    with Daemon(around, own_environment(tmp_path, RMR_RTG_SVC=str(free_port()))) as daemon:
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        (told,) = around.xapp.instances()
        assert told["TimeoutType"] == "E2-Timeout"
        assert "not sent: no RMR route for 12010 to gnb_1" in told["ErrorCause"]


def test_an_update_before_the_full_table_is_kept(around: Neighbourhood, tmp_path: Path) -> None:
    control = free_port()
    with Daemon(around, own_environment(tmp_path, RMR_RTG_SVC=str(control))) as daemon:
        e2t = around.e2term.endpoint
        link = Link.to(control)
        update = f"updatert|start|u\nmse|12010|-1|{e2t}\nupdatert|end|1\n"
        link.send(frame(update.encode(), mtype=mtypes.RMRRM_TABLE_DATA))
        eventually(lambda: len(link.got) == 2)
        assert {message.mtype for message in link.got} == {mtypes.RMRRM_TABLE_STATE, mtypes.RMRRM_REQ_TABLE}
        link.close()
        assert push(control, f"newrt|start|f\nmse|12020|-1|{e2t}\nnewrt|end|1\n", 1) == ["OK f "]
        assert daemon.metric("submgr_missing_routes") == 0


def test_the_daemon_starts_while_connections_of_a_librmr_process_are_remembered(around: Neighbourhood) -> None:
    daemon = Daemon(around)
    ended = (
        "import socket, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); "
        "s.bind(('0.0.0.0', int(sys.argv[1]))); s.listen(1); "
        "c = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); "
        "a, _ = s.accept(); a.close(); c.recv(1)"
    )
    subprocess.run([sys.executable, "-c", ended, str(daemon.rmr_port)], check=True, timeout=30)
    with daemon:
        assert daemon.is_ready()
