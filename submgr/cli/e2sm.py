# SPDX-License-Identifier: Apache-2.0
"""`submgr e2sm`: what the octets of a subscription say, and the octets of one that says something."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from submgr.e2sm import kpm
from submgr.e2sm.choices import Chosen
from submgr.e2sm.common import GnbDuUe, NrCell, Plmn
from submgr.e2sm.decoding import Body, Decoded, Undecoded, decode, encode
from submgr.e2sm.errors import Unwritable
from submgr.e2sm.layouts import LAYOUTS, Layout, Model
from submgr.e2sm.outline import outline
from submgr.e2sm.shown import shown
from submgr.e2sm.words import words

_LONGEST = 1 << 20
"""Characters of input; no body has that many octets."""
_MODELS = click.Choice([model.value.lower() for model in Model], case_sensitive=False)
_VERSIONS = ("2.00", "2.01", "2.03", "3.00")


@click.group()
def e2sm() -> None:
    """Read and write event triggers and action definitions of KPM, RC and NI."""


@e2sm.command("decode")
@click.argument("octets")
@click.option("--model", type=_MODELS, help="Try this service model only.")
@click.option("--type", "body", type=click.Choice([str(body) for body in Body]), help="Try this type of body only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def decode_(octets: str, model: str | None, body: str | None, as_json: bool) -> None:
    """Say what OCTETS mean: hex, or numbers with commas as in a REST body; - reads them from standard input.

    Exit status 1: they are no such body.
    """
    _show(_octets(octets), [Model(model.upper())] if model else list(Model), [Body(body)] if body else None, as_json)


@e2sm.command()
@click.argument("definition")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def describe(definition: str, as_json: bool) -> None:
    """Say what a RAN function DEFINITION offers (hex; - reads it from standard input)."""
    _show(_octets(definition), list(Model), [Body.RAN_FUNCTION], as_json)


def _octets(text: str) -> bytes:
    if text == "-":
        text = sys.stdin.read(_LONGEST)
    try:
        if re.search(r"[,\[]", text):
            return bytes(int(number) for number in text.strip().strip("[]").split(","))
        return bytes.fromhex(re.sub(r"0x|[\s:]", "", text))
    except ValueError as error:
        raise click.UsageError(f"neither hex nor numbers of octets: {error}") from error


def _show(octets: bytes, models: Sequence[Model], bodies: Sequence[Body] | None, as_json: bool) -> None:
    read = [decode(octets, body, models) for body in bodies or Body]
    fitting = [one for one in read if isinstance(one, Decoded)]
    best: Decoded | Undecoded = fitting[0] if fitting else read[0]
    if as_json:
        click.echo(json.dumps(shown(best) | ({"Type": str(best.body)} if fitting else {}), indent=2))
    elif isinstance(best, Decoded):
        _echo(best)
        for other in fitting[1:]:
            click.echo(f"can be read as {other.body}, too: {words(other)}", err=True)
    else:
        click.echo(best.octets.hex())
        for one in read:
            reason = one.reason if isinstance(one, Undecoded) else ""
            click.echo(f"no {one.body}: {reason}")
    if not fitting:
        sys.exit(1)


def _echo(body: Decoded) -> None:
    click.echo(words(body))
    dialect = ", FlexRIC's dialect" if body.layout.flexric else ""
    click.echo(f"{body.body} of {body.model} v{', v'.join(body.versions)}{dialect}")
    for line in (*outline(body.tree(), "  "), *body.notes):
        click.echo(line)


@e2sm.group("encode")
def encode_() -> None:
    """Print the body of a POST for /ric/v1/subscriptions."""


@encode_.command("kpm")
@click.argument("more_measurements", nargs=-1)
@click.option("--measurement", "measurements", multiple=True, required=True, help="Name, or number for an id; again.")
@click.option("--period", type=click.IntRange(1), default=1000, show_default=True, help="Reporting period in ms.")
@click.option("--granularity", type=click.IntRange(1), help="Granularity period in ms; default: the reporting period.")
@click.option("--cell", help="One NR cell: PLMN and identity, such as 001-01/1001 (hex).")
@click.option("--ue", "ues", type=click.IntRange(0), multiple=True, help="gNB-CU UE F1AP id of a UE at a DU; again.")
@click.option("--where", "tests", multiple=True, help="Test of UEs, such as 'rSRP greaterthan -100'; again.")
@click.option("--style", type=int, help="RIC style type; default: the number of the format.")
@click.option("--kpm-version", type=click.Choice(_VERSIONS), default="3.00", show_default=True, help="Its layout.")
@click.option("--flexric", is_flag=True, help="FlexRIC's dialect of it.")
@click.option("--meid", default="gnb_734_733_b5c67788", show_default=True, help="E2 node.")
@click.option("--ran-function", type=int, default=2, show_default=True, help="RAN function id of KPM at the node.")
@click.option("--host", default="service-ricxapp-xapp-http.ricxapp", show_default=True, help="Host of the xApp.")
@click.option("--http-port", type=int, default=8080, show_default=True)
@click.option("--rmr-port", type=int, default=4560, show_default=True)
def encode_kpm(
    more_measurements: Sequence[str],
    measurements: Sequence[str],
    period: int,
    granularity: int | None,
    cell: str | None,
    ues: Sequence[int],
    tests: Sequence[str],
    style: int | None,
    kpm_version: str,
    flexric: bool,
    meid: str,
    ran_function: int,
    host: str,
    http_port: int,
    rmr_port: int,
) -> None:
    """A REPORT subscription of KPM: of a node or a cell (format 1), of UEs by id (2, 5) or by tests (4)."""
    layout = _layout(kpm_version, flexric)
    measured = kpm.Format1(
        measurements=tuple(map(_measurement, (*measurements, *more_measurements))),
        granularity=granularity or period,
        cell=_cell(cell) if cell else None,
    )
    content = _format(measured, ues, [_test(test) for test in tests])
    trigger = kpm.EventTrigger(content=Chosen(1, kpm.ReportPeriod(period=period)))
    action = kpm.ActionDefinition(style=int(content.name) if style is None else style, content=content)
    try:
        octets = encode(trigger, Body.EVENT_TRIGGER, layout), encode(action, Body.ACTION_DEFINITION, layout)
    except Unwritable as error:
        raise click.UsageError(str(error)) from error
    endpoint = {"Host": host, "HTTPPort": http_port, "RMRPort": rmr_port}
    body = {"ClientEndpoint": endpoint, "Meid": meid, "RANFunctionID": ran_function} | _details(*octets)
    text = json.dumps(body, indent=2)
    click.echo(re.sub(r"\[[\d,\s]+\]", lambda numbers: re.sub(r"\s+", " ", numbers[0]), text))


def _layout(version: str, flexric: bool) -> Layout:
    for layout in LAYOUTS[Model.KPM]:
        if version in layout.versions and layout.flexric == flexric:
            return layout
    raise click.UsageError(f"FlexRIC has no dialect of v{version}")


def _measurement(name: str) -> kpm.Measurement:
    measured = Chosen("id", int(name)) if name.isdecimal() else Chosen("name", name)
    return kpm.Measurement(measurement=measured, labels=(kpm.Label(no_label=True),))


def _cell(text: str) -> Chosen:
    found = re.fullmatch(r"(\d)(\d)(\d)-(\d)(\d)(\d?)/([0-9a-fA-F]{1,9})", text)
    if found is None:
        raise click.UsageError(f"--cell {text}: 001-01/1001 is one")
    a, b, c, d, e, f, identity = found.groups()
    plmn = Plmn(bytes.fromhex(f"{b}{a}{f or 'f'}{c}{e}{d}"))
    return Chosen("nr", NrCell(plmn=plmn, cell=int(identity, 16)))


def _test(text: str) -> kpm.Test:
    kind, expression, value = (*text.split(), "", "")[:3]
    try:
        compared = Chosen("int", int(value)) if value else None
    except ValueError:
        compared = Chosen("string", value)
    return kpm.Test(kind=kind, expression=expression or None, value=compared)


def _format(measured: kpm.Format1, ues: Iterable[int], tests: Sequence[kpm.Test]) -> Chosen:
    """The format that has a place for what is asked for. Raises click.UsageError when none has."""
    named = tuple(Chosen("gNB-DU-UEID", GnbDuUe(f1ap_id=number)) for number in ues)
    if named and tests:
        raise click.UsageError("--ue and --where: no format has both")
    if tests:
        conditions = tuple(kpm.UeCondition(test=test) for test in tests)
        return Chosen(4, kpm.Format4(ue_conditions=conditions, subscription=measured))
    if len(named) > 1:
        return Chosen(5, kpm.Format5(ues=named, subscription=measured))
    if named:
        return Chosen(2, kpm.Format2(ue=named[0], subscription=measured))
    return Chosen(1, measured)


def _details(trigger: bytes, action: bytes) -> dict[str, Any]:
    setup = {
        "ActionID": 1,
        "ActionType": "report",
        "ActionDefinition": list(action),
        "SubsequentAction": {"SubsequentActionType": "continue", "TimeToWait": "w10ms"},
    }
    detail = {"XappEventInstanceId": 1, "EventTriggers": list(trigger), "ActionToBeSetupList": [setup]}
    return {"SubscriptionDetails": [detail]}
