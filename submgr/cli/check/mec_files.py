# SPDX-License-Identifier: Apache-2.0
"""Finds every mistake in the JSON files of the MEC services. Their readers ignore members that they do not know; a
name that is nearly one that is missing is told here."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mec.common.relaxed_json import parse, places, steps
from mec.manager.schemas import data_file
from mec.proxy.schemas import mec_info
from submgr.cli.check.findings import Findings
from submgr.platform.config.file import ConfigError, Problem

_DATA_FILE = {"users": ("imsi", "subscriptionData"), "ues": ("imsi", "mecId", "appId", "state")}
_LIST_OF_MECS = {"mecs": ("id", "managerAmsUrl")}


def check_data_file(text: str) -> Findings:
    """What is wrong in the data file of a MEC manager (`mec.dataFile`)."""
    return _check(text, data_file, _DATA_FILE, "the manager does not start with it")


def check_list_of_mecs(text: str) -> Findings:
    """What is wrong in the list of MECs of a proxy."""
    return _check(text, mec_info, _LIST_OF_MECS, "the proxy does not start with it")


def _check(text: str, read: Callable[[str], object], members: Mapping[str, tuple[str, ...]], verdict: str) -> Findings:
    found = Findings(verdict=verdict)
    try:
        read(text)
    except ConfigError as failed:
        found.add(failed.problems)
    misspelled = list(_misspelled(text, members))
    if misspelled and not found.count:
        found.verdict = "it is taken without these"
    found.add(misspelled)
    found.sort()
    return found


def _misspelled(text: str, members: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    try:
        content = parse(text)
    except ConfigError:  # has been told
        return
    hints = list(_hints(content, members))
    lines = places(text, [steps(path) for path, _ in hints])
    for (path, meant), line in zip(hints, lines, strict=True):
        yield Problem(line, path, f"there is no such member; did you mean {meant}?")


def _hints(content: Any, members: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """The path of each member that is nearly one that is missing beside it, and that name."""
    if not isinstance(content, dict):
        return
    yield from _beside(content, tuple(members), "")
    for name, expected in members.items():
        entries = content.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                yield from _beside(entry, expected, f"{name}[{index}].")


def _beside(given: Mapping[str, Any], expected: tuple[str, ...], path: str) -> Iterator[tuple[str, str]]:
    missing = {name.lower(): name for name in expected if name not in given}
    for name in given if missing else ():
        close = difflib.get_close_matches(name.lower(), missing, n=1) if name not in expected else []
        if close:
            yield f"{path}{name}", missing[close[0]]
