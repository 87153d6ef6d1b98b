# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from submgr.adapters.journal.entries import LARGEST_CONTENT
from submgr.adapters.journal.outcomes import ENDED, Outcomes
from submgr.core.errors import Failure, Source
from submgr.core.model import ClientEndpoint, Content, Detail, SubscribeRequest
from submgr.e2ap.messages import Action, ActionType

FAILED = Failure("no room", Source.RTMGR)


def request(*numbers: int, size: int = 1) -> SubscribeRequest:
    content = Content(2, b"\1", (Action(1, ActionType.REPORT, bytes(size)),))
    details = tuple(Detail(number, content) for number in numbers)
    return SubscribeRequest(ClientEndpoint("xapp-http", 8080, 4560), "gnb_1", 2, details)


def posted(outcomes: Outcomes, name: str, *numbers: int, size: int = 1) -> None:
    outcomes.posted(name, "gnb_1", request(*numbers, size=size), 10.0)
    outcomes.saved(name, 11.0)


def test_the_last_word_is_what_is_pending_else_what_ended_last() -> None:
    outcomes = Outcomes()
    posted(outcomes, "one", 1, 2, 3)
    rest = outcomes.of("one")
    assert rest is not None and rest.last is rest.details[1]
    rest.details[1].end(FAILED, 0, 12.0)
    assert rest.last is rest.details[2]
    rest.details[2].end(None, 5, 14.0)
    rest.details[3].end(None, 6, 13.0)
    assert rest.last is rest.details[2]


def test_a_repeated_request_begins_anew() -> None:
    outcomes = Outcomes()
    posted(outcomes, "one", 1)
    trace = outcomes.detail("one", 1)
    assert trace is not None
    trace.end(FAILED, 0, 12.0)
    posted(outcomes, "one", 1, 2)
    assert outcomes.detail("one", 1) is trace
    assert (trace.outcome, trace.failure, trace.told) == ("pending", None, 0.0)
    assert outcomes.detail("one", 2) is not None


def test_a_large_content_of_what_failed_is_not_kept() -> None:
    outcomes = Outcomes()
    posted(outcomes, "one", 1, size=LARGEST_CONTENT)
    trace = outcomes.detail("one", 1)
    assert trace is not None and trace.content is not None
    trace.end(FAILED, 0, 12.0)
    assert (trace.content, trace.ran_function_id) == (None, 2)


def test_a_post_that_was_not_accepted_leaves_nothing() -> None:
    outcomes = Outcomes()
    outcomes.posted("one", "gnb_1", request(1), 10.0)
    outcomes.withdrawn("one")
    assert outcomes.of("one") is None
    outcomes.withdrawn("never there")


def test_of_what_has_ended_the_last_ones_are_known() -> None:
    outcomes = Outcomes()
    for number in range(ENDED + 5):
        posted(outcomes, str(number), 1)
        outcomes.withdrawn(str(number))
    assert outcomes.of("4") is None and outcomes.of("5") is not None
    assert len(outcomes.ended()) == ENDED and outcomes.ended()[0][0] == str(ENDED + 4)
    posted(outcomes, "large", *range(2 * ENDED))
    outcomes.withdrawn("large")
    assert [name for name, _ in outcomes.ended()] == ["large"], "the last one is known, however large it is"
