# SPDX-License-Identifier: Apache-2.0
"""Reads the file that lists the MECs, and makes the report of those that could not be notified."""

from collections.abc import Mapping
from typing import Any

from mec.common.ids import mec_id
from mec.common.relaxed_json import DIALECT, check, parse, problems
from mec.common.settings import http_url
from mec.proxy.model import Mec, Unreached
from submgr.platform.config.file import ConfigError, Problem
from submgr.platform.http.json_fields import Fields, Mistakes

_SHOWN = 10
"""Mistakes of a changed file that are named in the log."""


def mec_info(text: str) -> Mapping[int, Mec]:
    """Reads `{"mecs": [{"id": 5, "managerAmsUrl": "http://…"}]}`. Raises ConfigError with all mistakes."""
    mecs, mistakes, _ = _read(text)
    check(text, mistakes)
    return mecs


def changed_mec_info(text: str, known: Mapping[int, Mec]) -> tuple[Mapping[int, Mec], list[Problem]]:
    """Reads a list that has changed while it is in use: an entry with a mistake is left out, and its MEC stays as it
    is `known`.

    Returns the first mistakes, too. Raises ConfigError for a text that is no list of MECs at all.
    """
    mecs, mistakes, broken = _read(text)
    kept = {number: known[number] for number in broken if number in known}
    return {**kept, **mecs}, problems(text, mistakes, limit=_SHOWN)


def _read(text: str) -> tuple[dict[int, Mec], Mistakes, list[int]]:
    """The entries without a mistake, the mistakes, and the numbers of the MECs whose entries have one."""
    content = parse(text)
    if not isinstance(content, dict) or not isinstance(content.get("mecs"), list):
        raise ConfigError([Problem(1, "mecs", 'the file must be an object with a list "mecs"')])
    fields = Fields(content, "", Mistakes(DIALECT))
    mecs: dict[int, Mec] = {}
    broken: list[int] = []
    seen: set[int] = set()
    for _, entry in fields.children("mecs"):
        before = len(fields.mistakes.found)
        number = entry.need("id", mec_id, -1)
        url = entry.need("managerAmsUrl", http_url, "")
        if number in seen:
            entry.wrong("id", f"MEC {number} is in the file already")
        if number >= 0:
            seen.add(number)
        if len(fields.mistakes.found) == before:
            mecs[number] = Mec(number, url)
        elif number >= 0:
            broken.append(number)
    return mecs, fields.mistakes, broken


def unreached_view(unreached: Unreached) -> dict[str, Any]:
    """One entry of the report: a MEC that could not be notified, and why."""
    return {"id": unreached.mec.id, "managerAmsUrl": unreached.mec.url, "reason": unreached.why}
