# SPDX-License-Identifier: Apache-2.0
"""What holds for all tests: Hypothesis profiles, how many run at once, which are made again, and what was skipped."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.examples import FULL, QUICK

INSTALL = "apt-get install"
"""A test that needs a program beyond Python skips with a reason that says how to install it."""

CI = os.environ.get("CI") == "true"

for name, number in (("default", QUICK), ("ci", FULL)):
    settings.register_profile(name, deadline=None, max_examples=number, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "fuzz", deadline=None, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("ci" if CI else "default")

AGAIN = ("chaos", "integration", "hostile", "browser", "contract")
"""Tests of whole programs on real sockets and clocks, which share the machine with whatever else runs on it. One that
fails is made once more, and the summary says so: what is wrong for a reason is wrong twice. They go first, in this
order, so that no long file is left to one worker at the end."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if _kind(item) in AGAIN:
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=lambda item: AGAIN.index(_kind(item)) if _kind(item) in AGAIN else len(AGAIN))


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_FAILED] = report.failed
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Whatever the file shares ends with a test that has failed, so that its second try, and the tests after it, do not
    find what it has left behind."""
    if item.stash.get(_FAILED, False) and item.get_closest_marker("flaky") is not None:
        item.session._setupstate.teardown_exact(item.session)  # type: ignore[arg-type]


def _kind(item: pytest.Item) -> str:
    """The directory in tests/."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: three for each processor, since tests with servers wait for two thirds of their time."""
    return 3 * len(os.sched_getaffinity(0))


def _reasons(reporter: pytest.TerminalReporter) -> dict[str, int]:
    """Why tests were skipped for want of a program, with how many."""
    reasons: dict[str, int] = {}
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if INSTALL in reason:
            text = reason.removeprefix("Skipped: ")
            reasons[text] = reasons.get(text, 0) + 1
    return reasons


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason, times in sorted(_reasons(terminalreporter).items()):
        terminalreporter.write_line(f"{times} tests skipped: {reason}", yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything is installed before: there, such a skip is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if CI and reporter is not None and _reasons(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
