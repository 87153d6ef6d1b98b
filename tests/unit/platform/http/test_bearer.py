# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gevent
import pytest
from flask import Flask
from support.waiting import turns_until

from submgr.platform.http.app import ApiError
from submgr.platform.http.bearer import Failures, bears, require_token

APP = Flask("bearer")


class Attempts:
    """Requests with tokens, and how long each was kept waiting."""

    def __init__(self, **options: object) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self.failures = Failures(clock=lambda: self.now, sleep=self.waits.append, **options)  # type: ignore[arg-type]

    def __call__(self, token: str | None, address: str = "10.0.0.1") -> bool:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        with APP.test_request_context(headers=headers, environ_overrides={"REMOTE_ADDR": address}):
            return bears(["right", None, "", "also-right"], self.failures)


def test_wrong_tokens_of_an_address_are_answered_later_and_later() -> None:
    attempt = Attempts(free=2, pause=0.5, longest=2.0)
    assert [attempt("wrong") for _ in range(8)] == [False] * 8
    assert attempt.waits == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert not attempt("wrong", "10.0.0.2")
    assert len(attempt.waits) == 6


def test_a_right_token_is_never_kept_waiting_and_begins_anew() -> None:
    attempt = Attempts(free=0)
    assert not attempt("wrong")
    assert attempt("right") and attempt("also-right")
    assert not attempt("wrong")
    assert attempt.waits == [0.25, 0.25]


def test_no_token_is_no_guess() -> None:
    attempt = Attempts(free=0)
    for token in (None, "", " "):
        assert not attempt(token)
    assert attempt.waits == []


def test_failures_are_forgotten_after_a_while_and_bounded_in_memory() -> None:
    attempt = Attempts(free=0, forget=60, most=5)
    attempt("wrong")
    attempt.now = 59
    attempt("wrong")
    attempt.now = 120
    attempt("wrong")
    assert attempt.waits == [0.25, 0.5, 0.25]
    for number in range(50):
        attempt("wrong", f"10.1.0.{number}")
    assert len(attempt.failures) == 5


def test_guesses_side_by_side_gain_nothing_and_do_not_lock_out_who_knows_the_token() -> None:
    answer_late = gevent.event.Event()
    failures = Failures(free=0, sleep=lambda seconds: answer_late.wait())
    ended: list[bool] = []

    def guess(token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        with APP.test_request_context(headers=headers, environ_overrides={"REMOTE_ADDR": "10.0.0.1"}):
            ended.append(bears(["right"], failures))

    guesses = [gevent.spawn(guess, "wrong") for _ in range(20)]
    turns_until(lambda: all(guesses))
    guess("right")
    assert ended == [True], "each of the wrong ones waits for its answer"
    answer_late.set()
    gevent.joinall(guesses)
    assert ended == [True] + [False] * 20


def test_no_tokens_is_another_thing_than_none_needed() -> None:
    with APP.test_request_context(headers={"Authorization": "Bearer "}):
        require_token(None)
        for tokens in ((), ("",), ("x",)):
            with pytest.raises(ApiError) as refused:
                require_token(tokens)
            assert refused.value.status == 401
