# SPDX-License-Identifier: Apache-2.0
"""Finds every mistake in a configuration file, also in the sections that other programs read."""

from __future__ import annotations

from mec.common.settings import load as load_mec
from mec.meo.settings import SECTION as MEO
from submgr.cli.check.findings import Findings
from submgr.platform.config.file import ConfigError, Problem, inspect
from submgr.platform.config.schema import Section
from submgr.settings.loader import load
from submgr.settings.model import TOKEN_VARIABLE

_ENVIRONMENT = {TOKEN_VARIABLE: "stands for the one that the process will have"}


def check(text: str) -> Findings:
    """What is wrong in a configuration file. Files that it names must be readable here."""
    found = Findings()
    try:
        found.add(load(text, _ENVIRONMENT).warnings)
        found.verdict = "the Subscription Manager starts without these"
    except ConfigError as failed:
        found.add(failed.problems)
        found.verdict = "the Subscription Manager does not start with it"
        if _unreadable(failed):
            return found
    found.add(_within("mec", _mec(text)))
    found.add(_within("meo", _meo(text)))
    found.sort()
    return found


def _unreadable(failed: ConfigError) -> bool:
    """Whether the text is no YAML at all, which everybody else would say once more."""
    return any(not problem.path for problem in failed.problems)


def _mec(text: str) -> list[Problem]:
    try:
        return list(load_mec(text).warnings)
    except ConfigError as failed:
        return failed.problems


def _meo(text: str) -> list[Problem]:
    parsed, errors = inspect(text, Section("", (MEO,), open=True))
    return [*errors, *parsed.warnings]


def _within(section: str, problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.path.partition(".")[0] == section]
