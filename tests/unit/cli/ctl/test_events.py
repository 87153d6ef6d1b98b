# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl events`: what has happened, what happens, and what a broken connection changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import click
import pytest
from flask import Response
from support.cli.platform import Platform

from submgr.cli.ctl.event_stream import Follower, messages
from submgr.cli.ctl.server import Refused, Server, Silent


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "Id": f"run-{number}",
        "Time": "2020-01-01T00:00:00.000Z",
        "Kind": "subscription",
        "Severity": "warning",
        "Words": f"event {number}",
        **more,
    }


def sent(*numbers: int) -> bytes:
    return b"".join(
        f"id: run-{number}\nevent: subscription\ndata: {json.dumps(event(number))}\n\n".encode() for number in numbers
    )


def stream(*pieces: bytes) -> Response:
    return Response(iter([b": events\n\n", *pieces]), content_type="text/event-stream")


class Pauses:
    """Stands for `sleep`; the last pause ends the test."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.seen: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seen.append(seconds)
        if len(self.seen) == self.most:
            raise KeyboardInterrupt


def test_a_line_for_each_event(daemon: Platform) -> None:
    more = {"Meid": "gnb_1", "E2EventInstanceId": 7, "Milliseconds": 1.5, "Words": "failed\x1b[31m\nat once"}
    daemon.answers_with([event(1), event(2, **more)], [event(2, **more)])
    first, second = daemon.ctl("events").stdout.splitlines()
    assert first == "2020-01-01T00:00:00.000Z  warning  subscription   event 1"
    assert second.endswith("failed\\u001b[31m at once")
    wide = daemon.ctl("events", "-o", "wide").stdout
    assert wide.endswith("at once  id=run-2  meid=gnb_1  instance=7  ms=1.5\n")


def test_filters_are_those_of_the_interface(daemon: Platform) -> None:
    daemon.answers_with([])
    given = "--kind node --severity error --node gnb_1 --subscription s --xapp x --since run-1 --limit 3"
    assert daemon.ctl("events", *given.split()).exit_code == 0
    path = "GET events?since=run-1&limit=3&kind=node&severity=error&meid=gnb_1&subscriptionId=s&xapp=x"
    assert daemon.paths == [path]
    assert daemon.ctl("events", "--kind", "strange").exit_code == 2


def test_programs_get_a_list_or_a_line_for_each(daemon: Platform) -> None:
    daemon.answers_with([event(1)])
    assert json.loads(daemon.ctl("events", "-o", "json").stdout) == [event(1)]


def follower(daemon: Platform, last: str | None, pauses: Pauses) -> tuple[Iterator[dict[str, Any]], list[str]]:
    said: list[str] = []
    server = Server(f"http://127.0.0.1:{daemon.http.port}")
    return Follower(server, {"kind": "node", "xapp": None}, last, said.append, pauses).events(), said


def test_following_goes_on_behind_the_last_event_after_a_broken_connection(daemon: Platform) -> None:
    daemon.answers += [stream(sent(4), sent(5)), stream(sent(6))]
    events, said = follower(daemon, "run-3", Pauses(2))
    with pytest.raises(KeyboardInterrupt):
        for number, each in zip((4, 5, 6, 7), events, strict=False):
            assert each == event(number)
    assert [word.partition(":")[0] for word in said] == ["connection lost", "connected again", "connection lost"]
    assert daemon.paths == ["GET events?kind=node"] * 2
    assert daemon.resumed == ["run-3", "run-5"]


def test_who_cannot_be_reached_for_a_while_is_tried_again_and_told_once(daemon: Platform) -> None:
    pauses = Pauses(4)
    daemon.answers.append(stream(sent(1)))
    daemon.answers_with({"code": 503, "message": "not ready", "errors": []}, status=503)
    daemon.answers_with({"code": 503, "message": "not ready", "errors": []}, status=503)
    daemon.answers.append(stream())
    events, said = follower(daemon, None, pauses)
    with pytest.raises(KeyboardInterrupt):
        list(events)
    assert [word.partition(":")[0] for word in said] == ["connection lost", "connected again", "connection lost"]
    assert pauses.seen == [1.0, 2.0, 3.0, 3.0]
    assert daemon.resumed == ["", "run-1", "run-1", "run-1"]


@pytest.mark.parametrize(
    ("missed", "words"),
    [(3, "3 events are missing here"), (None, "events may be missing here: the Subscription Manager was started anew")],
)
def test_a_gap_is_told(daemon: Platform, missed: int | None, words: str) -> None:
    daemon.answers.append(stream(f"event: gap\ndata: {json.dumps({'Missed': missed})}\n\n".encode(), sent(9)))
    events, said = follower(daemon, "other-1", Pauses(1))
    assert next(events) == event(9)
    assert said == [words]


def test_who_never_answered_or_refuses_is_not_waited_for(daemon: Platform) -> None:
    events, _ = follower(daemon, None, Pauses(1))
    daemon.answers_with({"code": 503, "message": "32 clients", "errors": []}, status=503)
    with pytest.raises(Refused):
        next(events)
    daemon.http.stop(grace=0)
    events, _ = follower(daemon, None, Pauses(1))
    with pytest.raises(Silent):
        next(events)


def test_one_that_is_told_to_go_is_not_tried_again(daemon: Platform) -> None:
    daemon.answers.append(stream(sent(1)))
    daemon.answers_with({"code": 400, "message": "since makes no sense", "errors": []}, status=400)
    events, _ = follower(daemon, None, Pauses(9))
    next(events)
    with pytest.raises(click.ClickException, match="400"):
        next(events)


def test_the_command_shows_what_was_and_follows_from_there(daemon: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submgr.cli.ctl.events.gevent", SimpleNamespace(sleep=Pauses(1)))
    daemon.answers_with([event(1), event(2)])
    daemon.answers.append(stream(sent(3)))
    said = daemon.ctl("events", "-f", "-o", "json")
    assert [json.loads(line) for line in said.stdout.splitlines()] == [event(1), event(2), event(3)]
    assert said.exit_code == 130
    assert said.stderr.startswith("submgr: connection lost: ")
    assert daemon.resumed[-1] == "run-2"


def test_messages_come_in_any_pieces() -> None:
    whole = b": hello\r\n\r\nid: 7\r\ndata: {\ndata: }\n\ndata\n\nretry: 3\nevent: gap\ndata:x\n\n"
    for size in (1, 2, 7, len(whole)):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        seen = [(message.id, message.event, message.data) for message in messages(pieces)]
        assert seen == [("7", "message", ["{", "}"]), (None, "message", [""]), (None, "gap", ["x"])]


def test_a_line_without_an_end_is_not_kept() -> None:
    with pytest.raises(ValueError, match="too long"):
        list(messages([b"data: " + b"x" * 70_000] * 40))
