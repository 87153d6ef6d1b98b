# SPDX-License-Identifier: Apache-2.0
"""`docs/simulators.md` has every key of the rules and every option of the programs, and its examples are rules."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
import yaml

from submgr.simulators.cli import sim
from submgr.simulators.e2term_control import AnyMessage, DeleteRequired
from submgr.simulators.rules import E2Rule, HttpRule, Rule, RuleBook, RuleError
from submgr.simulators.xapp_requests import RmrDelete, RmrSubscribe

PAGE = (Path(__file__).parents[3] / "docs" / "simulators.md").read_text(encoding="utf-8")


def told(part: str) -> set[str]:
    """The keys in the first columns of the tables of a part of the page."""
    text = re.split(r"^#+ ", PAGE.partition(f"# {part}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return {
        name for cell in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)
    }


@pytest.mark.parametrize(("part", "kind"), [("E2 nodes", E2Rule), ("HTTP", HttpRule)])
def test_every_key_of_the_rules(part: str, kind: type[Rule]) -> None:
    of_all = set(Rule.__struct_fields__)
    assert told("Rules") == of_all
    assert told(part) == set(kind.__struct_fields__) - of_all


def test_every_option_of_the_programs() -> None:
    for name, command in sim.commands.items():
        (row,) = re.findall(rf"^\| `{name}` \|(.*)$", PAGE, re.MULTILINE)
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        assert set(re.findall(r"--[a-z-]+", row)) == options, name


def test_the_examples_are_rules() -> None:
    scripts = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    scripts += [json.loads(text) for text in re.findall(r"/rules -d '(.*?)'", PAGE)]
    assert len(scripts) == 4
    books = (RuleBook(E2Rule), RuleBook(HttpRule))
    for script in scripts:
        assert any(_fits(book, script) for book in books), script


def _fits(book: RuleBook[E2Rule] | RuleBook[HttpRule], script: object) -> bool:
    try:
        return bool(book.parse(script))
    except RuleError:
        return False


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [
        ("POST /nodes/NAME/delete_required", DeleteRequired),
        ("POST /send", AnyMessage),
        ("POST /rmr/subscribe", RmrSubscribe),
        ("POST /rmr/delete", RmrDelete),
    ],
)
def test_the_bodies_are_read(request_line: str, kind: type[msgspec.Struct]) -> None:
    (body,) = re.findall(rf"^\| `{request_line}` \|.*`(\{{.*\}})` \|$", PAGE, re.MULTILINE)
    assert msgspec.json.decode(body, type=kind)
