# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl show`: what is subscribed, in words and with all that is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click

from submgr.cli.ctl.command import Command
from submgr.cli.ctl.events import line
from submgr.cli.ctl.output import WITHOUT_NAMES, Output, answered, output_option
from submgr.cli.ctl.server import Server
from submgr.cli.tables import printed
from submgr.e2sm.outline import outline

Json = dict[str, Any]
_LONGEST_INSTANCE = 5
"""Digits of an E2 instance id; a SubscriptionId has 27 characters."""


@click.command(cls=Command)
@click.argument("id", required=False)
@output_option(*WITHOUT_NAMES)
@click.pass_obj
def show(server: Server, id: str | None, output: Output) -> None:
    """Say what E2 subscriptions ask for: each in a line, or one subscription with all that is known of it.

    ID is a SubscriptionId, or the instance id of an E2 subscription. A REST subscription is shown with how each of its
    E2 subscriptions went, step by step, and with its events.
    """
    lines: Iterator[str]
    if id is None:
        answer = server.json("GET", "contents")
        lines = _all(answer)
    elif id.isascii() and id.isdigit() and len(id) <= _LONGEST_INSTANCE:
        answer = server.get(f"contents/{id}")
        lines = map(printed, _e2_subscription(answer, id))
    else:
        answer = server.get(f"overview/subscriptions/{quote(id, safe='')}")
        lines = map(printed, _rest_subscription(answer))

    def told() -> None:
        for each in lines:
            click.echo(each)

    answered(output, answer, told)


def _all(contents: list[Json]) -> Iterator[str]:
    for each in contents:
        yield "\t".join(printed(each[name]) for name in ("SubscriptionId", "Meid", "RANFunctionID", "Words"))


def _e2_subscription(whole: Json, instance_id: str) -> Iterator[str]:
    yield f"E2 subscription {int(instance_id)} at {whole['Meid']}, RAN function {whole['RANFunctionID']}"
    yield from _contents(whole)


def _contents(whole: Json) -> Iterator[str]:
    yield from _body("event trigger", whole["EventTrigger"])
    for action in whole["Actions"]:
        yield from _body(f"action {action['ActionID']}", action["Definition"] or {"Words": "no definition"})


def _body(name: str, body: Json) -> Iterator[str]:
    yield f"{name}: {body['Words']}"
    yield from outline(body.get("Content", {}), "  ")


def _rest_subscription(rest: Json) -> Iterator[str]:
    where = f"of xApp {rest['XApp']} at {rest['Meid']}, RAN function {rest['RANFunctionID']}"
    yield f"REST subscription {rest['SubscriptionId']} {where}: {rest['State']}"
    yield f"created: {rest['Created']}"
    yield f"endpoint: {rest['ClientEndpoint']}, notified at {rest['NotificationTarget']}"
    if rest["Owner"]:
        yield f"owner: {rest['Owner']}"
    for detail in rest["Details"]:
        yield ""
        yield from _detail(detail)
    if rest["Events"]:
        yield ""
        yield "events:"
        for event in rest["Events"]:
            yield f"  {line(event)}"


def _detail(detail: Json) -> Iterator[str]:
    instance = f"E2 subscription {detail['E2EventInstanceId']}" if detail["E2EventInstanceId"] else "no E2 subscription"
    yield f"XappEventInstanceId {detail['XappEventInstanceId']}, {instance}: {detail['State']}"
    if detail["Words"]:
        yield f"  asks for: {detail['Words']}"
    yield f"  {_last(detail['Last'])}"
    if detail["Timeline"]:
        yield "  steps: " + ", ".join(f"{step['Step']}{_at(step['Milliseconds'])}" for step in detail["Timeline"])
    if detail["Contents"]:
        yield from (f"  {each}" for each in _contents(detail["Contents"]))


def _at(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f" {milliseconds:g} ms"


def _last(last: Json) -> str:
    took = "" if last["Milliseconds"] is None else f" after{_at(last['Milliseconds'])}"
    cause = f": {last['Cause']} ({last['Source']})" if last["Cause"] else ""
    return f"{last['Outcome']}{took}{cause}"
