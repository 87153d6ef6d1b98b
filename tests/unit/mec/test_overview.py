# SPDX-License-Identifier: Apache-2.0
"""What operators see at a glance: masked, bounded, and there also when the controller or the orchestrator is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from support.mec.meo_world import World, admit_on, app, rounds

from mec.ams.model import KnownUses, Use
from mec.ams.service import Ams
from mec.ams.uses import Uses
from mec.common.peer_client import NoAnswer, PeerClient
from mec.common.settings import MecSettings
from mec.manager.service import Users
from mec.overview import MOST_CONTEXTS, MOST_UES, mec_overview, orchestrator_overview
from mec.parts import MobilityService, Parts
from submgr.platform.http.client import HttpResponse
from submgr.platform.store.memory import MemoryStore

IMSI = "001010000000001"
UE = {
    "imsi": IMSI,
    "ip": ["192.168.5.2"],
    "state": "attached",
    "ecgi": {"mcc": "001", "mnc": "01", "cellId": 0xA101},
    "seen": 1_700_000_000.25,
}


class Controller:
    """Answers with `answer`, or not at all."""

    def __init__(self, answer: HttpResponse | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def request(self, method: str, url: str) -> HttpResponse:
        self.asked.append(f"{method} {url}")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FakeAms:
    prefetching = 2


class FakeMobility:
    waiting = 1


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    world.start()
    world.inventory.add_app(app())
    yield world
    world.stop()


def seen(answer: HttpResponse | Exception, uses: KnownUses | None = None) -> dict[str, Any]:
    controller = Controller(answer)
    gauges = {("mec_users", "Users of this MEC"): lambda: 1.0} if uses is not None else {}
    ams, mobility = cast(Ams, FakeAms()), cast(MobilityService, FakeMobility())
    parts = Parts(cast(Users, None), cast(KnownUses, uses), ams, mobility, gauges, lambda: None)
    settings = MecSettings(mec_id=5, controller_url="http://controller:9002")
    view = mec_overview(settings, "127.0.0.1:8000", parts, cast(PeerClient, controller))
    assert controller.asked == [f"GET http://controller:9002/ues?limit={MOST_UES}"]
    return view


def test_ues_are_masked(store: MemoryStore) -> None:
    answer = HttpResponse(200, {"x-total-count": "90000"}, json.dumps([UE, {**UE, "imsi": int(IMSI)}]).encode())
    uses = Uses(store, 5)
    uses.notified(IMSI, None, 9)
    uses.take([(Use(IMSI, "12345", 5), b"1")])
    view = seen(answer, uses)
    assert IMSI not in json.dumps(view)
    assert IMSI.lstrip("0") not in json.dumps(view)
    assert (view["Ues"]["Total"], view["Ues"]["Why"]) == (90000, None)
    assert view["Ues"]["Items"][0] == {
        "Ue": "00101********01",
        "State": "attached",
        "Addresses": ["192.168.5.2"],
        "Cell": "001-01/0xa101",
        "Seen": "2023-11-14T22:13:20.250Z",
    }
    assert [(use["App"], use["MecId"], use["Here"], use["StateStored"]) for use in view["Uses"]["Items"]] == [
        ("*", 9, False, False),
        ("12345", 5, True, True),
    ]
    assert (view["Users"], view["Prefetching"], view["WaitingNotifications"]) == (1, 2, 1)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (NoAnswer("connection refused"), "the controller does not answer: connection refused"),
        (HttpResponse(503, {}, b"{}"), "the controller answers 503"),
        (HttpResponse(200, {}, b"[{"), "what the controller answers"),
        (HttpResponse(200, {}, b'[{"imsi": {}}]'), "what the controller answers"),
    ],
)
def test_a_controller_that_tells_no_ues(answer: HttpResponse | Exception, why: str) -> None:
    ues = seen(answer)["Ues"]
    assert (ues["Total"], ues["Items"]) == (None, [])
    assert ues["Why"].startswith(why)


def test_every_list_has_a_bound(store: MemoryStore) -> None:
    many = json.dumps([{**UE, "seen": 1e300}] * (MOST_UES + 5)).encode()
    uses = Uses(store, 5)
    for number in range(MOST_UES + 5):
        uses.notified(str(number + 1), "1", 5)
    view = seen(HttpResponse(200, {"x-total-count": "\u00b2"}, many), uses)
    assert (len(view["Ues"]["Items"]), view["Ues"]["Total"]) == (MOST_UES, MOST_UES + 5)
    assert (len(view["Uses"]["Items"]), view["Uses"]["Total"]) == (MOST_UES, MOST_UES + 5)
    assert view["Ues"]["Items"][0]["Seen"] is None
    assert view["Uses"]["Items"][0]["Ue"] == "20*", "the newest first"


def test_what_replicas_share_is_not_listed() -> None:
    view = seen(HttpResponse(200, {}, b"[]"))
    assert (view["Users"], view["Uses"], view["Ues"]["Total"]) == (None, None, 0)


def test_platforms_with_load_and_keys_and_contexts_that_moved(world: World) -> None:
    for name, load, key in (("lisbon", 0.2, 0.8), ("oslo", 0.3, 0.5)):
        world.platform(name, load=load, key=key)
    context = admit_on(world, "oslo")
    world.inventory.tell("oslo", load=0.95)
    rounds(world)
    world.finish()
    view = orchestrator_overview(world.orchestrator)
    assert view["Why"] is None
    assert orchestrator_overview(world.orchestrator, "mec-1 is active")["Why"] == "mec-1 is active"
    assert [(one["Name"], one["Load"], one["Eligible"], one["Contexts"]) for one in view["Platforms"]["Items"]] == [
        ("lisbon", 0.2, True, 1),
        ("oslo", 0.95, False, 0),
    ]
    assert view["Platforms"]["Items"][1]["Reasons"] == ["load 0.95 is over 0.8"]
    assert [(one["Id"], one["App"], one["Platform"], one["Moves"]) for one in view["Contexts"]["Items"]] == [
        (context.id, "app", "lisbon", 1)
    ]
    (move,) = view["Moves"]
    assert (move["Origin"], move["Target"], move["Reason"]) == ("oslo", "lisbon", "load 0.95 is over 0.8")
    assert (move["App"], move["Told"]) == ("app", "delivered")
    assert "credentials" not in json.dumps(view)
    world.meo.end(context.id)
    (move,) = orchestrator_overview(world.orchestrator)["Moves"]
    assert (move["Context"], move["Target"], move["Told"]) == (context.id, "lisbon", "ended since")


def test_the_contexts_that_came_last(world: World) -> None:
    world.platform("lisbon", load=0.1, key=0.9)
    for _ in range(MOST_CONTEXTS + 3):
        last = admit_on(world, "lisbon")
    view = orchestrator_overview(world.orchestrator)
    assert view["Contexts"]["Total"] == MOST_CONTEXTS + 3
    assert len(view["Contexts"]["Items"]) == MOST_CONTEXTS
    assert view["Contexts"]["Items"][0]["Id"] == last.id
