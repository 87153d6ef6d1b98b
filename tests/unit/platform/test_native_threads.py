# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from gevent import monkey

from submgr.platform.native_threads import NativeThreads, in_thread

lock: Callable[[], threading.Lock] = monkey.get_original("_thread", "allocate_lock")
thread_id: Callable[[], int] = monkey.get_original("_thread", "get_ident")


def refuse(text: str) -> None:
    raise OSError(2, text)


def test_the_call_runs_in_another_thread_and_its_result_comes_back() -> None:
    assert in_thread(thread_id) != thread_id()
    assert in_thread(divmod, 7, 2) == (3, 1)


def test_what_the_function_raises_is_raised_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="no such thing") as raised:
        in_thread(refuse, "no such thing")
    assert raised.traceback[-1].name == "refuse", "the caller sees where it was raised"
    with pytest.raises(ZeroDivisionError):
        in_thread(divmod, 1, 0)
    with pytest.raises(SystemExit):
        in_thread(exit, 3)
    assert capfd.readouterr() == ("", "")


def test_a_call_that_hangs_holds_up_only_the_threads_it_is_in() -> None:
    hanging, other = NativeThreads(1), NativeThreads(1)
    gate = lock()
    gate.acquire()
    first = hanging.begin(gate.acquire)
    try:
        assert other.call(thread_id)
        assert in_thread(thread_id)
        first.wait(0.001)
        assert not first.ready()
    finally:
        gate.release()
    assert first.get() is True
    assert first.ready()
    gate.release()
    for threads in (hanging, other):
        threads.stop()
        threads.stop()


def test_threads_may_be_used_again_after_they_were_stopped() -> None:
    threads = NativeThreads(2)
    assert threads.call(int, "1") == 1
    threads.stop()
    assert threads.call(int, "2") == 2
    threads.stop()
