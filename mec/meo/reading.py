# SPDX-License-Identifier: Apache-2.0
"""Reads the JSON objects of requests, and collects every mistake instead of stopping at the first. Unknown members are
ignored, null means absent."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mec.common.problem_details import bad_fields
from submgr.platform.http.app import ApiError

MAX_NAME = 32
"""Characters of names and identifiers (MEC 016, 6.2)."""
MAX_DESCRIPTION = 128
MAX_TEXT = 2048

_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]*\Z")
_PORT = "6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}"
_URL = re.compile(rf"https?://([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:({_PORT}))?([/?][!-~]*)?\Z")
_LINK = re.compile(r"[!-~]+\Z")


@dataclass(slots=True)
class Mistakes:
    """What is wrong, by the path of the field; the first mistake of a field counts."""

    found: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, message: str) -> None:
        if len(self.found) < 100:
            self.found.setdefault(path, message)

    def check(self, status: int = 400) -> None:
        """Raises ApiError when there are any."""
        if self.found:
            error = bad_fields(self.found)
            raise ApiError(status, error.message, error.errors)


@dataclass(frozen=True, slots=True)
class Reader:
    """One JSON object. Every method returns None (or an empty value) for what is absent or wrong."""

    values: Mapping[str, Any]
    path: str
    mistakes: Mistakes

    def wrong(self, name: str, message: str) -> None:
        self.mistakes.add(self.path + name, message)

    def present(self, name: str, required: bool = False) -> Any:
        value = self.values.get(name)
        if value is None and required:
            self.wrong(name, "is required")
        return value

    def text(self, name: str, longest: int = MAX_NAME, *, required: bool = False, empty: bool = False) -> str | None:
        """A string without control characters; `empty`: it may have no character at all."""
        value = self.present(name, required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(name, "must be a string")
        elif len(value) > longest:
            self.wrong(name, f"must not be longer than {longest} characters")
        elif not value and not empty:
            self.wrong(name, "must not be empty")
        elif not _PRINTABLE.match(value):
            self.wrong(name, "must not contain control characters")
        else:
            return value
        return None

    def url(self, name: str, *, required: bool = False) -> str | None:
        """An http or https URL."""
        value = self.text(name, MAX_TEXT, required=required)
        if value is not None and not _URL.match(value):
            self.wrong(name, 'must be a URL like "http://host:8080/path"')
            return None
        return value

    def link(self, name: str, *, required: bool = False) -> str | None:
        """An address of any form, without blanks; one that is not required may be empty."""
        value = self.text(name, MAX_TEXT, required=required, empty=not required)
        if value and not _LINK.match(value):
            self.wrong(name, "must be an address without blanks, in ASCII")
            return None
        return value

    def truth(self, name: str) -> bool | None:
        value = self.present(name)
        if value is not None and not isinstance(value, bool):
            self.wrong(name, "must be true or false")
            return None
        return value

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self.present(name)
        if value is None:
            return None
        if type(value) is not int or not low <= value <= high:
            self.wrong(name, f"must be a whole number from {low} to {high}")
            return None
        return value

    def child(self, name: str, *, required: bool = False) -> "Reader | None":
        value = self.present(name, required)
        return None if value is None else self._child(name, value)

    def children(self, name: str, *, required: bool = False) -> "Iterator[Reader]":
        """The objects of a list; a required one must not be empty."""
        for index, value in enumerate(self.items(name, required=required)):
            if (child := self._child(f"{name}[{index}]", value)) is not None:
                yield child

    def items(self, name: str, *, required: bool = False) -> list[Any]:
        value = self.present(name, required)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(name, "must be a list")
            return []
        if required and not value:
            self.wrong(name, "must not be empty")
        return value

    def names(self, name: str, longest: int) -> frozenset[str]:
        """A list of names, each once or more often."""
        values = self.items(name)
        for index, value in enumerate(values):
            Reader({"": value}, f"{self.path}{name}[{index}]", self.mistakes).text("", longest, required=True)
        return frozenset(value for value in values if isinstance(value, str))

    def _child(self, name: str, value: Any) -> "Reader | None":
        if not isinstance(value, dict):
            self.wrong(name, "must be an object")
            return None
        return Reader(value, f"{self.path}{name}.", self.mistakes)
