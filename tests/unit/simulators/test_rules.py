# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from submgr.e2ap.messages import Cause
from submgr.simulators.rules import E2Rule, HttpRule, RuleBook, RuleError, parse_cause


def facts(meid: str = "gnb1", instance: int = 1, procedure: str = "subscribe") -> dict[str, object]:
    return {"meid": meid, "instance": instance, "procedure": procedure, "function": 2}


def picks(book: RuleBook[E2Rule], times: int) -> list[float | None]:
    picked = (book.pick(facts()) for _ in range(times))
    return [None if rule is None else rule.delay for rule in picked]


def test_without_rules_all_is_well() -> None:
    assert RuleBook(E2Rule).pick(facts()) is None


def test_nth_and_count() -> None:
    book = RuleBook(E2Rule, [E2Rule(nth=2, count=2, delay=1.0)])
    assert picks(book, 5) == [None, 1.0, 1.0, None, None]
    book.replace([E2Rule(nth=3, delay=1.0)])
    assert picks(book, 5) == [None, None, 1.0, 1.0, 1.0]
    book.replace([E2Rule(count=1, delay=1.0), E2Rule(count=1, delay=2.0), E2Rule(delay=3.0)])
    assert picks(book, 4) == [1.0, 2.0, 3.0, 3.0]
    assert [rule["seen"] for rule in book.report()] == [1, 1, 2]


def test_a_rule_that_is_not_due_leaves_the_request_to_the_next() -> None:
    book = RuleBook(E2Rule, [E2Rule(nth=3, count=1, delay=1.0), E2Rule(delay=2.0)])
    assert picks(book, 4) == [2.0, 2.0, 1.0, 2.0]


def test_which_requests_are_chosen() -> None:
    rule = E2Rule(meid="gnb1", procedure="delete", delay=1.0)
    book = RuleBook(E2Rule, [rule])
    assert book.pick(facts(procedure="delete")) is rule
    assert book.pick(facts(procedure="subscribe")) is None
    assert book.pick(facts(meid="gnb2", procedure="delete")) is None
    book.replace([E2Rule(instance=7)])
    assert book.pick(facts(instance=8)) is None
    assert book.pick(facts(instance=7)) is not None


def test_added_rules_come_after_and_clear_forgets() -> None:
    book = RuleBook(E2Rule, [E2Rule(count=1, delay=1.0)])
    book.add(E2Rule(delay=2.0))
    assert picks(book, 3) == [1.0, 2.0, 2.0]
    book.clear()
    assert picks(book, 1) == [None]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"delayy": 1}, "rule 0: .*delayy"),
        ([{"delay": 1}, {"delay": -1}], "rule 1: .*>= 0.*delay"),
        ({"procedure": "unsubscribe"}, "procedure"),
        ({"refuse": "ricRequest: nonsense"}, "no cause like"),
        ({"refuse": "somewhere: 3"}, "no cause like"),
        ({"payload": "0g"}, "hexadecimal"),
        ({"nth": 0}, "nth"),
        ("text", "object"),
        ({"rules": 3}, "object"),
    ],
)
def test_bad_rules_are_refused_with_their_place(data: object, words: str) -> None:
    with pytest.raises(RuleError, match=words):
        RuleBook(E2Rule).parse(data)


def test_script_files(tmp_path: Path) -> None:
    book = RuleBook(E2Rule)
    script = tmp_path / "script.yaml"
    script.write_text("rules:\n  - meid: gnb1\n    refuse: 'misc: 3'\n    count: 1\n  - delay: 0.5\n")
    book.load(script)
    assert picks(book, 2) == [0.0, 0.5]
    script.write_text('[{"delay": 2}]')
    book.load(script)
    assert picks(book, 1) == [2.0]
    script.write_text("")
    book.load(script)
    assert picks(book, 1) == [None]
    for text in ("rules: [", "rules: [{bad: 1}]"):
        script.write_text(text)
        with pytest.raises(RuleError, match=r"script\.yaml"):
            book.load(script)
    with pytest.raises(RuleError, match="none"):
        book.load(tmp_path / "none")


def test_causes_by_name_and_number() -> None:
    assert parse_cause("ricRequest: action-not-supported") == Cause(1, 1)
    assert parse_cause("misc:unspecified") == Cause(6, 3)
    assert parse_cause("ricRequest: 40") == Cause(1, 40)
    with pytest.raises(ValueError, match="no cause"):
        parse_cause("misc")


@pytest.mark.parametrize(
    ("rule", "effect"),
    [
        (HttpRule(), True),
        (HttpRule(status=204), True),
        (HttpRule(delay=1), True),
        (HttpRule(status=500), False),
        (HttpRule(redirect="/elsewhere"), False),
        (HttpRule(hang=True), False),
        (HttpRule(close=True), False),
        (HttpRule(hang=True, done=True), True),
        (HttpRule(status=500, done=True), True),
        (HttpRule(status=200, done=False), False),
    ],
)
def test_what_an_http_rule_leaves_undone(rule: HttpRule, effect: bool) -> None:
    assert rule.takes_effect() is effect
