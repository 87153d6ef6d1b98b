# SPDX-License-Identifier: Apache-2.0
"""The file that lists the MECs, and the report of who could not be told."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mec.common.ids import mec_id
from mec.common.relaxed_json import Step, line_of, parse, shown
from mec.common.settings import http_url
from mec.proxy.model import Mec, Unreached
from submgr.platform.config.file import ConfigError, Problem

T = TypeVar("T")


def mec_info(text: str) -> Mapping[int, Mec]:
    """`{"mecs": [{"id": 5, "managerAmsUrl": "http://…"}]}`. Raises ConfigError with all mistakes."""
    content = parse(text)
    if not isinstance(content, dict) or not isinstance(content.get("mecs"), list):
        raise ConfigError([Problem(1, "mecs", 'the file must be an object with a list "mecs"')])
    return _Reader(text).read(content["mecs"])


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._problems: list[Problem] = []

    def read(self, entries: list[Any]) -> Mapping[int, Mec]:
        mecs: dict[int, Mec] = {}
        for index, entry in enumerate(entries):
            steps: tuple[Step, ...] = ("mecs", index)
            if not isinstance(entry, dict):
                self._complain(steps, "must be an object")
                continue
            number = self._field(steps, entry, "id", mec_id, -1)
            url = self._field(steps, entry, "managerAmsUrl", http_url, "")
            if number in mecs and number >= 0:
                self._complain((*steps, "id"), f"MEC {number} is in the file already")
            mecs[number] = Mec(number, url)
        if self._problems:
            raise ConfigError(self._problems)
        return mecs

    def _field(
        self, steps: tuple[Step, ...], entry: dict[str, Any], name: str, convert: Callable[[Any], T], otherwise: T
    ) -> T:
        if name not in entry:
            self._complain((*steps, name), "is missing")
            return otherwise
        try:
            return convert(entry[name])
        except ValueError as exc:
            self._complain((*steps, name), str(exc))
            return otherwise

    def _complain(self, steps: tuple[Step, ...], message: str) -> None:
        self._problems.append(Problem(line_of(self._text, steps), shown(steps), message))


def unreached_view(unreached: Unreached) -> dict[str, Any]:
    """One entry of the list of who was not told."""
    return {"id": unreached.mec.id, "managerAmsUrl": unreached.mec.url, "reason": unreached.why}
