# SPDX-License-Identifier: Apache-2.0
"""What the journal, the outcomes and the tallies have of the work of real workers."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from support.core.outside import report, turns
from support.core.watched import START, Watched

from submgr.adapters.journal.entries import LARGEST_CONTENT, Kind, Severity
from submgr.adapters.journal.observer import ALIKE, REPEATED
from submgr.adapters.journal.repeats import INTERVAL
from submgr.core import commands as c
from submgr.core import events as e
from submgr.core.commands import About, Finished, Outcome
from submgr.core.errors import Failure, NodeDownError, Source
from submgr.core.model import ClientEndpoint, Content, Detail, RmrEndpoint
from submgr.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionFailure,
)
from submgr.runtime.ports import RouteFailure, WriteFailure

CAUSE = Cause(1, 5)


@pytest.fixture
def outside() -> Watched:
    return Watched()


def refused_at(outside: Watched, instance_id: int) -> None:
    """The node, which has said nothing yet, refuses."""
    outside.dispatcher.answered("gnb_1", SubscriptionFailure(RequestId(123, instance_id), 2, CAUSE, ()), instance_id)
    turns()


def test_a_success_has_an_entry_an_outcome_and_every_step(outside: Watched) -> None:
    outside.post("gnb_1", "one", report(7))
    (entry,) = outside.journal.after(0)
    facts = entry.facts
    assert (entry.kind, entry.severity) == (Kind.SUBSCRIPTION, Severity.INFO)
    assert facts.words == "subscribe succeeded at gnb_1 for xapp-http (instance 7)"
    assert (facts.meid, facts.subscription_id, facts.instance_id, facts.xapp) == ("gnb_1", "one", 1, "xapp-http")
    assert (facts.procedure, facts.outcome, facts.cause, facts.ran_function_id) == ("subscribe", "success", "", 2)
    assert facts.content == report(7).content
    trace = outside.outcomes.detail("one", 7)
    assert trace is not None
    assert (trace.outcome, trace.failure, trace.instance_id) == ("succeeded", None, 1)
    outside.observer.notified(outside.told[0])
    steps = [name for name, _ in trace.timeline()]
    assert steps == ["posted", "saved", "started", "route", "requested", "answered", "told", "notified"]
    times = [when for _, when in trace.timeline()]
    assert times == sorted(times) and times[0] > START
    assert trace.seconds == trace.told - trace.posted
    assert outside.tallies.rates()[0] > 0


def test_a_refusal_names_who_and_why(outside: Watched, caplog: pytest.LogCaptureFixture) -> None:
    outside.silent.add("gnb_1")
    outside.post("gnb_1", "one", report(7))
    refused_at(outside, 1)
    failed = outside.journal.after(0)[0]
    assert (failed.severity, failed.facts.source) == (Severity.WARNING, "E2Node")
    assert failed.facts.words == f"subscribe failed at gnb_1 for xapp-http (instance 7): {failed.facts.cause}"
    assert "action-not-supported" in failed.facts.cause or "E2NodeCause" in failed.facts.cause
    trace = outside.outcomes.detail("one", 7)
    assert trace is not None and trace.failure is not None
    assert (trace.outcome, trace.failure.source, trace.instance_id) == ("failed", Source.E2NODE, 0)
    (line,) = caplog.records
    assert (line.levelname, line.getMessage()) == ("WARNING", "subscribe refused")
    told = vars(line)
    assert (told["xapp"], told["xapp_event_instance_id"], told["ran_function_id"]) == ("xapp-http", 7, 2)
    assert told["detail"] == failed.facts.cause
    tally = outside.tallies.of_node("gnb_1")
    assert tally is not None and tally.last_failure is failed
    assert outside.tallies.failure_of("xapp-http") is failed
    assert outside.tallies.refused_in_a_row("gnb_1") == 1


def test_refusals_in_a_row_end_with_a_grant(outside: Watched) -> None:
    outside.silent.add("gnb_1")
    for number in range(1, 4):
        outside.post("gnb_1", f"r{number}", report(number))
        refused_at(outside, number)
    assert outside.tallies.refused_in_a_row("gnb_1") == 3
    outside.silent.clear()
    outside.post("gnb_1", "good", report(9))
    assert outside.tallies.refused_in_a_row("gnb_1") == 0


def test_what_a_store_and_a_routing_manager_do_not_do(outside: Watched) -> None:
    outside.write_fails = WriteFailure("disk full", False)
    outside.post("gnb_1", "one", report(1))
    outside.write_fails = None
    outside.route_fails = RouteFailure(e.RouteFailureKind.UNREACHABLE, "nobody there")
    outside.post("gnb_1", "two", report(2))
    failed = [entry.facts for entry in outside.journal.after(0) if entry.severity is Severity.WARNING]
    assert [(facts.subscription_id, facts.source) for facts in failed] == [("one", "DBAAS"), ("two", "RTMGR")]
    assert outside.observer.routing_trouble == "nobody there"
    outside.route_fails = None
    outside.post("gnb_1", "three", report(3))
    assert outside.observer.routing_trouble is None


def test_a_node_that_is_lost_tells_of_what_waited_and_of_what_was_held(outside: Watched) -> None:
    outside.silent.add("gnb_1")
    outside.post("gnb_1", "first", report(1))
    outside.post("gnb_1", "waits", report(2))
    outside.dispatcher.connection_changed("gnb_1", False, "under reset")
    turns()
    failed = {entry.facts.subscription_id: entry.facts for entry in outside.journal.after(0) if entry.severity}
    assert failed["first"].procedure == "subscribe"
    words = "no subscription at gnb_1 for xapp-http (instance 2): E2 interface down: under reset"
    assert failed["waits"].words == words
    assert failed["waits"].ran_function_id == 2


class Counted(list[c.Command]):
    """Commands that count how often one of them is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[c.Command]:
        for command in super().__iter__():
            self.looks += 1
            yield command


def test_thousands_of_failures_at_once_are_each_looked_at_twice(outside: Watched) -> None:
    endpoint, failure = ClientEndpoint("xapp-http", 8080, 4560), Failure("internal error", Source.SUBMGR)
    told = [c.Notify(f"rest-{number}", endpoint, 1, 0, failure) for number in range(300)]
    ended = Finished("subscribe", Outcome.FAILED, 1.0, 0, "rest-0", failure=failure)
    commands = Counted([told[0], ended, *told[1:]])
    outside.observers.saw("gnb_1", None, commands)
    assert commands.looks == 2 * len(commands)
    words = [entry.facts.words for entry in outside.journal.after(0)]
    assert words[0] == "subscribe failed at gnb_1: internal error"
    assert words[1:] == ["no subscription at gnb_1 for xapp-http (instance 1): internal error"] * ALIKE


def test_a_refused_delete_has_its_cause(outside: Watched) -> None:
    outside.post("gnb_1", "one", report(1))
    outside.silent.add("gnb_1")
    outside.dispatcher.post("gnb_1", e.Unsubscribe(99, "one"))
    turns()
    outside.dispatcher.answered("gnb_1", SubscriptionDeleteFailure(RequestId(123, 1), 2, CAUSE), 1)
    turns()
    facts = outside.journal.after(0)[-1].facts
    assert (facts.procedure, facts.outcome, facts.source) == ("delete", "refused", "E2Node")
    assert facts.cause.startswith("RICSubscriptionDeleteFailure. E2NodeCause: ")
    assert (facts.xapp, facts.xapp_event_instance_id) == ("xapp-http", 1)
    rest = outside.outcomes.of("one")
    assert rest is not None and outside.outcomes.ended() == [("one", rest)], "it has ended, and is still known"


def test_a_shared_subscription_has_a_trace_of_its_own(outside: Watched) -> None:
    outside.post("gnb_1", "one", report(1))
    shared = Detail(5, report(1).content)
    outside.post("gnb_1", "two", shared)
    trace = outside.outcomes.detail("two", 5)
    assert trace is not None and (trace.outcome, trace.instance_id) == ("succeeded", 1)
    assert outside.words()[-1] == "merge succeeded at gnb_1 for xapp-http (instance 5)"


def test_the_content_of_an_entry_is_kept_unless_it_is_large(outside: Watched) -> None:
    large = Content(2, b"\1", (Action(1, ActionType.REPORT, bytes(LARGEST_CONTENT)),))
    outside.post("gnb_1", "one", Detail(1, large))
    facts = outside.journal.after(0)[0].facts
    assert (facts.content, facts.ran_function_id) == (None, 2)


def test_a_post_that_is_refused_and_one_that_looks_odd(outside: Watched) -> None:
    request = outside.request("gnb_9", report(1))
    outside.observer.refused(request, NodeDownError("E2 node gnb_9 is not known"))
    outside.observer.odd(request, "E2 node gnb_9 has no RAN function 2")
    refused, odd = (entry.facts for entry in outside.journal.after(0))
    assert refused.words == "a POST of xapp-http for gnb_9 was refused with 503: E2 node gnb_9 is not known"
    assert (odd.words, odd.ran_function_id, odd.xapp) == ("E2 node gnb_9 has no RAN function 2", 2, "xapp-http")
    assert outside.tallies.failure_of("xapp-http") is outside.journal.after(0)[0]


def test_a_post_that_is_refused_again_and_again_pushes_nothing_out(outside: Watched) -> None:
    for _ in range(1000):
        outside.observer.refused(outside.request("gnb_9", report(1)), NodeDownError("not known"))
    assert len(outside.journal.after(0)) == REPEATED
    outside.when += INTERVAL
    outside.observer.refused(outside.request("gnb_9", report(1)), NodeDownError("not known"))
    assert outside.words()[-1].endswith(f"not known (and {1000 - REPEATED} more like it)")


def test_a_request_over_rmr_that_nobody_answers_has_an_entry(outside: Watched) -> None:
    outside.down.add("gnb_1")
    content = report(1).content
    outside.dispatcher.post("gnb_1", e.SubscribeOverRmr(1, RmrEndpoint("old", 4560), b"", 5, content))
    turns()
    (entry,) = outside.journal.after(0)
    assert (entry.severity, entry.facts.meid) == (Severity.WARNING, "gnb_1")


def test_notifications_that_wait_and_that_are_given_up(outside: Watched) -> None:
    outside.post("gnb_1", "one", report(1))
    (note,) = outside.told
    outside.observer.undelivered(note, "503 Service Unavailable", False)
    outside.observer.undelivered(note, "503 Service Unavailable", True)
    waits, given_up = outside.journal.after(1)
    assert (waits.kind, given_up.kind) == (Kind.NOTIFICATION, Kind.NOTIFICATION)
    assert waits.facts.words.endswith("could not be delivered, it is tried again: 503 Service Unavailable")
    assert given_up.facts.words.endswith("was given up: 503 Service Unavailable")
    trace = outside.outcomes.detail("one", 1)
    assert trace is not None and not trace.notified


def test_a_flood_of_failures_that_are_alike_has_few_lines_and_leaves_room_for_others(
    outside: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    about = About("xapp-http", 1, 2, report(1).content)
    failure = Failure("RICSubscriptionFailure. E2NodeCause: no", Source.E2NODE)
    with caplog.at_level(logging.WARNING):
        for number in range(10_000):
            told = Finished("subscribe", Outcome.REFUSED, 0.1, number, f"r{number}", failure.cause, failure, about)
            outside.observers.saw("gnb_1", None, [told])
        outside.observers.tell()
    assert len(caplog.records) == 20
    assert len(outside.journal.after(0)) == ALIKE
    assert outside.tallies.refused_in_a_row("gnb_1") == 10_000
    outside.when += INTERVAL
    outside.observers.saw("gnb_1", None, [told])
    outside.observers.tell()
    assert outside.words()[-1].endswith(f"no (and {10_000 - ALIKE} more like it)")
