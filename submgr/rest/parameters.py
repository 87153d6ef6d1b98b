# SPDX-License-Identifier: Apache-2.0
"""Reads the parameters of a query. One that makes no sense is a 400 that names it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NoReturn, TypeVar

from flask import request

from submgr.platform.http.app import ApiError

Choice = TypeVar("Choice")
Default = TypeVar("Default")


class Parameters:
    """The parameters of the request at hand, of which there may be those with these `names`. An empty one is none."""

    def __init__(self, *names: str) -> None:
        self._given = {name: value for name, value in request.args.items() if value}
        for name in request.args:
            if name not in names:
                self.refuse(name, f"is not known, only {', '.join(names)}")

    def refuse(self, name: str, why: str) -> NoReturn:
        """Raises the ApiError."""
        raise ApiError(400, f"{name[:40]} {why}", [{"field": name[:40], "message": why}])

    def text(self, name: str) -> str | None:
        return self._given.get(name)

    def number(self, name: str, low: int, high: int, default: int) -> int:
        """An integer from `low` to `high`."""
        text = self._given.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) <= 10 and low <= int(text) <= high):
            self.refuse(name, f"is {text[:40]!r}, it must be an integer from {low} to {high}")
        return int(text)

    def choice(self, name: str, choices: Mapping[str, Choice], default: Default) -> Choice | Default:
        """What `choices` has under the given word."""
        text = self._given.get(name)
        if text is None:
            return default
        if text not in choices:
            self.refuse(name, f"is {text[:40]!r}, it can be {', '.join(choices)}")
        return choices[text]

    def several(self, name: str, choices: Collection[str]) -> frozenset[str]:
        """Some of the words in `choices`, with commas between them; empty when it is not there."""
        words = frozenset((self._given.get(name) or "").split(",")) - {""}
        for word in words.difference(choices):
            self.refuse(name, f"is {word[:40]!r}, it can be {', '.join(choices)}, or some of them with commas")
        return words

    def flag(self, name: str) -> bool:
        """true or false; false when it is not there."""
        return self.choice(name, {"true": True, "false": False}, False)
