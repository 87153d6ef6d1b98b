# SPDX-License-Identifier: Apache-2.0
"""`GET /meo/v1/events`: what has happened, as a list and as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.mec.meo_world import World, app, rounds, wish

from mec.meo.events import _WORDS, PLACES, Event, Events, Kind, Severity
from submgr.platform.http.event_stream import MOST_STREAMS

EVENTS = "/meo/v1/events"
STREAM = {"Accept": "text/event-stream"}


def told(client: FlaskClient, **query: str) -> list[dict[str, Any]]:
    answer = client.get(EVENTS, query_string=query)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.get_json()
    return found


class Stream:
    """A stream that a client reads piece by piece."""

    def __init__(self, client: FlaskClient, headers: dict[str, str] | None = None, **query: str) -> None:
        self.answer = client.get(EVENTS, query_string=query, headers={**STREAM, **(headers or {})})
        assert (self.answer.status_code, self.answer.mimetype) == (200, "text/event-stream")
        self._pieces: Iterator[bytes] = iter(self.answer.response)  # type: ignore[arg-type]
        self._text = ""
        self.next()

    def next(self) -> str:
        """The fields of the next event, or a comment."""
        while "\n\n" not in self._text:
            self._text += next(self._pieces).decode()
        block, _, self._text = self._text.partition("\n\n")
        return block

    def event(self) -> tuple[str, dict[str, Any]]:
        """Type and data of the next event."""
        fields = dict(line.split(": ", 1) for line in self.next().split("\n"))
        data = json.loads(fields["data"])
        assert fields.get("id") == data.get("id")
        return fields["event"], data

    def close(self) -> None:
        self.answer.close()


@pytest.fixture
def busy(world: World) -> World:
    """A world in which a context was admitted, moved and ended, and another one was refused."""
    world.inventory.add_app(app())
    world.platform("p1")
    context = world.meo.admit(wish(callback="http://device/secret"))
    world.platform("p2")
    world.inventory.tell("p1", load=0.9)
    rounds(world)
    world.finish()
    world.meo.end(context.id)
    world.finish()
    world.inventory.tell("p2", load=0.9)
    world.ask(world.meo.admit, wish()).join(5)
    return world


def test_what_has_happened_in_order(client: FlaskClient, busy: World) -> None:
    found = told(client)
    assert [(each["kind"], each["event"]) for each in found] == [
        ("application", "registered"),
        ("platform", "registered"),
        ("deployment", "ready"),
        ("context", "admitted"),
        ("platform", "registered"),
        ("deployment", "ready"),
        ("migration", "moved"),
        ("deployment", "removed"),
        ("context", "ended"),
        ("deployment", "removed"),
        ("context", "rejected"),
    ]
    moved = found[6]
    assert (moved["origin"], moved["target"], moved["reason"]) == ("p1", "p2", "load 0.9 is over 0.8")
    assert moved["words"].endswith("of app moved from p1 to p2: load 0.9 is over 0.8")
    assert found[-1]["reasons"].keys() == {"p1", "p2"}
    assert "device" not in json.dumps(found)
    assert [each["event"] for each in told(client, kind="telemetry")] == ["load", "key"] * 2 + ["load"] * 2


def test_filters(client: FlaskClient, busy: World) -> None:
    everything = told(client, severity="detail", limit="1000")
    assert len(everything) == len(told(client)) + 6
    assert told(client, kind="migration") == [each for each in everything if each["kind"] == "migration"]
    assert {each["event"] for each in told(client, severity="warning")} == {"rejected"}
    at_p1 = told(client, platform="p1")
    assert [each["event"] for each in at_p1] == ["registered", "ready", "admitted", "moved", "removed"]
    context = at_p1[2]["contextId"]
    assert [each["event"] for each in told(client, contextId=context)] == ["admitted", "moved", "ended"]
    assert told(client, since=everything[4]["id"], severity="detail") == everything[5:]
    assert told(client, limit="2") == told(client)[-2:]
    assert told(client, appKey="unheard of") == []


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "x"},
        {"severity": "bad"},
        {"limit": "0"},
        {"limit": "x"},
        {"since": "x"},
        {"follow": "y"},
        {"meid": "g"},
    ],
)
def test_parameters_that_make_no_sense(client: FlaskClient, query: dict[str, str]) -> None:
    answer = client.get(EVENTS, query_string=query)
    assert answer.status_code == 400
    assert [each["field"] for each in answer.get_json()["errors"]] == list(query)


def test_a_stream_tells_what_is_new_and_is_resumed_where_it_broke_off(client: FlaskClient, busy: World) -> None:
    stream = Stream(client)
    busy.platform("p3")
    kind, first = stream.event()
    assert (kind, first["platform"]) == ("platform", "p3")
    busy.inventory.withdraw_platform("p3")
    stream.close()
    again = Stream(client, {"Last-Event-ID": first["id"]})
    assert [again.event()[1]["event"] for _ in range(2)] == ["withdrawn", "forgotten"]
    again.close()
    since = Stream(client, since=first["id"], kind="platform", platform="p3")
    assert since.event()[1]["event"] == "withdrawn"
    since.close()


@pytest.mark.parametrize("last", ["zzz-1", "nonsense"])
def test_who_knows_another_run_is_told_of_a_gap(client: FlaskClient, busy: World, last: str) -> None:
    answer = client.get(EVENTS, headers={**STREAM, "Last-Event-ID": last})
    gap = next(iter(answer.response))
    assert gap == b'event: gap\ndata: {"missed":null}\n\n'
    answer.close()


def test_a_slow_reader_is_told_how_many_events_it_has_missed(client: FlaskClient, busy: World) -> None:
    stream = Stream(client)
    for _ in range(PLACES[Severity.INFO] + 10):
        busy.meo.events.tell(Kind.PLATFORM, Severity.INFO, "registered", platform="p")
    kind, data = stream.event()
    assert (kind, data) == ("gap", {"missed": 10})
    stream.close()


def test_there_are_so_many_streams_and_no_more(client: FlaskClient, world: World) -> None:
    streams = [Stream(client) for _ in range(MOST_STREAMS)]
    refused = client.get(EVENTS, headers=STREAM)
    assert (refused.status_code, refused.content_type) == (503, "application/problem+json")
    assert int(refused.headers["Retry-After"]) > 0
    streams.pop().close()
    streams.append(Stream(client))
    for stream in streams:
        stream.close()


def test_a_stop_ends_the_streams_at_once(client: FlaskClient, world: World) -> None:
    stream = Stream(client)
    world.orchestrator.end_streams()
    with pytest.raises(StopIteration):
        stream.next()
    assert client.get(EVENTS, headers=STREAM).status_code == 503
    assert client.get(EVENTS).status_code == 200


def test_the_admin_token_is_needed(client: FlaskClient, world: World) -> None:
    world.orchestrator.reconfigure(replace(world.settings, admin_token="let-me-in"))
    assert client.get(EVENTS, headers=STREAM).status_code == client.get(EVENTS).status_code == 401


def test_telemetry_pushes_nothing_else_out(client: FlaskClient, busy: World) -> None:
    before = told(client)
    for _ in range(2 * PLACES[Severity.DETAIL]):
        busy.meo.events.tell(Kind.TELEMETRY, Severity.DETAIL, "load", platform="p1", value=0.5)
    assert told(client) == before


@pytest.mark.parametrize(("kind", "what"), sorted(_WORDS))
def test_every_event_has_words(kind: Kind, what: str) -> None:
    names = ("contextId", "appName", "appKey", "platform", "reason", "origin", "target", "message", "zone")
    facts: dict[str, Any] = {**{name: f"<{name}>" for name in names}, "value": 0.12345}
    assert Event(1, 0.0, kind, Severity.INFO, what, facts).words
    events = Events(lambda: 5.0)
    events.tell(kind, Severity.INFO, what, **facts)
    assert events.after(0)[0].at == 5.0
