# SPDX-License-Identifier: Apache-2.0
"""Three MECs with a proxy, as processes: a UE moves between them, and its state and its data follow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.http.peer import HttpPeer, Request, answer
from support.mec import s1ap_pdus
from support.mec.calls import detach
from support.mec.processes import Api, Program, run
from support.ports import free_port
from support.waiting import eventually

from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.pdus import Place
from mec.controller.recordings.replay import Replayer

HOME, SECOND, THIRD = 5, 9, 7
IMSI = "001010123456789"
FORMS = (IMSI, IMSI.lstrip("0"))
APP = 12345
PROBLEM = "application/problem+json"


class Mec:
    """One MEC: its processes, its application and its identity provider."""

    def __init__(self, mec_id: int, proxy: int, directory: Path) -> None:
        self.id = mec_id
        self.count: int | None = None
        self.app = HttpPeer(self._state)
        self.idp = HttpPeer()
        self.manager, self.s1ap, self.http = free_port(), free_port(), free_port()
        network = "home" if mec_id == HOME else "foreign"
        config = directory / "mec.yaml"
        config.write_text(
            json.dumps({
                "logger": {"level": 4},
                "mec": {
                    "host": f"127.0.0.1:{self.manager}",
                    "network": network,
                    "mecId": mec_id,
                    "proxyUrl": f"http://127.0.0.1:{proxy}",
                    "controllerUrl": f"http://127.0.0.1:{self.http}",
                    "appUrls": {str(APP): f"http://127.0.0.1:{self.app.port}"},
                    "additionalBytes": 100,
                    **({"dataFile": str(directory / "data.json")} if mec_id == HOME else {}),
                },
            })
        )  # fmt: skip
        user = {"imsi": IMSI, "subscriptionData": {"subscribedApps": [APP]}}
        (directory / "data.json").write_text(f'{{"users": [{json.dumps(user)},]}}')
        self.programs = [
            Program(directory, "manager", "-f", str(config)),
            Program(
                directory, "controller", "-u", "-s", "-n", network, "-f", str(config),
                "--listen", f"127.0.0.1:{self.s1ap}", "--http", f"127.0.0.1:{self.http}",
                "--manager-url", f"http://127.0.0.1:{self.manager}", "--idp-url", f"http://127.0.0.1:{self.idp.port}",
            ),
        ]  # fmt: skip

    def _state(self, request: Request) -> bytes:
        if self.count is None:
            return answer("404 Not Found", b"{}")
        return answer("200 OK", json.dumps({"count": self.count}).encode())


class Network:
    """All of it."""

    def __init__(self, directory: Path) -> None:
        self.api = Api()
        self.proxy = free_port()
        self.mecs = {}
        for mec_id in (HOME, SECOND, THIRD):
            (directory / str(mec_id)).mkdir()
            self.mecs[mec_id] = Mec(mec_id, self.proxy, directory / str(mec_id))
        entries = [{"id": mec.id, "managerAmsUrl": f"http://127.0.0.1:{mec.manager}"} for mec in self.mecs.values()]
        (directory / "mecInfo.json").write_text(json.dumps({"mecs": entries}))
        (directory / "proxy.yaml").write_text("logger: {level: 4}")
        proxy = Program(directory, "proxy", "--listen", f"127.0.0.1:{self.proxy}", "-f", "proxy.yaml")
        self.programs = [proxy, *(program for mec in self.mecs.values() for program in mec.programs)]
        self.replayers: list[Replayer] = []
        for program in self.programs:
            program.spawn()
        for program in self.programs:
            program.ready()

    def arrives(self, mec_id: int, *addresses: str) -> dict[str, Any]:
        """The UE attaches at a MEC; what its identity provider is told."""
        mec = self.mecs[mec_id]
        known = len(mec.idp.requests)
        place = Place(cell=mec_id << 8, tac=mec_id, enb=mec_id)
        replayer = Replayer("127.0.0.1", mec.s1ap)
        self.replayers.append(replayer)
        call = Call(mec_id, 100 + mec_id, IMSI, addresses or [f"192.168.{mec_id}.2"], place=place)
        for each in [*set_up(place), *attach(call)]:
            replayer.send("", each)

        def attached() -> list[dict[str, Any]]:
            return [request.json for request in mec.idp.requests[known:] if request.json["event"] == "attached"]

        eventually(attached)
        return attached()[0]

    def uses(self, mec_id: int) -> Any:
        """The application at a MEC is used: it fetches the state, counts on, and tells the others."""
        mec = self.mecs[mec_id]
        status, body = self.api.get(mec.manager, f"/ams/fetch/state/?appId={APP}&imsi={IMSI}")
        mec.count = (body["state"]["count"] if status == 200 else 7) + 1
        assert self.api.get(mec.manager, f"/ams/app/notify/?imsi={IMSI}&mecId={mec_id}&appId={APP}")[0] == 200
        return mec.count

    def stop(self) -> list[int]:
        for replayer in self.replayers:
            replayer.close()
        codes = [program.stop() for program in self.programs]
        for mec in self.mecs.values():
            mec.app.stop()
            mec.idp.stop()
        self.api.client.close()
        return codes


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    made = Network(tmp_path_factory.mktemp("mecs"))
    yield made
    assert made.stop() == [0] * 7


def prefetched(network: Network, mec_id: int) -> None:
    """Wait until the MEC has the state of the UE, without asking for it."""
    figure = 'mec_ams_events_total{event="fetched"}'
    eventually(lambda: figure in network.api.text(network.mecs[mec_id].manager, "/metrics"))


def test_ue_and_its_state_go_round(network: Network) -> None:
    user_data = {"mainData": {"subscribedApps": [APP]}, "additional": "1" * 100}
    told = network.arrives(HOME)
    assert (told["event"], told["imsi"], told["remote_ip"]) == ("attached", IMSI, "192.168.5.2")
    assert told["subscriptionData"] == user_data
    assert network.uses(HOME) == 8

    told = network.arrives(SECOND)
    assert told["subscriptionData"] == user_data
    prefetched(network, SECOND)
    asked = len(network.mecs[HOME].app.requests)
    assert network.uses(SECOND) == 9
    assert len(network.mecs[HOME].app.requests) == asked

    network.arrives(THIRD)
    prefetched(network, THIRD)
    assert network.uses(THIRD) == 10
    assert len(network.mecs[HOME].app.requests) == asked

    network.arrives(HOME)
    assert network.uses(HOME) == 11


def test_ue_moves_within_a_mec(network: Network) -> None:
    mec = network.mecs[SECOND]
    network.arrives(SECOND, "192.168.9.77")
    here, there = Replayer("127.0.0.1", mec.s1ap), Replayer("127.0.0.1", mec.s1ap)
    network.replayers += [here, there]
    place = Place(cell=0x999, tac=3, enb=0x99)
    known = len(mec.idp.requests)
    for each in [*set_up(place), s1ap_pdus.path_switch(100 + SECOND, 4, place)]:
        there.send("", each)
    moved = mec.idp.until(known + 1)[-1].json
    assert (moved["event"], moved["remote_ip"], moved["enb_ue_s1ap_id"]) == ("moved", "192.168.9.77", 4)
    status, ue = network.api.get(mec.http, f"/ues/{IMSI}/")
    assert (status, ue["state"], ue["ip"], ue["enb"]["enbId"]) == (200, "moved", ["192.168.9.77"], 0x99)
    for each in detach(Call(4, 100 + SECOND, IMSI, [], place=place)):
        there.send("", each)
    assert mec.idp.until(known + 2)[-1].json["event"] == "detached"


def test_subscriber_is_found_by_address(network: Network) -> None:
    mec = network.mecs[HOME]
    network.arrives(HOME, "192.168.5.99")
    assert [ue["imsi"] for ue in network.api.get(mec.http, "/ues?ip=192.168.5.99")[1]] == [IMSI]
    sink = HttpPeer()
    body = {
        "subscriptionType": "MobilityProcedureSubscription",
        "callbackReference": f"http://127.0.0.1:{sink.port}/",
        "filterCriteria": {"associateId": [{"type": 1, "value": "192.168.5.99"}]},
    }
    assert network.api.ask("POST", mec.manager, "/amsi/v1/subscriptions", body)[0] == 201
    network.uses(SECOND)
    notification = sink.until(1)[0].json
    assert notification["associateId"] == [{"type": 1, "value": "192.168.5.99"}]
    assert notification["mobilityStatus"] == 1
    sink.stop()


def test_side_feed(network: Network) -> None:
    http = network.mecs[THIRD].http
    known = len(network.mecs[THIRD].idp.requests)
    assert network.api.ask("POST", http, "/ues", {"imsi": 310150123456789, "ip": ["10.1.1.1", "10.1.1.2"]})[0] == 200
    told = network.mecs[THIRD].idp.until(known + 2)[known:]
    assert [each.json["remote_ip"] for each in told] == ["10.1.1.1", "10.1.1.2"]
    for wrong in ({}, {"imsi": "x", "ip": "10.1.1.1"}, {"imsi": 5, "ip": "x"}, {"imsi": 5, "ip": []}, [], {"imsi": 5}):
        assert network.api.ask("POST", http, "/ues", wrong)[0] == 400
    assert network.api.get(http, "/ues/nonsense")[0] == 400
    assert network.api.get(http, "/ues/999")[0] == 404


def test_mec_that_is_down_is_reported(network: Network) -> None:
    program = network.mecs[THIRD].programs[0]
    program.stop()
    status, body = network.api.get(network.proxy, f"/app/notify?imsi={IMSI}&mecId={HOME}&appId={APP}")
    assert (status, body["notified"], [each["id"] for each in body["failed"]]) == (502, [SECOND], [THIRD])
    assert network.api.get(network.mecs[HOME].manager, f"/ams/app/notify?imsi={IMSI}&mecId={HOME}")[0] == 500
    program.start()


def test_recording_is_replayed_by_the_command(network: Network, tmp_path: Path) -> None:
    mec = network.mecs[HOME]
    known = len(mec.idp.requests)
    call = Call(77, 777, "001010000000077", ["192.168.5.177"], b"\x07" * 10)
    path = tmp_path / "attach.hex"
    path.write_text("".join(f"{each.hex()}\n" for each in [*set_up(), *attach(call)]))
    assert run("replay", str(path), "--to", f"127.0.0.1:{mec.s1ap}") == "10 PDUs of 1 associations\n"
    assert mec.idp.until(known + 1)[-1].json["imsi"] == call.imsi


def test_no_imsi_in_any_log_or_metric(network: Network) -> None:
    ports = [network.proxy, *(port for mec in network.mecs.values() for port in (mec.manager, mec.http))]
    shown = [network.api.text(port, "/metrics") for port in ports]
    logs = [program.log.read_text() for program in network.programs]
    assert all(len(log.splitlines()) > 2 for log in logs)
    whole = "\n".join([*shown, *logs])
    assert "00101********89" in whole  # the lines that could have shown it are there
    for form in (*FORMS, "310150123456789", "1010000000077"):
        assert form not in whole
